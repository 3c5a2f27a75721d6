"""Showing a second factor: what signing in, confirming and changing it have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from portal.accounts import attempts, people, sessions
from portal.accounts.models import Person, Session
from portal.core import audit, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, Rejected
from portal.security import factors
from portal.security.service import knowing

REFUSED = "second-step:refused"
WRONG = factors.FIELD, factors.WRONG  # a right code that comes again was no guess


@dataclass(frozen=True)
class Proof:
    """What was typed to change the second factor; `device`: by which the browser is known."""

    password: str | None
    code: str | None
    device: str | None = None


@contextmanager
def counted(person: Person, device: str | None, place: str, by: By) -> Iterator[None]:
    """What is shown within counts beforehand; a right one gives its turn back.

    A wrong one is noted with its `place` (of `factors`), and tells the owner when it was one too
    many.  Raises TooSoon.
    """
    limits = factors.spend(person, device)
    try:
        yield
    except Rejected as refused:
        if (refused.field, refused.code) != WRONG:
            throttle.refund(limits)
        if refused.field == factors.FIELD:
            _note(person, refused.code, place, by)
        raise
    throttle.refund(limits)


@contextmanager
def both(session: Session, proof: Proof, by: By) -> Iterator[Person]:
    """Inside, password and second factor were right, and the person is locked in a transaction.

    Raises Several, Rejected or TooSoon.
    """
    with Gather() as take:
        typed = take(attempts.given, "password", proof.password)
        given = take(factors.either, proof.code)
    kept_hash = session.person.password_hash
    knowing.check("password", typed, session.person, proof.device, by)
    with counted(session.person, proof.device, factors.INSIDE, by), transaction():
        person = people.lock(session.person_id)
        sessions.still(by)
        if person.password_hash != kept_hash:
            raise attempts.mismatch("password")
        factors.take(person, given)
        yield person


def _note(person: Person, code: str, place: str, by: By) -> None:
    with transaction():
        event = audit.record(REFUSED, person.id, by, detail=factors.refusal(code, place))
        if code == factors.WRONG:
            factors.alarm(person, event, place)
