"""Invented people for a try-out, so that every page has something to show."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.accounts import hashing, invitations, messages, people, roles
from portal.accounts.models import Person
from portal.core import clock
from portal.core.audit import By
from portal.core.db import db, transaction
from portal.core.safety import is_loopback
from portal.core.settings import setting
from portal.delivery import outbox
from portal.demo import crowd, desk, history, portraits
from portal.demo.cast import CAST, DEMO, STAFF, Invented
from portal.profile import pictures, stores
from portal.profile.models import Profile
from portal.security import backups

SECTIONS = "job_title", "organisation", "city", "country", "bio"
CROWD, SHOWN = 488, 24  # of them, so many have a picture
GUEST = "new.colleague@library.example"
OLDEST = 400  # days since the first of them signed up


@dataclass(frozen=True)
class Tickets:
    """How to come in as one of them; `codes`: a backup code for each of the staff."""

    password: str
    codes: dict[str, str]


def fill() -> Tickets:
    """Adds the people where they are missing, and gives some a new password.

    Raises ValueError where real people might be.
    """
    if not is_loopback(setting("PUBLIC_URL")) or setting("EMAIL_BACKEND") != "mailbox":
        raise ValueError("Invented people are for a try-out on this machine, with the mailbox.")
    if people.find(DEMO) is None:
        _invent()
    return _tickets()


def _invent() -> None:
    unusable = hashing.make(secrets.token_hex(16))
    everybody = [*CAST, *crowd.people(CROWD)]
    shown = {number: _painted(number) for number in range(SHOWN) if number % 3 == 0}
    with transaction():
        there = [_add(each, number, unusable) for number, each in enumerate(everybody)]
        for number, person in enumerate(there):
            person.picture_name = shown.get(number)
        db.session.flush()
        helpful = [each for each in there if roles.may(each, "people:recover")]
        history.invent(there, helpful)
        _invite(next(each for each in helpful if each.role == roles.ADMIN))


def _invite(admin: Person) -> None:
    """Somebody who has not joined yet."""
    guest = people.add(GUEST, "", roles.chosen(), hashing.unusable())
    invitation = invitations.open_(guest, roles.SUPPORT, By(admin.id, device="Firefox on Linux"))
    outbox.put(messages.staff_invitation, invitation.challenge_id, guest.id)


def _painted(number: int) -> str:
    name = stores.new_name()
    stores.save(name, pictures.make(portraits.paint(number), ""))
    return name


def _add(invented: Invented, number: int, unusable: str) -> Person:
    role = STAFF.get(invented.email, "user")
    person = people.add(invented.email, invented.full_name, role, unusable)
    since = _since(number)
    person.created_at = person.email_proven_at = person.password_changed_at = since
    kept = {section: getattr(invented, section) for section in SECTIONS}
    db.session.add(Profile(person_id=person.id, links=_links(number), **kept))
    if number >= len(CAST):
        desk.own_standing(person, number)
    return person


def _tickets() -> Tickets:
    """One password for all that are shown; who helps others needs a second step as well."""
    password = "-".join(secrets.token_hex(3) for _ in range(4))
    password_hash, codes = hashing.make(password), {}
    with transaction():
        for email in DEMO, *STAFF:
            if (person := people.find(email)) is not None:
                person.password_hash = password_hash
        for email in STAFF:
            if (person := people.find(email)) is not None:
                person.two_step_at = person.two_step_at or clock.now()
                codes[email] = backups.issue(person)[0]
    return Tickets(password, codes)


def _since(number: int) -> datetime:
    return clock.now() - timedelta(days=max(33, OLDEST - 29 * number % 367))


def _links(number: int) -> dict[str, str]:
    return {"website": f"https://person{number}.example"} if number % 2 == 0 else {}
