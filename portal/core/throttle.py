"""How often: counters that last.

Knows no table but its own, and of a subject only a keyed hash.  Nobody waits for the disk with a
count in hands that others want, too: a crash of the database's machine forgets a second of them.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, select, update
from sqlalchemy.orm import Session

from portal.core import clock, shared
from portal.core.db import db, transaction
from portal.core.rows import unheard
from portal.core.settings import setting
from portal.core.shared import Count
from portal.core.turns import Limit as Limit
from portal.core.turns import Throttle as Throttle
from portal.core.turns import UsedUp as UsedUp
from portal.core.turns import hashed, is_full, taken, used_up
from portal.core.worded import Worded

_TABLE = cast(Table, Throttle.__table__)
_MINE = Throttle.name == bindparam("whose"), Throttle.subject == bindparam("of")
_TAKEN = update(_TABLE).where(*_MINE, Throttle.count > 0)
_BACK = Worded(_TAKEN.values(count=Throttle.count - 1))


def spend(limits: Iterable[Limit]) -> None:
    """Takes one turn of each limit, remembered at once and whatever follows.

    Raises UsedUp, and takes none, when one of them is: with the one that is longest to wait for.
    """
    wanted = _in_order(each for each in limits if each.seconds)
    if not setting("THROTTLES") or not wanted:
        return
    crowds = _spend_of_crowds(wanted)
    try:
        _spend_of_rows([each for each in wanted if each not in crowds])
    except BaseException:  # also when the database is in trouble: a row would be undone with it
        if crowds:
            shared.give_back(_counts(crowds))
        raise


def refund(limits: Iterable[Limit]) -> None:
    """Gives the turns back: what was counted beforehand turned out to be right."""
    if not setting("THROTTLES"):
        return
    given = list(limits)
    crowds = [each for each in given if each.is_of_crowd]
    back = crowds if crowds and shared.give_back(_counts(crowds)) else []
    with transaction(lasting=False) as session:
        for each in _in_order(each for each in given if each not in back):
            unheard(session, _BACK, {"whose": each.name, "of": hashed(each.subject)})


def take(limit: Limit) -> None:
    """Takes a turn inside the caller's transaction, which gives it back when it is undone.

    Raises UsedUp.
    """
    if not setting("THROTTLES") or not limit.seconds:
        return
    if full := used_up(db.session(), [limit]):
        raise full[0]


def takes_last(limit: Limit) -> bool:
    """Takes a turn inside the caller's transaction.  True for the one that uses the limit up."""
    if is_full(db.session(), limit):
        return False  # and nothing is written
    [(_limit, count, _ends_at)] = taken(db.session(), [limit])
    return count == limit.times


def running(subjects: Iterable[str]) -> Sequence[Throttle]:
    """The counts of these subjects that have not ended; full or not."""
    theirs = Throttle.subject.in_([hashed(each) for each in subjects])
    return db.session.scalars(select(Throttle).where(theirs, Throttle.ends_at > clock.now())).all()


def clear(session: Session, subjects: Iterable[str], name: str = "") -> None:
    """Forgets the counts of these subjects whose name begins so.  A step of a transaction."""
    whose = Throttle.subject.in_([hashed(each) for each in subjects])
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
    return sorted(limits, key=lambda each: (each.name, hashed(each.subject)))


def _spend_of_crowds(limits: Sequence[Limit]) -> list[Limit]:
    """Those that Redis counts, where there is one.  Raises UsedUp."""
    crowds = [each for each in limits if each.is_of_crowd and each.times > 0]
    wait = shared.take(_counts(crowds)) if crowds else None
    if wait:
        raise UsedUp(clock.now() + timedelta(seconds=wait), crowds[0])
    return [] if wait is None else crowds


def _spend_of_rows(limits: Sequence[Limit]) -> None:
    with transaction(lasting=False) as session:
        if full := used_up(session, limits):
            raise max(full, key=lambda each: each.retry_at)


def _counts(limits: Iterable[Limit]) -> list[Count]:
    return [
        Count(f"{each.name}:{hashed(each.subject)}", each.times, each.seconds) for each in limits
    ]
