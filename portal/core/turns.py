"""Turns of limits, as rows: a count for each limit and subject, which begins anew once it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, Integer, String, bindparam, case, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.core import clock, crypto, metrics
from portal.core.db import Model, UtcDateTime
from portal.core.errors import TooSoon
from portal.core.settings import setting
from portal.core.upserts import Upsert

HOUR = 3600
NETWORK, EVERYBODY = "network ", "everybody"  # so begin the subjects that are no one person


@dataclass(frozen=True)
class Limit:
    """`times` in `seconds` for one subject (an account, a network, ...) under one name."""

    name: str
    subject: str
    times: int
    seconds: int

    @property
    def is_of_crowd(self) -> bool:
        """Of many people and no more than an hour: it may be counted where nothing lasts."""
        return self.seconds <= HOUR and self.subject.startswith((NETWORK, EVERYBODY))


class UsedUp(TooSoon):
    """`limit` has no turn left."""

    def __init__(self, retry_at: datetime, limit: Limit) -> None:
        super().__init__(retry_at)
        self.limit = limit
        metrics.refused(limit.name)


class Throttle(Model):
    """A running count; it starts anew with the first turn after `ends_at`."""

    __tablename__ = "throttle"
    __table_args__ = (Index("ix_throttle_subject", "subject"),)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def used_up(session: Session, limits: Sequence[Limit]) -> list[UsedUp]:
    """Takes a turn of each.  -> those that had none left; of no turns at all there never is one."""
    none = [UsedUp(clock.after(each.seconds), each) for each in limits if each.times < 1]
    counted = taken(session, [each for each in limits if each.times > 0])
    full = [(limit, ends_at) for limit, count, ends_at in counted if count > limit.times]
    late = [limit for limit, ends_at in full if ends_at > _end(limit) + clock.SLACK]
    for each in late:  # the clock was set back: nobody waits for it
        _begin_anew(session, each)
    return none + [UsedUp(ends_at, limit) for limit, ends_at in full if limit not in late]


def taken(session: Session, limits: Sequence[Limit]) -> list[tuple[Limit, int, datetime]]:
    """Each with how many turns of it are taken now, and until when they count."""
    if not limits:
        return []
    asked = {(each.name, hashed(each.subject)): each for each in limits}
    rows = [
        {"name": name, "subject": subject, "count": 1, "ends_at": _end(each)}
        for (name, subject), each in asked.items()
    ]
    found = _TURN.run(session, rows, now=clock.now())
    return [(asked[name, whose], count, ends_at) for name, whose, count, ends_at in found]


def is_full(session: Session, limit: Limit) -> bool:
    """Whether no turn is left, as far as can be seen without taking one."""
    mine = Throttle.name == limit.name, Throttle.subject == hashed(limit.subject)
    running = Throttle.count >= limit.times, Throttle.ends_at > clock.now()
    return session.scalar(select(Throttle.count).where(*mine, *running)) is not None


def _turn(new: Any) -> dict[str, Any]:
    """One more, or the first of a count that begins anew."""
    over = Throttle.ends_at <= bindparam("now", type_=UtcDateTime)
    return {
        "count": case((over, 1), else_=Throttle.count + 1),
        "ends_at": case((over, new.ends_at), else_=Throttle.ends_at),
    }


_TURN = Upsert(Throttle.__table__, _turn)


def _begin_anew(session: Session, limit: Limit) -> None:
    mine = Throttle.name == limit.name, Throttle.subject == hashed(limit.subject)
    session.execute(update(Throttle).where(*mine).values(count=1, ends_at=_end(limit)))


def _end(limit: Limit) -> datetime:
    return clock.now() + timedelta(seconds=limit.seconds)


def hashed(subject: str) -> str:
    """What is kept of a subject: nobody can read whose count it is."""
    return crypto.keyed(setting("SECRET_KEY"), "throttle", subject)
