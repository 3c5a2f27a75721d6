"""Showing a second factor: what signing in, confirming and changing it have in common."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from portal.accounts import attempts, people, sessions
from portal.accounts.models import Person, Session
from portal.core import audit, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, Rejected
from portal.core.throttle import Limit
from portal.security import factors
from portal.security.service import knowing

REFUSED = "second-step:refused"


@dataclass(frozen=True)
class Proof:
    """What was typed to change the second factor; `device`: by which the browser is known."""

    password: str | None
    code: str | None
    device: str | None = None


@contextmanager
def counted(person: Person, device: str | None, by: By) -> Iterator[None]:
    """What is shown within counts beforehand; a right one gives its turn back.

    A wrong one is noted, and tells the owner when it was one too many.  Raises TooSoon.
    """
    limits = factors.spend(person, device)
    try:
        yield
    except Rejected as refused:
        _note(person, refused, limits, by)
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
    with counted(session.person, proof.device, by), transaction():
        person = people.lock(session.person_id)
        sessions.still(by)
        if person.password_hash != kept_hash:
            raise attempts.mismatch("password")
        factors.take(person, given)
        yield person


def _note(person: Person, refused: Rejected, limits: Sequence[Limit], by: By) -> None:
    """A right code that came again was no guess: it costs no turn."""
    wrong = (refused.field, refused.code) == (factors.FIELD, factors.WRONG)
    if not wrong:
        throttle.refund(limits)
    with transaction():
        event = audit.record(REFUSED, person.id, by, detail=refused.code)
        if wrong:
            factors.alarm(person, event)
