"""Guarding the account."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import attempts, passwords, people, sessions
from portal.accounts.models import Person, Session
from portal.codes import challenges
from portal.core import clock, phrases
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, Rejected, TooSoon


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
        take(_given, change.old)
        accepted = take(passwords.acceptable, change.new)
        take(passwords.repeated, change.new, change.again)
    kept_hash = session.person.password_hash
    _check(session.person, change.old or "", change.device, by)
    candidate = passwords.prepare(session.person, accepted)
    with transaction():
        person = people.lock(session.person_id)
        if person.password_hash != kept_hash:
            raise _wrong("old_password")
        others = sessions.count(person.id) - 1
        passwords.replace(person, candidate, by, but_session=session.id)
        challenges.end_all(person.id)
        return sessions.renew(session), max(0, others)


def _check(person: Person, typed: str, device: str | None, by: By) -> None:
    """Whether somebody who is signed in knows the password; counted like signing in."""
    try:
        if attempts.right(typed, person, person.email_key, device, by):
            return
    except TooSoon as wait:
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        words = _("Too many wrong passwords. You can try again in %(span)s.", span=span)
        raise TooSoon(wait.retry_at, words) from None
    raise _wrong("old_password")


def live_sign_ins(person: Person) -> int:
    """In how many browsers the person is signed in."""
    return sessions.count(person.id)


def _given(old: str | None) -> None:
    if not old:
        raise Rejected("old_password", "empty", _("Enter your current password"))


def _wrong(field: str) -> Rejected:
    return Rejected(field, "mismatch", _("That is not your current password"))
