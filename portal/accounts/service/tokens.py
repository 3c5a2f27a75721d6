"""Signing in for a program: by password, and on with a refresh token."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import hashing, messages, people, programs, roles, sessions
from portal.accounts.entry import Half
from portal.accounts.models import Person, SessionSecret
from portal.accounts.programs import Program
from portal.accounts.service import credentials
from portal.accounts.service.credentials import Typed
from portal.codes.terms import Terms
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected, SecondStepNeeded, Unauthenticated
from portal.delivery import outbox


@dataclass(frozen=True)
class Manner:
    """What the door decides: terms of a fresh proof (None: who is not proven gets in as well),
    the only role that is let in ("": any), whether there is a refresh token, and whether a code
    for a second step came along.
    """

    proof: Terms | None
    role: str = ""
    refreshing: bool = True
    code: bool = False


def sign_in(typed: Typed, manner: Manner, by: By) -> Program | Half:
    """Half a sign-in where the account asks for a second factor.

    Raises Rejected alike for every mismatch, KeptOut after too many.

    Only after the right password: Rejected (code `role`, `blocked`, `held`, `deleted`, `set-up`),
    NotProven, SecondStepNeeded.
    """
    person = credentials.whose(typed, by)
    _check(person, manner, by)
    kept_hash = person.password_hash
    fresh = hashing.renewed(typed.password or "", kept_hash)
    with transaction():
        person = people.lock(person.id)
        if person.password_hash == kept_hash and person.may_enter and not person.is_shut:
            person.password_hash = fresh
            return _begun(person, manner, by)
    raise credentials.mismatch(person, person.email_key, by)  # a reset or a block was quicker


def _check(person: Person, manner: Manner, by: By) -> None:
    """The password was right; whether this door lets the person in."""
    if manner.role and person.role != manner.role:
        raise Rejected(None, "role", _("This account has another role."))
    credentials.check_standing(person)
    _check_factor(person)
    if manner.proof is not None:
        credentials.check_proof(person, manner.proof, by)


def _begun(person: Person, manner: Manner, by: By) -> Program | Half:
    if person.two_step_at is not None:
        if not manner.code:
            way = _("Send a code from the app, or a backup code.")
            raise SecondStepNeeded(f"{_('This account asks for a second step.')} {way}")
        return Half(sessions.begin_half(person, False, by))
    proven = person.email_proven_at is not None
    return programs.begin(person, manner.refreshing and proven, by, news=proven)


def _check_factor(person: Person) -> None:
    """Who helps others has a second factor, and sets it up in a browser.  Raises Rejected."""
    if roles.is_staff(person) and person.two_step_at is None:
        words = _("Staff need two-step sign-in. Sign in on the page once to set it up.")
        raise Rejected(None, "set-up", words)


def refresh(token: str, by: By) -> Program:
    """The next refresh token for the same sign-in; the one given is used up.

    One that was used before is a thief's, or its owner's after a thief: the sign-in ends for both.
    Raises Unauthenticated.
    """
    row = _own(token)
    with transaction():
        person = people.lock(row.session.person_id)
        row = _own(token)  # once more: another request may have been quicker
        fresh = _turned(row, person, by)
    if fresh is None:
        raise _dead()
    return Program(row.session, fresh)


def revoke(token: str, by: By) -> None:
    """Ends the sign-in of a refresh token, used or not; one that is nobody's ends nothing."""
    row = programs.of_refresh(token)
    if row is None:
        return
    with transaction():
        sessions.end(row.session)
        audit.record("sign-in:ended", row.session.person_id, by)


def _own(token: str) -> SessionSecret:
    row = programs.of_refresh(token)
    if row is None:
        raise _dead()
    return row


def _turned(row: SessionSecret, person: Person, by: By) -> str | None:
    if not sessions.is_live(row.session):
        return None
    fresh = programs.turn(row)
    if fresh is None:
        sessions.end(row.session)
        event = audit.record("tokens:reused", person.id, by)
        outbox.put(messages.refresh_reused, event, person.id)
    return fresh


def _dead() -> Unauthenticated:
    words = _("This refresh token has been used, has run out, or was revoked. Sign in again.")
    return Unauthenticated("invalid", words)
