"""Who works on which row.  A lease is short and renewed while its holder lives.

Steps of the caller's transaction, but for `renew`, which belongs to a thread of its own.
"""

import logging
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.core import clock, crypto
from portal.core.db import UtcDateTime, at_once, db, release
from portal.core.looks import Look
from portal.core.rows import asked, unheard
from portal.core.settings import hand_over_seconds
from portal.core.worded import Worded
from portal.delivery import breakers
from portal.delivery.breakers import MESSAGE, ROAD, Health
from portal.delivery.models import Breaker, Outgoing, Turn

T = TypeVar("T")
LEASE = timedelta(seconds=8)  # a dead holder's rows are free again after this time
RENEWED_EVERY = 2.0  # seconds
LONGEST_PAUSE = 600.0  # seconds between two tries of a message
FARTHEST = timedelta(seconds=2 * LONGEST_PAUSE)
STEP, CHECKED_EVERY = 2.0, 30.0  # seconds that clocks may differ by; how long that is believed
_held: dict[int, float] = {}  # rows that this process works on -> until when (monotonic) at most
_me: dict[int, str] = {}
_step: dict[int, tuple[float, float]] = {}  # when (monotonic) and by how much
log = logging.getLogger("latchkey.delivery")


def me() -> str:
    """This process; a forked child is somebody else."""
    return _me.setdefault(os.getpid(), crypto.new_token())


def waiting() -> bool:
    """Whether there may be something to claim: a look without a lock."""
    return _LOOK.first(moments()) is not None


@dataclass(frozen=True)
class Claim:
    """A row that is ours for now; `orphaned`: whoever had it before died with it."""

    id: int
    channel: str
    recipe: str
    about: str
    created_at: datetime
    tries: int
    trouble: str
    orphaned: bool
    health: Health


def pick(session: Session) -> Claim | None:
    """The next row, most urgent first, nobody else's until the transaction ends: see `hold`."""
    found = asked(session, _PICK, moments())
    if not found:
        return None
    *row, faults, broken, opened_at, leased = found[0]
    own = dict(zip(_OWN, row, strict=True))
    health = Health(own["channel"], faults, broken, opened_at)
    claim = Claim(**own, orphaned=leased is not None, health=health)
    return claim if _may_probe(session, claim) else None


def hold(session: Session, claim: Claim) -> None:
    """Leases what was picked in this transaction to this process.  Asks nothing."""
    lease = {"mine": me(), "until": clock.now() + LEASE, "count": claim.tries + 1}
    unheard(session, _LEASE, {"row": claim.id, **lease})
    _held[claim.id] = monotonic() + hand_over_seconds()


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
    asked = {"postgresql": func.now(), "mysql": func.utc_timestamp(6, type_=UtcDateTime)}
    now = asked.get(db.engine.dialect.name)
    theirs = None if now is None else db.session.scalar(select(now))
    release()  # a look has a connection of its own
    return (clock.now() - theirs).total_seconds() if theirs else 0.0


def moments() -> dict[str, datetime]:
    """What FREE and the statements below, put together once, compare with."""
    now = clock.now()
    ends = {"lease_far": now + LEASE + clock.SLACK, "due_far": now + FARTHEST}
    return ends | breakers.moments(now)


def _passing() -> ColumnElement[bool]:
    """The rows that may be tried now, as their channel is doing.

    Behind a broken road every row waits, and one at a time probes it.  Where the road is whole and
    messages fail, a first try is everybody's (a message to nobody gets no further than that one);
    repeats wait.  A clock that was set back delays none of them.
    """
    first = Outgoing.tries == 0
    due = or_(first, Outgoing.due_at <= bindparam("now"), Outgoing.due_at > bindparam("due_far"))
    return or_(
        and_(Breaker.broken == "", due),
        and_(Breaker.broken == MESSAGE, first),
        and_(Breaker.broken == MESSAGE, ~first, breakers.MAY_PROBE),
        and_(Breaker.broken == ROAD, breakers.MAY_PROBE),
    )


def _may_probe(session: Session, claim: Claim) -> bool:
    broken = claim.health.broken
    if not broken or (broken == MESSAGE and claim.tries == 0):
        return True
    return breakers.take_probe(session, claim.channel)


def _of_breaker(column: InstrumentedAttribute[T]) -> ColumnElement[T]:
    found = select(column).where(Breaker.channel == Outgoing.channel)
    return found.scalar_subquery().label(column.key)


_LAPSED = Outgoing.leased_until <= bindparam("now"), Outgoing.leased_until > bindparam("lease_far")
FREE = or_(Outgoing.leased_until.is_(None), *_LAPSED)  # rows that nobody works on
# Questions of their own: of a join MariaDB would lock the breaker, and all that waits to sort it.
_OPEN = select(Breaker.channel).where(Breaker.channel == Outgoing.channel, _passing())
_NEXT = (
    select(Outgoing.id)
    .with_hint(Outgoing, "FORCE INDEX (ix_outbox_waiting)", "mysql")
    .where(Outgoing.done_at.is_(None), FREE, _OPEN.scalar_subquery().is_not(None))
    .order_by(Outgoing.rank, Outgoing.due_at, Outgoing.id)
    .limit(1)
)
_OWN = "id", "channel", "recipe", "about", "created_at", "tries", "trouble"
_HEALTH = map(_of_breaker, (Breaker.faults, Breaker.broken, Breaker.opened_at))
_COLUMNS = cast(Table, Outgoing.__table__).columns
_ROW = _NEXT.with_only_columns(*(_COLUMNS[each] for each in _OWN), *_HEALTH, Outgoing.leased_until)
_PICK = Worded(_ROW.with_for_update(skip_locked=True, of=Outgoing))
_LOOK = Look((Outgoing,), _NEXT)
_LEASED: dict[str, Any] = {"lease": bindparam("mine"), "leased_until": bindparam("until")}
_THIS = update(cast(Table, Outgoing.__table__)).where(Outgoing.id == bindparam("row"))
_LEASE = Worded(_THIS.values(_LEASED | {"tries": bindparam("count")}))
