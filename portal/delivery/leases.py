"""Who works on which row.  A lease is short and renewed while its holder lives.

Steps of the caller's transaction, but for `renew`, which belongs to a thread of its own.
"""

import logging
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from portal.core import clock, crypto
from portal.core.db import at_once, db, release, straight
from portal.core.settings import hand_over_seconds
from portal.delivery import breakers
from portal.delivery.breakers import MESSAGE, ROAD, Health
from portal.delivery.models import Breaker, Outgoing, Turn

LEASE = timedelta(seconds=8)  # a dead holder's rows are free again after this time
RENEWED_EVERY = 2.0  # seconds
LONGEST_PAUSE = 600.0  # seconds between two tries of a message
FARTHEST = timedelta(seconds=2 * LONGEST_PAUSE)
STEP, CHECKED_EVERY = 2.0, 30.0  # seconds that clocks may differ by; how long that is believed
DELIVERY = "delivery"  # the turn of embedded workers
_held: dict[int, float] = {}  # rows that this process works on -> until when (monotonic) at most
_me: dict[int, str] = {}
_step: dict[int, tuple[float, float]] = {}  # when (monotonic) and by how much
log = logging.getLogger("latchkey.delivery")


def me() -> str:
    """This process; a forked child is somebody else."""
    return _me.setdefault(os.getpid(), crypto.new_token())


def waiting() -> bool:
    """Whether there may be something to claim: a look without a lock."""
    return db.session.execute(_next().limit(1)).first() is not None


@dataclass(frozen=True)
class Claim:
    """A row that is ours for now; `orphaned`: whoever had it before died with it."""

    id: int
    channel: str
    recipe: str
    about: str
    created_at: datetime
    trouble: str
    orphaned: bool
    health: Health


def claim(session: Session) -> Claim | None:
    """The next row, most urgent first, leased to this process."""
    wanted = _next().limit(1).with_for_update(skip_locked=True, of=Outgoing)
    found = session.execute(wanted.execution_options(populate_existing=True)).first()
    if found is None or not _may_probe(session, *found):
        return None
    row, breaker = found
    lease = {"lease": me(), "leased_until": clock.now() + LEASE, "tries": row.tries + 1}
    straight(session, update(Outgoing).where(Outgoing.id == row.id).values(lease))
    _held[row.id] = monotonic() + hand_over_seconds()
    return Claim(
        id=row.id,
        channel=row.channel,
        recipe=row.recipe,
        about=row.about,
        created_at=row.created_at,
        trouble=row.trouble,
        orphaned=row.leased_until is not None,
        health=breakers.health(breaker),
    )


def drop(row_id: int) -> None:
    """This process works on it no more, whatever became of the row."""
    _held.pop(row_id, None)


def renew() -> None:
    """Keeps what this process works on, and its turn, for another while."""
    now, until = monotonic(), clock.now() + LEASE
    alive = [row_id for row_id, longest in list(_held.items()) if longest > now]
    if alive:
        mine = (Outgoing.id.in_(alive), Outgoing.lease == me(), Outgoing.done_at.is_(None))
        at_once(update(Outgoing).where(*mine).values(leased_until=until))
    at_once(update(Turn).where(Turn.holder == me()).values(until=until))


def my_turn() -> bool:
    """Whether this process is the one of several that works; it becomes it when there is none."""
    now = clock.now()
    turn = db.session.get_one(Turn, DELIVERY, populate_existing=True)
    if turn.holder == me() and turn.until > now:
        return True
    free = or_(Turn.until <= now, Turn.holder == me(), Turn.until > now + LEASE + clock.SLACK)
    taken = update(Turn).where(Turn.name == DELIVERY, free)
    return at_once(taken.values(holder=me(), until=now + LEASE)) == 1


def in_step() -> bool:
    """Whether this machine's clock agrees with the database's, by which others lease."""
    checked_at, ahead = _step.get(os.getpid(), (-CHECKED_EVERY, 0.0))
    if monotonic() - checked_at >= CHECKED_EVERY:
        ahead = _seconds_ahead()
        _step[os.getpid()] = monotonic(), ahead
        if abs(ahead) > STEP:
            log.error("this clock is %.1f s ahead of the database's: nothing is sent here", ahead)
    return abs(ahead) <= STEP


def _seconds_ahead() -> float:
    """How far this clock is before the database server's; 0 where the database is a file."""
    release()  # now() is when the transaction began
    postgres = db.engine.dialect.name == "postgresql"
    theirs = db.session.scalar(select(func.now())) if postgres else None
    return (clock.now() - theirs).total_seconds() if theirs else 0.0


def pass_on() -> None:
    """Leaves the turn to whoever wants it next."""
    mine = update(Turn).where(Turn.name == DELIVERY, Turn.holder == me())
    at_once(mine.values(holder="", until=clock.now()))


def is_free() -> ColumnElement[bool]:
    """Rows that nobody works on."""
    now = clock.now()
    lapsed = or_(Outgoing.leased_until <= now, Outgoing.leased_until > now + LEASE + clock.SLACK)
    return or_(Outgoing.leased_until.is_(None), lapsed)


def _next() -> Select[Outgoing, Breaker]:
    wanted = select(Outgoing, Breaker).join(Breaker, Breaker.channel == Outgoing.channel)
    wanted = wanted.where(Outgoing.done_at.is_(None), is_free(), _passing())
    return wanted.order_by(Outgoing.rank, Outgoing.due_at, Outgoing.id)


def _passing() -> ColumnElement[bool]:
    """The rows that may be tried now, as their channel is doing.

    Behind a broken road every row waits, and one at a time probes it.  Where the road is whole and
    messages fail, a first try is everybody's (a message to nobody gets no further than that one);
    repeats wait.  A clock that was set back delays none of them.
    """
    now, first = clock.now(), Outgoing.tries == 0
    due = or_(first, Outgoing.due_at <= now, Outgoing.due_at > now + FARTHEST)
    return or_(
        and_(Breaker.broken == "", due),
        and_(Breaker.broken == MESSAGE, first),
        and_(Breaker.broken == MESSAGE, ~first, breakers.may_probe()),
        and_(Breaker.broken == ROAD, breakers.may_probe()),
    )


def _may_probe(session: Session, row: Outgoing, breaker: Breaker) -> bool:
    if not breaker.broken or (breaker.broken == MESSAGE and row.tries == 0):
        return True
    return breakers.take_probe(session, row.channel)
