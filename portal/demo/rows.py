"""The rows that an invented past has left."""

import secrets
from datetime import datetime, timedelta

from portal.accounts import sessions
from portal.accounts.models import Person, Session
from portal.codes.models import DESK, EMAIL, PAGE, PASSWORD_RESET, Challenge
from portal.core import audit, crypto, tally
from portal.core.audit import Event
from portal.delivery.models import Outgoing
from portal.delivery.recipes import CODE
from portal.demo import chance
from portal.demo.past import DEVICES, Happened, Lost

NETWORK = "203.0.113.0/24"  # for examples (RFC 5737)
HALF_MINUTE, QUARTER, GRANT = 30, 900, timedelta(minutes=10)
TRIES = 5


def note(past: list[Happened]) -> None:
    """Chains and counts all of it, the oldest first.  A step of a transaction."""
    counts = []
    for each in sorted(past, key=lambda each: each.at):
        if each.kind:
            audit.add(_event(each), each.parts)
        counts += [(name, each.at.date(), parts) for name, parts in each.counts]
    tally.add(counts)


def device(person: Person) -> str:
    """What this person uses, always the same."""
    return chance.pick(DEVICES, "device", person.id)


def sign_in(person: Person, at: datetime, now: datetime) -> Session:
    """One that may still be good; nobody has the key to it."""
    return Session(
        kind=sessions.BROWSER,
        person=person,
        kept=True,
        device=device(person),
        network=NETWORK,
        started_at=at,
        seen_at=min(at + timedelta(hours=3), now),
        expires_at=at + timedelta(days=30),
    )


def wish(lost: Lost) -> Challenge:
    """What is kept of a way back in."""
    return Challenge(
        id=crypto.new_token(),
        purpose=PASSWORD_RESET,
        channel=lost.channel,
        door=DESK if lost.sent_by else PAGE,
        user_id=lost.person.id,
        typed_hash="",
        device=device(lost.person),
        code_seconds=HALF_MINUTE,
        max_attempts=TRIES,
        link_seconds=QUARTER,
        link_path="/recover/link/{token}" if lost.channel == EMAIL else "",
        opened_at=lost.asked,
        accepted_at=lost.accepted,
        seen_at=lost.opened,
        proven_at=lost.used,
        finished_at=lost.finished,
        closed_at=lost.finished or lost.asked + GRANT,
    )


def letter(lost: Lost, wish: Challenge) -> Outgoing:
    """Its message: accepted, or refused by the mail server."""
    ended = lost.accepted or lost.asked + timedelta(seconds=4)
    return Outgoing(
        recipe=_recipe(lost),
        about=wish.id,
        person_id=lost.person.id,
        channel=lost.channel,
        rank=CODE,
        created_at=lost.asked,
        due_at=lost.asked,
        tries=1,
        accepted_at=lost.accepted,
        done_at=ended,
        trouble="" if lost.accepted else "refused 550 5.2.2",
    )


def _recipe(lost: Lost) -> str:
    if lost.sent_by:
        return "recovery_by_support"
    return "recovery" if lost.channel == EMAIL else "recovery_sms"


def _event(each: Happened) -> Event:
    by, person = each.by, each.person
    own = person.id if person else None
    return Event(
        kind=each.kind,
        person_id=own,
        actor_id=by.actor_id if by else own,
        desk=by is not None,
        network="198.51.100.0/24" if by else NETWORK,
        device="Firefox on Linux" if by or person is None else device(person),
        verified_by=by.verified_by if by else "",
        reason=by.reason if by else "",
        ticket=by.ticket if by else "",
        detail=each.detail,
        request=secrets.token_hex(8) if by else "",
        at=each.at,
        mark="",
    )
