"""A circuit breaker a channel: after faults in a row its messages wait, and one probes the way.

Steps of the caller's transaction.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, update
from sqlalchemy.orm import Session

from portal.core import clock
from portal.core.db import after_commit, changed
from portal.delivery.models import Breaker, Outgoing
from portal.delivery.outcomes import NotAccepted

log = logging.getLogger("latchkey.delivery")
ROAD, MESSAGE = "road", "message"  # how far the way is broken: up to the recipient, or behind
FAULTS = 2  # in a row, before a channel rests: one connection may always be lost
PROBE = timedelta(seconds=5)


@dataclass(frozen=True)
class Health:
    """How a channel was doing when a message of it was claimed."""

    channel: str
    faults: int
    broken: str
    opened_at: datetime | None


def health(breaker: Breaker) -> Health:
    """As it is now, whatever becomes of the row."""
    return Health(breaker.channel, breaker.faults, breaker.broken, breaker.opened_at)


def may_probe() -> ColumnElement[bool]:
    """Whether a broken way may be probed again; a clock that was set back delays nothing."""
    now = clock.now()
    return or_(Breaker.probe_at <= now, Breaker.probe_at > now + PROBE + clock.SLACK)


def take_probe(session: Session, channel: str) -> bool:
    """True for exactly one of those who would probe now."""
    mine = update(Breaker).where(Breaker.channel == channel, may_probe())
    return changed(session, mine.values(probe_at=clock.now() + PROBE)) == 1


def failed(session: Session, channel: str, err: NotAccepted) -> None:
    """Something is wrong with the transport: one fault more."""
    breaker = session.get_one(Breaker, channel, with_for_update=True, populate_existing=True)
    breaker.faults += 1
    if breaker.faults < FAULTS:
        return
    now = clock.now()
    if not breaker.broken:
        breaker.opened_at = now
        say = f"{channel} waits: {err}; one message every {PROBE.seconds} s tries again"
        after_commit(lambda: log.warning(say))
    breaker.broken = MESSAGE if err.walked else ROAD
    breaker.probe_at = now + PROBE


def worked(session: Session, health: Health, proven: str) -> None:
    """It works, up to the recipient (ROAD) or altogether (MESSAGE).

    When that closes the breaker, all that waits is due.
    """
    if not health.faults or (health.broken == MESSAGE and proven != MESSAGE):
        return
    now = clock.now()
    closed = update(Breaker).where(Breaker.channel == health.channel, Breaker.faults > 0)
    closed = closed.values(faults=0, broken="", opened_at=None, probe_at=None)
    if not changed(session, closed) or not health.broken:
        return
    rest = update(Outgoing).where(Outgoing.channel == health.channel, Outgoing.done_at.is_(None))
    due = changed(session, rest.where(Outgoing.due_at > now).values(due_at=now))
    seconds = (now - (health.opened_at or now)).total_seconds()
    say = f"{health.channel} works again after {seconds:.0f} s; {due} postponed messages are due"
    after_commit(lambda: log.warning(say))
