"""What one says of oneself."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts import names, people, sessions, usernames
from portal.accounts.models import Person
from portal.core import audit, clock
from portal.core.audit import By
from portal.core.db import after_commit, db, release, transaction
from portal.core.errors import Gather, NotKept, Rejected
from portal.profile import attributes, models, pictures, stores
from portal.profile.models import Profile

log = logging.getLogger("latchkey")
ALSO = models.ALSO
AWAY_SECONDS = 10  # after which it is worth trying again


@dataclass(frozen=True)
class Upload:
    """A picture's file as it was sent, and the square to cut out of it: "left,top,side" in pixels.

    `field` is what its door calls it.
    """

    data: bytes
    crop: str | None = None
    field: str = pictures.FIELD


def read(person: Person) -> Profile:
    """The person's profile; an empty one when nothing was ever said."""
    return models.of(person) or _empty(person)


def change(person: Person, typed: Mapping[str, Any], by: By, picture: Upload | None = None) -> None:
    """Changes the attributes that are given, and the picture: all of it, or nothing.

    `typed` has some of full_name, username, job_title, organisation, city, country, bio, and
    social_links, a mapping of platforms that replaces all.  None or "" clears all but a full name.
    Raises Several; Rejected for a username that is somebody else's; NotKept.
    """
    if not typed and picture is None:
        return
    release()
    with Gather() as take:
        values = attributes.tidied(typed, take)
        files = take(_made, picture) if picture else {}
    usernames.free(names.username_key(values.get("username")))
    with _stored(files) as name, transaction():
        mine = people.lock(person.id)
        sessions.still(by)
        _write(mine, values)
        if name:
            _swap(mine, name)
        said = [*values, *([pictures.FIELD] if name else [])]
        audit.record("profile:changed", mine.id, by, detail=", ".join(said))


def remove_picture(person: Person, by: By) -> None:
    """Initials again; nothing happens without a picture."""
    with transaction():
        mine = people.lock(person.id)
        sessions.still(by)
        if mine.picture_name:
            _swap(mine, None)
            audit.record("profile:changed", mine.id, by, detail="picture removed")


def sweep() -> int:
    """Removes pictures that are nobody's any more: a crash came between row and file.  -> how many.

    Younger than a day they may be about to become somebody's.  Raises OSError.
    """
    swept = 0
    for found in stores.kept_before(clock.now() - timedelta(days=1)):
        shown = select(Person.picture_name).where(Person.picture_name.in_(list(found)))
        lost = found - set(db.session.scalars(shown))
        release()
        for name in lost:
            stores.remove(name)
            swept += 1
    return swept


def _made(picture: Upload) -> dict[int, bytes]:
    """Upright, square, small and without metadata.  Raises Rejected on the field it came in."""
    try:
        if not picture.data:
            raise Rejected(pictures.FIELD, "empty", _("Choose a picture first"))
        return pictures.make(picture.data, picture.crop or "")
    except Rejected as refused:
        refused.field = picture.field
        raise


@contextmanager
def _stored(files: Mapping[int, bytes]) -> Iterator[str | None]:
    """The new name of these files, which are gone again when what follows fails; None for none.

    Raises NotKept.
    """
    name = stores.new_name() if files else None
    if name is None:
        yield None
        return
    _keep(name, files)
    try:
        yield name
    except BaseException:
        with suppress(OSError):  # `sweep` finds what stays
            stores.remove(name)
        raise


def _keep(name: str, files: Mapping[int, bytes]) -> None:
    """Takes seconds where the store is slow: no connection to the database waits with us."""
    release()
    try:
        stores.save(name, files)
    except OSError as err:
        log.error("a picture cannot be kept: %s", type(err).__name__)
        retry_at = clock.now() + timedelta(seconds=AWAY_SECONDS)
        words = _("Your picture cannot be kept at the moment. Try again in a few minutes.")
        raise NotKept(pictures.FIELD, retry_at, words) from None


def _write(person: Person, values: Mapping[str, Any]) -> None:
    said = dict(values)
    if "full_name" in said:
        person.full_name = said.pop("full_name")
    if "username" in said:
        username = said.pop("username")
        usernames.give(person, username, names.username_key(username))
    if said:
        profile = _kept(person)
        for name, value in said.items():
            setattr(profile, "links" if name == attributes.LINKS else name, value)


def _swap(person: Person, name: str | None) -> None:
    old, person.picture_name = person.picture_name, name
    if old:
        after_commit(lambda: stores.remove(old))


def _kept(person: Person) -> Profile:
    """The row to write to, read afresh."""
    profile = db.session.get(Profile, person.id, populate_existing=True)
    if profile is None:
        profile = _empty(person)
        db.session.add(profile)
    return profile


def _empty(person: Person) -> Profile:
    return Profile(person_id=person.id, **models.EMPTY | {"links": {}})
