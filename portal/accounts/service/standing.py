"""What the operator, and later support, does to somebody's standing."""

from collections.abc import Iterator

from portal.accounts import (
    deletion,
    devices,
    messages,
    names,
    people,
    phones,
    roles,
    sending,
    sessions,
)
from portal.accounts.models import Person
from portal.codes import challenges, guesses
from portal.core import audit, clock, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.delivery import outbox


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
    """The account can be used again, with its password as before; the person is told.

    Raises NotAllowed.
    """
    roles.require(actor, "people:block", over=person)
    with transaction():
        people.lock(person.id).blocked_at = None
        event = audit.record(messages.UNBLOCKED, person.id, by)
        outbox.put(messages.unlocked_by_support, event.id, person.id)


def delete(person: Person, actor: Person | None, by: By) -> None:
    """The account cannot be used any more; its row stays until it is purged.

    Raises NotAllowed.
    """
    roles.require(actor, "people:block", over=person)
    with transaction():
        locked = people.lock(person.id)
        deletion.mark(locked, by.person_id)
        ended = sessions.end_all(person.id)
        challenges.end_all(person.id)
        audit.record("account:deleted", person.id, by, detail=ended)


def restore(person: Person, actor: Person | None, by: By) -> None:
    """A deleted account that is still there can be used again.  Raises NotAllowed."""
    roles.require(actor, "people:block", over=person)
    with transaction():
        deletion.undo(people.lock(person.id))
        audit.record("account:restored", person.id, by)


def change_role(person: Person, role: str, actor: Person | None, by: By) -> None:
    """Another role: every sign-in ends, so that none is left with the rights of before.

    Raises NotAllowed, or Rejected for what is no role.
    """
    roles.require(actor, "staff:change", over=person)
    wanted = roles.known(role)
    with transaction():
        locked = people.lock(person.id)
        before, locked.role = locked.role, wanted
        sessions.end_all(person.id)
        audit.record("account:role-changed", person.id, by, detail=f"{before} to {wanted}")


def clear_throttles(person: Person, actor: Person | None, by: By) -> None:
    """Forgets the person's waiting times: messages sent, wrong codes, wrong passwords.

    The person is told.  Raises NotAllowed.
    """
    roles.require(actor, "people:clear-throttles", over=person)
    with transaction() as session:
        throttle.clear(session, [*_subjects(person), *devices.subjects(person)])
        event = audit.record("account:throttles-cleared", person.id, by)
        outbox.put(messages.unlocked_by_support, event.id, person.id)


def _subjects(person: Person) -> Iterator[str]:
    """Under which names messages and wrong codes of this person are counted."""
    numbers = [each for each in (person.phone, person.phone_wanted) if each]
    called = [names.key(person.username)] if person.username else []
    for key in [person.email_key, *called, *map(phones.key, numbers)]:
        yield sending.subject(key)
        yield guesses.subject(challenges.typed_hash(key))
    for number in numbers:
        yield guesses.subject(challenges.typed_hash(phones.own_key(number, person.id)))
