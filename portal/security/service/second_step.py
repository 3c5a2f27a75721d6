"""The second step of signing in: half a sign-in is made a whole one, under a new secret."""

from dataclasses import replace

from flask_babel import gettext as _

from portal.accounts import entry, people, programs, sessions
from portal.accounts.entry import SignedIn
from portal.accounts.models import Person, Session
from portal.accounts.programs import Program
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected, Unauthenticated
from portal.delivery import outbox
from portal.security import backups, factors, messages
from portal.security.factors import Given
from portal.security.service import showing


def by_app(half: Session, code: str | None, device: str | None, by: By) -> SignedIn:
    """In a browser, with a code from the app.

    `device` is the token by which the browser is known.  Raises Rejected, TooSoon, and
    Unauthenticated once the half is over.
    """
    return _complete(half, factors.app_code(code), device, by)


def by_backup_code(half: Session, code: str | None, device: str | None, by: By) -> SignedIn:
    """The same with a backup code; the person is told that one was used."""
    return _complete(half, factors.backup_code(code), device, by)


def for_program(half_secret: str, code: str, refreshing: bool, by: By) -> Program:
    """For a program, with either; the half is that of a password that was right a moment ago.

    Raises Rejected (code `mismatch` or `used`), TooSoon, Unauthenticated.
    """
    half, given = sessions.of_half(half_secret), _read(code)
    if half is None:
        raise _over()
    with showing.counted(half.person, None, factors.SIGNING_IN, by), transaction():
        person = _taken(half, given, by)
        if person.is_shut:
            raise _over()
        return programs.begin(person, refreshing, by)


def left(person: Person) -> int:
    """How many backup codes the person has."""
    return backups.left(person)


def few() -> int:
    """From how many on the person is told."""
    return backups.FEW


def _complete(half: Session, given: Given, device: str | None, by: By) -> SignedIn:
    with showing.counted(half.person, device, factors.SIGNING_IN, by), transaction():
        person = _taken(half, given, by)
        return entry.complete(person, half.kept, device, by, given.how)


def _taken(half: Session, given: Given, by: By) -> Person:
    """Under the person's lock; a reset, a block or another browser may have been quicker."""
    person = people.lock(half.person_id)
    sessions.still(replace(by, session_id=half.id))
    if not person.may_enter or person.two_step_at is None:
        raise _over()
    factors.take(person, given)
    sessions.end(half)
    if given.how == factors.BACKUP:
        event = audit.record("backup-code:used", person.id, by, detail=backups.left(person))
        outbox.put(messages.backup_code_used, event, person.id)
    return person


def _read(code: str) -> Given:
    """To a program what cannot be a code is as wrong as any other."""
    try:
        return factors.either(code)
    except Rejected as refused:
        raise Rejected(factors.FIELD, factors.WRONG, refused.message) from None


def _over() -> Unauthenticated:
    return Unauthenticated("ended", _("The sign-in has ended."))
