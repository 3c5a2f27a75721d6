"""Invented people for a try-out, so that every page has something to show."""

import secrets
from datetime import timedelta

from portal.accounts import hashing, people
from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import db, transaction
from portal.core.safety import is_loopback
from portal.core.settings import setting
from portal.demo import portraits, post
from portal.demo.cast import CAST, DEMO, Invented
from portal.profile import pictures, stores
from portal.profile.models import Profile

SECTIONS = "job_title", "organisation", "city", "country", "bio"


def fill() -> str:
    """Adds the cast where it is missing, and gives the first a new password.  -> the password.

    Raises ValueError where real people might be.
    """
    if not is_loopback(setting("PUBLIC_URL")) or setting("EMAIL_BACKEND") != "mailbox":
        raise ValueError("Invented people are for a try-out on this machine, with the mailbox.")
    password = "-".join(secrets.token_hex(3) for _ in range(4))
    password_hash = hashing.make(password)
    for number, each in enumerate(CAST):
        if people.find(each.email) is None:
            _add(each, number)
    with transaction():
        person = people.find(DEMO)
        if person is not None:
            person.password_hash = password_hash
    return password


def _add(invented: Invented, number: int) -> None:
    name = stores.new_name() if number % 3 == 0 else None
    if name:
        stores.save(name, pictures.make(portraits.paint(number), ""))
    unusable = hashing.make(secrets.token_hex(16))
    with transaction() as session:
        person = people.add(invented.email, invented.full_name, "user", unusable)
        _backdate(person, number)
        person.picture_name = name
        kept = {section: getattr(invented, section) for section in SECTIONS}
        session.add(Profile(person_id=person.id, links=_links(number), **kept))
        if invented.email == DEMO:
            session.add_all(post.past(person.id, clock.now()))


def _backdate(person: Person, number: int) -> None:
    since = clock.now() - timedelta(days=400 - 29 * number)
    person.created_at = person.email_proven_at = person.password_changed_at = since
    db.session.flush()


def _links(number: int) -> dict[str, str]:
    return {"website": f"https://person{number}.example"} if number % 2 == 0 else {}
