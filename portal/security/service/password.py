"""Changing the password."""

from dataclasses import dataclass

from portal.accounts import attempts, passwords, people, sessions
from portal.accounts.models import Person, Session
from portal.codes import challenges
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather

FIELD = "old_password"


@dataclass(frozen=True)
class Change:
    """What was typed to change the password; `again` None where the door does not ask twice.

    `device` is the token by which the browser is known.
    """

    old: str | None
    new: str | None
    again: str | None
    device: str | None = None


def change_password(session: Session, change: Change, by: By) -> tuple[str, int]:
    """A new password for the person of this sign-in; the person's others end.

    -> this sign-in's new secret, and how many others ended.  Raises Several, Rejected or TooSoon.
    """
    with Gather() as take:
        old = take(attempts.given, FIELD, change.old)
        accepted = take(passwords.acceptable, change.new)
        take(passwords.repeated, change.new, change.again)
    kept_hash = session.person.password_hash
    attempts.again(FIELD, old, session.person, change.device, by)
    candidate = passwords.prepare(session.person, accepted)
    with transaction():
        person = people.lock(session.person_id)
        if person.password_hash != kept_hash:
            raise attempts.mismatch(FIELD)
        others = sessions.count(person.id) - 1
        passwords.replace(person, candidate, by, but_session=session.id)
        challenges.end_all(person.id)
        return sessions.renew(session), max(0, others)


def live_sign_ins(person: Person) -> int:
    """In how many browsers the person is signed in."""
    return sessions.count(person.id)
