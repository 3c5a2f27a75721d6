"""Guarding the account."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import hashing, passwords, people, sending, sessions
from portal.accounts.models import Person, Session
from portal.codes import challenges
from portal.core import clock, phrases, throttle
from portal.core.audit import By
from portal.core.db import release, transaction
from portal.core.errors import Gather, Rejected, TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit


@dataclass(frozen=True)
class Change:
    """What was typed to change the password; `again` None where the door does not ask twice."""

    old: str | None
    new: str | None
    again: str | None


def change_password(session: Session, change: Change, by: By) -> tuple[str, int]:
    """A new password for the person of this sign-in; the person's others end.

    -> this sign-in's new secret, and how many others ended.  Raises Several, Rejected or TooSoon.
    """
    with Gather() as take:
        take(_given, change.old)
        accepted = take(passwords.acceptable, change.new)
        take(passwords.repeated, change.new, change.again)
    kept_hash = session.person.password_hash
    check_password(session.person, change.old or "", "old_password", by)
    candidate = passwords.prepare(session.person, accepted)
    with transaction():
        person = people.lock(session.person_id)
        if person.password_hash != kept_hash:
            raise _wrong("old_password")
        others = sessions.count(person.id) - 1
        passwords.replace(person, candidate, by, but_session=session.id)
        challenges.end_all(person.id)
        return sessions.renew(session), max(0, others)


def check_password(person: Person, typed: str, field: str, by: By) -> None:
    """Whether somebody who is signed in knows the password; counted like signing in.

    Raises Rejected, TooSoon.
    """
    times, seconds = (
        setting("WRONG_PASSWORDS_PER_ACCOUNT"),
        setting("WRONG_PASSWORDS_PER_ACCOUNT_SECONDS"),
    )
    whose, _account = sending.subjects(person, person.email_key)
    limits = [Limit(f"wrong password {by.network}", whose, times, seconds)]
    try:
        throttle.spend(limits)
    except TooSoon as wait:
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        words = _("Too many wrong passwords. You can try again in %(span)s.", span=span)
        raise TooSoon(wait.retry_at, words) from None
    release()
    if len(typed) > setting("PASSWORD_MAX_LENGTH") or not hashing.fits(typed, person.password_hash):
        raise _wrong(field)
    throttle.refund(limits)


def live_sign_ins(person: Person) -> int:
    """In how many browsers the person is signed in."""
    return sessions.count(person.id)


def _given(old: str | None) -> None:
    if not old:
        raise Rejected("old_password", "empty", _("Enter your current password"))


def _wrong(field: str) -> Rejected:
    return Rejected(field, "mismatch", _("That is not your current password"))
