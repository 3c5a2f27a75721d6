"""What one says of oneself."""

from collections.abc import Mapping
from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.accounts import names, people
from portal.accounts.models import Person
from portal.core import audit, clock, texts
from portal.core.audit import By
from portal.core.db import after_commit, db, release, transaction
from portal.core.errors import Gather, Rejected, TooLong
from portal.core.settings import setting
from portal.profile import countries, links, pictures, stores
from portal.profile.models import Profile


def read(person: Person) -> Profile:
    """The person's profile; an empty one when nothing was ever said."""
    return db.session.get(Profile, person.id) or _empty(person)


def change_name(person: Person, full_name: str | None, username: str | None, by: By) -> None:
    """Raises Several or Rejected; a username is one person's, without regard to case."""
    with Gather() as take:
        name = take(names.full_name, full_name)
        user = take(names.username, username)
    with transaction():
        mine = people.lock(person.id)
        mine.full_name = name
        if user != mine.username:
            _take_username(mine, user)
        audit.record("profile:changed", person.id, by, detail="name")


def change_work(person: Person, job_title: str | None, organisation: str | None, by: By) -> None:
    """Two single lines; empty clears.  Raises Several."""
    with Gather() as take:
        values = {
            "job_title": take(_line, "job_title", job_title),
            "organisation": take(_line, "organisation", organisation),
        }
    _keep(person, values, by, "work")


def change_location(person: Person, city: str | None, country: str | None, by: By) -> None:
    """A line and an ISO 3166-1 alpha-2 code; empty clears.  Raises Several."""
    with Gather() as take:
        values = {"city": take(_line, "city", city), "country": take(_country, country)}
    _keep(person, values, by, "location")


def change_links(person: Person, typed: Mapping[str, str | None], by: By) -> None:
    """Replaces all links: platform -> what was typed.  Raises Several."""
    with Gather() as take:
        tidied = {
            platform: take(links.tidy, platform, typed.get(platform) or "")
            for platform in links.PLATFORMS
        }
    kept = {platform: url for platform, url in tidied.items() if url}
    _keep(person, {"links": kept}, by, "social links")


def change_bio(person: Person, bio: str | None, by: By) -> None:
    """Plain text, line breaks kept.  Raises Rejected."""
    longest = setting("BIO_MAX_LENGTH")
    try:
        text = texts.block("bio", bio, longest)
    except TooLong as refused:
        raise _bio_words(refused, longest) from None
    _keep(person, {"bio": text}, by, "biography")


def change_picture(person: Person, data: bytes, crop: str | None, by: By) -> None:
    """Upright, square, small and without metadata; the old files go afterwards.

    Raises Rejected.
    """
    if not data:
        raise Rejected("picture", "empty", _("Choose a picture first"))
    release()
    files, name = pictures.make(data, crop or ""), stores.new_name()
    stores.save(name, files)
    try:
        with transaction():
            _swap(people.lock(person.id), name)
            audit.record("profile:changed", person.id, by, detail="picture")
    except BaseException:
        stores.remove(name)
        raise


def remove_picture(person: Person, by: By) -> None:
    """Initials again."""
    with transaction():
        _swap(people.lock(person.id), None)
        audit.record("profile:changed", person.id, by, detail="picture removed")


def sweep() -> int:
    """Removes pictures that are nobody's any more: a crash came between row and file.  -> how many.

    Younger than a day they may be about to become somebody's.
    """
    swept = 0
    for found in stores.kept_before(clock.now() - timedelta(days=1)):
        shown = select(Person.picture_name).where(Person.picture_name.in_(list(found)))
        for name in found - set(db.session.scalars(shown)):
            stores.remove(name)
            swept += 1
    return swept


def _swap(person: Person, name: str | None) -> None:
    old, person.picture_name = person.picture_name, name
    if old:
        after_commit(lambda: stores.remove(old))


def _take_username(person: Person, username: str | None) -> None:
    try:
        with db.session.begin_nested():
            person.username, person.username_key = username, names.username_key(username)
    except IntegrityError:
        raise Rejected(
            "username", "taken", _("Somebody else has this username. Choose another.")
        ) from None


def _keep(person: Person, values: Mapping[str, object], by: By, section: str) -> None:
    with transaction():
        people.lock(person.id)
        profile = db.session.get(Profile, person.id, populate_existing=True)
        if profile is None:
            profile = _empty(person)
            db.session.add(profile)
        for name, value in values.items():
            setattr(profile, name, value)
        audit.record("profile:changed", person.id, by, detail=section)


def _empty(person: Person) -> Profile:
    return Profile(
        person_id=person.id, job_title="", organisation="", city="", country="", links={}, bio=""
    )


def _line(field: str, typed: str | None) -> str:
    return texts.line(field, typed, setting("LINE_MAX_LENGTH"))


def _country(typed: str | None) -> str:
    code = (typed or "").strip().upper()
    if code and not countries.is_code(code):
        raise Rejected("country", "unknown", _("Choose a country from the list"))
    return code


def _bio_words(refused: TooLong, longest: int) -> Rejected:
    words = _(
        "Shorten your biography to %(longest)d characters. It has %(length)d.",
        longest=longest,
        length=refused.length,
    )
    return Rejected("bio", "long", words)
