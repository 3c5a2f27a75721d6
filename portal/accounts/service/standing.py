"""What the operator, and later support, does to somebody's standing."""

from portal.accounts import devices, people, roles, sending, sessions
from portal.accounts.models import Person
from portal.codes import challenges, guesses
from portal.core import audit, clock, throttle
from portal.core.audit import By
from portal.core.db import transaction


def block(person: Person, actor: Person | None, by: By) -> None:
    """Nobody signs in to this account any more: sign-ins end, open codes and links die.

    Raises NotAllowed.
    """
    roles.require(actor, "people:block", over=person)
    with transaction():
        locked = people.lock(person.id)
        locked.blocked_at = locked.blocked_at or clock.now()
        ended = sessions.end_all(person.id)
        challenges.end_all(person.id)
        audit.record("account:blocked", person.id, by, detail=ended)


def unblock(person: Person, actor: Person | None, by: By) -> None:
    """The account can be used again, with its password as before.  Raises NotAllowed."""
    roles.require(actor, "people:block", over=person)
    with transaction():
        people.lock(person.id).blocked_at = None
        audit.record("account:unblocked", person.id, by)


def clear_throttles(person: Person, actor: Person | None, by: By) -> None:
    """Forgets the person's waiting times: messages sent, wrong codes, wrong passwords.

    Raises NotAllowed.
    """
    roles.require(actor, "people:clear-throttles", over=person)
    key = person.email_key
    codes = guesses.subjects(challenges.typed_hash(key), person.id)
    with transaction() as session:
        whose = (*sending.subjects(person, key), *codes, *devices.subjects(person))
        throttle.clear(session, whose)
        audit.record("account:throttles-cleared", person.id, by)
