"""How often: counters that last.

Knows no table but its own, and of a subject only a keyed hash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Index,
    Integer,
    String,
    and_,
    case,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.core import clock, crypto
from portal.core.db import Model, UtcDateTime, changed, db, transaction
from portal.core.errors import TooSoon
from portal.core.settings import setting


@dataclass(frozen=True)
class Limit:
    """`times` in `seconds` for one subject (an account, a network, ...) under one name."""

    name: str
    subject: str
    times: int
    seconds: int


class UsedUp(TooSoon):
    """`limit` has no turn left."""

    def __init__(self, retry_at: datetime, limit: Limit) -> None:
        super().__init__(retry_at)
        self.limit = limit


class Throttle(Model):
    """A running count; it starts anew with the first turn after `ends_at`."""

    __tablename__ = "throttle"
    __table_args__ = (Index("ix_throttle_subject", "subject"),)
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def spend(limits: Iterable[Limit]) -> None:
    """Takes one turn of each limit, remembered at once and whatever follows.

    Raises UsedUp, and takes none, when one of them is: with the one that is longest to wait for.
    """
    wanted = _in_order(each for each in limits if each.seconds)
    if not setting("THROTTLES"):
        return
    with transaction() as session:
        used_up = [UsedUp(wait, each) for each in wanted if (wait := _wait(session, each))]
        if used_up:
            raise max(used_up, key=lambda each: each.retry_at)


def refund(limits: Iterable[Limit]) -> None:
    """Gives the turns back: what was counted beforehand turned out to be right."""
    with transaction() as session:
        for each in _in_order(limits):
            mine = (
                Throttle.name == each.name,
                Throttle.subject == _hash(each.subject),
                Throttle.count > 0,
            )
            session.execute(update(Throttle).where(*mine).values(count=Throttle.count - 1))


def take(limit: Limit) -> None:
    """Takes a turn inside the caller's transaction, which gives it back when it is undone.

    Raises UsedUp.
    """
    if not setting("THROTTLES") or not limit.seconds:
        return
    if wait := _wait(db.session(), limit):
        raise UsedUp(wait, limit)


def takes_last(limit: Limit) -> bool:
    """Takes a turn inside the caller's transaction.  True for the one that uses the limit up."""
    session = db.session()
    if _take(session, limit):
        return False
    mine = (Throttle.name == limit.name, Throttle.subject == _hash(limit.subject))
    return session.scalar(select(Throttle.count).where(*mine)) == limit.times


def running(subjects: Iterable[str]) -> Sequence[Throttle]:
    """The counts of these subjects that have not ended; full or not."""
    theirs = Throttle.subject.in_([_hash(each) for each in subjects])
    return db.session.scalars(select(Throttle).where(theirs, Throttle.ends_at > clock.now())).all()


def clear(session: Session, subjects: Iterable[str], name: str = "") -> None:
    """Forgets the counts of these subjects whose name begins so.  A step of a transaction."""
    whose = Throttle.subject.in_([_hash(each) for each in subjects])
    _delete(session, and_(whose, Throttle.name.startswith(name, autoescape=True)))


def purge() -> int:
    """Removes the counts that have ended, inside the caller's transaction.  -> how many."""
    return _delete(db.session(), Throttle.ends_at < clock.now())


def _delete(session: Session, which: ColumnElement[bool]) -> int:
    """Row by row in the order in which `spend` locks them, leaving those that are in use."""
    keys = select(Throttle.name, Throttle.subject).where(which)
    ordered = keys.order_by(Throttle.name, Throttle.subject).with_for_update(skip_locked=True)
    found = session.execute(ordered).all()
    for name, subject in found:
        mine = (Throttle.name == name, Throttle.subject == subject)
        session.execute(delete(Throttle).where(*mine))
    return len(found)


def _in_order(limits: Iterable[Limit]) -> list[Limit]:
    """Whoever needs several rows takes them in the same order, or two would wait for each other.

    The rows stand under hashed subjects, so that is what has to be in order.
    """
    return sorted(limits, key=lambda each: (each.name, _hash(each.subject)))


def _wait(session: Session, limit: Limit) -> datetime | None:
    """-> None, or until when there is none left; of no turns at all there never is one."""
    return clock.after(limit.seconds) if limit.times < 1 else _take(session, limit)


def _take(session: Session, limit: Limit) -> datetime | None:
    """-> None, or until when there is none left."""
    now, subject = clock.now(), _hash(limit.subject)
    mine = (Throttle.name == limit.name, Throttle.subject == subject)
    end = now + timedelta(seconds=limit.seconds)
    set_back = Throttle.ends_at > end + clock.SLACK  # the clock was: nobody waits for it
    over = or_(Throttle.ends_at <= now, set_back)
    turn = update(Throttle).where(*mine, or_(over, Throttle.count < limit.times))
    turn = turn.values(
        count=case((over, 1), else_=Throttle.count + 1),
        ends_at=case((over, end), else_=Throttle.ends_at),
    )
    if changed(session, turn.execution_options(synchronize_session=False)):
        return None
    full = (*mine, Throttle.count >= limit.times)  # or it has come to be a moment ago, with turns
    if until := session.scalar(select(Throttle.ends_at).where(*full)):
        return until
    return None if _first(session, limit, subject, end) else _take(session, limit)


def _first(session: Session, limit: Limit, subject: str, end: datetime) -> bool:
    """False when another process was quicker."""
    try:
        with session.begin_nested():
            session.add(Throttle(name=limit.name, subject=subject, count=1, ends_at=end))
    except IntegrityError:
        return False
    return True


def _hash(subject: str) -> str:
    return crypto.keyed(setting("SECRET_KEY"), "throttle", subject)
