"""What the helpdesk did in an invented month."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from portal.accounts import blocks, deletion
from portal.accounts.models import Person
from portal.core import clock
from portal.demo import chance, past
from portal.demo.past import Happened, Help, Lost

REASONS = (
    "Code ran out before it could be typed", "New phone, mail arrives late",
    "Back from leave, does not remember the password", "Typed an old password too often",
)  # fmt: skip
BLOCKED = (
    "Owner reported a stolen phone", "Links in the profile lead to spam", "Left the organisation",
)  # fmt: skip
VERIFIED = (
    "Called back on the number we hold", "Answered from their work account",
    "Showed identity in person",
)  # fmt: skip
RARELY = 0.03
KEPT_OUT = "sign-in:kept-out"


def hand(staff: list[Person], *about: object, reasons: tuple[str, ...] = REASONS) -> Help:
    """A colleague with what they wrote down."""
    return Help(
        chance.pick(staff, "who", *about).id,
        chance.pick(reasons, "reason", *about),
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
        by = hand(staff, "block", person.id, reasons=BLOCKED)
        yield looked_at(person, at, by)
        change = f"{blocks.change(blocks.NO, person)}, sign-ins: 1 to 0"
        yield Happened("account:blocked", person, at, change, by=by)
    elif luck < RARELY:
        yield from _waiting(person, at, by)


def _waiting(person: Person, at: datetime, by: Help) -> Iterator[Happened]:
    """An old password ten times over, and a call to the helpdesk."""
    for number in range(10):
        yield Happened("sign-in:refused", person, at - timedelta(seconds=600 - 20 * number))
    tried = ((KEPT_OUT, ()),) * 3
    yield Happened("", None, at - timedelta(seconds=390), counts=tried)
    yield looked_at(person, at, by)
    yield Happened("account:throttles-cleared", person, at, "counts: 2 to 0", by=by)


def own_standing(person: Person, number: int) -> None:
    """Some have not proven their address, some use two steps, and two want to leave."""
    if number % 61 == 5:
        person.email_proven_at = None
    elif number % 9 == 2:
        since = max(33, 400 - number) if number % 4 else number % 28 + 1
        person.two_step_at = clock.now() - timedelta(days=since, hours=2)
    elif number % 241 == 17:
        deletion.mark(person, person.id)
        person.deleted_at = clock.now() - timedelta(days=3)
    if number % 5 == 0:
        person.phone = f"+447700900{number % 1000:03}"  # kept for stories (Ofcom)


def own_acts(person: Person, now: datetime) -> Iterator[Happened]:
    """What they did about it themselves, as far as that is a month ago at most."""
    if person.two_step_at and person.two_step_at > now - timedelta(days=past.DAYS):
        yield Happened("two-step:on", person, person.two_step_at)
    if person.deleted_at:
        yield Happened("account:delete-asked", person, person.deleted_at, "1")
