"""A circuit breaker a channel: after faults in a row its messages wait, and one probes the way.

Steps of the caller's transaction.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, or_, select, update
from sqlalchemy.orm import Session

from portal.core import clock
from portal.core.db import after_commit, changed
from portal.core.rows import heard
from portal.core.worded import Worded
from portal.delivery.models import Breaker, Outgoing
from portal.delivery.outcomes import NotAccepted

log = logging.getLogger("latchkey.delivery")
ROAD, MESSAGE = "road", "message"  # how far the way is broken: up to the recipient, or behind
FAULTS = 2  # in a row, before a channel rests: one connection may always be lost
PROBE = timedelta(seconds=5)
CHUNK = 500  # ids in a statement


@dataclass(frozen=True)
class Health:
    """How a channel was doing when a message of it was claimed."""

    channel: str
    faults: int
    broken: str
    opened_at: datetime | None


# Whether a broken way may be probed again, at these `moments`; a clock that was set back delays
# nothing.
MAY_PROBE = or_(Breaker.probe_at <= bindparam("now"), Breaker.probe_at > bindparam("probe_far"))

_OF_CHANNEL = update(cast(Table, Breaker.__table__)).where(Breaker.channel == bindparam("which"))
_PROBE = Worded(_OF_CHANNEL.where(MAY_PROBE).values(probe_at=bindparam("until")))


def moments(now: datetime) -> dict[str, datetime]:
    """What MAY_PROBE asks for."""
    return {"now": now, "probe_far": now + PROBE + clock.SLACK}


def take_probe(session: Session, channel: str) -> bool:
    """True for exactly one of those who would probe now."""
    now = clock.now()
    ours = {"which": channel, "until": now + PROBE, **moments(now)}
    return heard(session, _PROBE, ours) == 1


def failed(session: Session, channel: str, err: NotAccepted) -> None:
    """Something is wrong with the transport: one fault more."""
    breaker = session.get_one(Breaker, channel, with_for_update=True, populate_existing=True)
    breaker.faults += 1
    if breaker.faults < FAULTS:
        return
    now = clock.now()
    if not breaker.broken:
        breaker.opened_at, breaker.probe_at = now, now + PROBE
        say = f"{channel} waits: {err}; one message every {PROBE.seconds} s tries again"
        after_commit(lambda: log.warning(say))
    breaker.broken = MESSAGE if err.walked else ROAD


def worked(session: Session, health: Health, proven: str) -> None:
    """It works, up to the recipient (ROAD) or altogether (MESSAGE).

    When that closes the breaker, all that waits is due.
    """
    enough = proven == MESSAGE or (proven == ROAD and health.broken == ROAD)
    if not health.faults or not enough:
        return
    now = clock.now()
    closed = update(Breaker).where(Breaker.channel == health.channel, Breaker.faults > 0)
    closed = closed.values(faults=0, broken="", opened_at=None, probe_at=None)
    if not changed(session, closed) or not health.broken:
        return
    due = _make_due(session, health.channel, now)
    seconds = (now - (health.opened_at or now)).total_seconds()
    say = f"{health.channel} works again after {seconds:.0f} s; {due} postponed messages are due"
    after_commit(lambda: log.warning(say))


def _make_due(session: Session, channel: str, now: datetime) -> int:
    """All that waits, but for rows that somebody holds: those are tried already."""
    waiting = (Outgoing.channel == channel, Outgoing.done_at.is_(None), Outgoing.due_at > now)
    found = select(Outgoing.id).where(*waiting).with_for_update(skip_locked=True)
    ids = session.scalars(found).all()
    for start in range(0, len(ids), CHUNK):
        some = update(Outgoing).where(Outgoing.id.in_(ids[start : start + CHUNK]))
        changed(session, some.values(due_at=now).execution_options(synchronize_session=False))
    return len(ids)
