"""What the helpdesk did in an invented month."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from portal.accounts import deletion
from portal.accounts.models import Person
from portal.core import clock
from portal.demo import chance, past
from portal.demo.past import Happened, Help, Lost

REASONS = (
    "Code ran out before it could be typed", "New phone, mail arrives late",
    "Back from leave, does not remember the password", "Typed an old password too often",
)  # fmt: skip
VERIFIED = (
    "Called back on the number we hold", "Answered from their work account",
    "Showed identity in person",
)  # fmt: skip
RARELY = 0.03


def hand(staff: list[Person], *about: object) -> Help:
    """A colleague with what they wrote down."""
    return Help(
        chance.pick(staff, "who", *about).id,
        chance.pick(REASONS, "reason", *about),
        f"HD-{20000 + chance.number('ticket', *about) % 900}",
        chance.pick(VERIFIED, "verified", *about),
    )


def looked_at(person: Person, at: datetime, by: Help) -> Happened:
    """Before anything is done, the person's page is opened."""
    return Happened("desk:opened", person, at - timedelta(minutes=3), by=Help(by.actor_id))


def helped(lost: Lost, staff: list[Person]) -> Lost | None:
    """Who did not get in rings the helpdesk, sometimes."""
    about = lost.person.id, lost.asked.isoformat()
    if lost.finished or chance.share("rings", *about) > 0.3:
        return None
    return past.helped(lost, hand(staff, *about))


def kept_out(person: Person, staff: list[Person], now: datetime) -> Iterator[Happened]:
    """A few are blocked, one of them for a week; some have their waiting times ended."""
    by, luck = hand(staff, "block", person.id), chance.share("standing", person.id)
    at = past.moment(now, 1 + chance.number("day", person.id) % 20, "standing", person.id)
    if luck < RARELY / 3:
        person.blocked_at = at
        person.blocked_until = now + timedelta(days=7) if luck < RARELY / 9 else None
        yield from (looked_at(person, at, by), Happened("account:blocked", person, at, by=by))
    elif luck < RARELY:
        yield looked_at(person, at, by)
        yield Happened("account:throttles-cleared", person, at, by=by)


def own_standing(person: Person, number: int) -> None:
    """Some have not proven their address, some use two steps, and two want to leave."""
    if number % 61 == 5:
        person.email_proven_at = None
    elif number % 9 == 2:
        person.two_step_at = person.created_at + timedelta(days=40)
    elif number % 241 == 17:
        deletion.mark(person, person.id)
        person.deleted_at = clock.now() - timedelta(days=3)
