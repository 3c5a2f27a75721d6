"""What the operator and the helpdesk do to somebody's standing."""

from flask_babel import gettext as _

from portal.accounts import attention, blocks, deletion, messages, people, roles, sessions
from portal.accounts.models import Person
from portal.codes import challenges
from portal.core import audit, clock, phrases
from portal.core.audit import By, Event
from portal.core.db import transaction
from portal.core.errors import Gather, Rejected
from portal.delivery import outbox


def block(person: Person, actor: Person | None, by: By, until: str | None = None) -> None:
    """Nobody signs in to this account any more: sign-ins end, open codes and links die.

    `until`: a date or a moment at which that ends by itself; the person is told.  Raises Forbidden,
    NotAllowed, Several, or Rejected when it is blocked already or would take the last admin away.
    """
    roles.require(actor, "people:block", over=person)
    with Gather() as take:
        by, end = attention.gathered(by, take), take(blocks.until, until)
    with transaction():
        locked = attention.turn_on_admins(person, actor, "people:block", by)
        if locked.is_blocked:
            raise _blocked_already(locked)
        before = blocks.state(locked)
        locked.blocked_at, locked.blocked_until = clock.now(), end
        ended = sessions.end_all(locked.id)
        challenges.end_all(locked.id)
        change = f"{blocks.change(before, locked)}, sign-ins: {ended} to 0"
        event = audit.record(messages.BLOCKED, locked.id, by, detail=change)
        outbox.put(messages.blocked_by_support, event, locked.id)


def _blocked_already(person: Person) -> Rejected:
    """By whom and since when; the words for a block of which nothing is on record know less."""
    event = attention.last(person.id, Event.kind == messages.BLOCKED)
    since = phrases.moment(person.blocked_at or clock.now())
    if event is None:
        words = _("This account is blocked already, since %(since)s.", since=since)
    else:
        by = attention.who(event)
        words = _("This account is blocked already, by %(who)s, since %(at)s.", who=by, at=since)
    return Rejected(None, "blocked-already", words)


def unblock(person: Person, actor: Person | None, by: By) -> None:
    """The account can be used again, with its password as before; the person is told.

    Raises Forbidden, NotAllowed, Several, or Rejected when it is not blocked (any more).
    """
    roles.require(actor, "people:block", over=person)
    by = attention.accounted(by)
    with transaction():
        locked = attention.turn(person, actor, "people:block", by)
        if not locked.is_blocked:
            raise _not_blocked(locked)
        before = blocks.state(locked)
        locked.blocked_at = locked.blocked_until = None
        change = blocks.change(before, locked)
        event = audit.record(messages.UNBLOCKED, locked.id, by, detail=change)
        outbox.put(messages.unlocked_by_support, event, locked.id)


def _not_blocked(person: Person) -> Rejected:
    event = attention.last(person.id, Event.kind == messages.UNBLOCKED)
    words = _("This account is not blocked.")
    return Rejected(None, "not-blocked", f"{words} {attention.told(event)}" if event else words)


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
