"""Whose turn it is: of several processes with embedded workers one sends.

Renewed with the leases of what it works on.
"""

from datetime import datetime

from sqlalchemy import bindparam, or_, select, update

from portal.core import clock
from portal.core.db import at_once
from portal.core.looks import Look
from portal.delivery import leases
from portal.delivery.leases import LEASE
from portal.delivery.models import Turn

DELIVERY = "delivery"  # the turn of embedded workers
_known: dict[str, datetime] = {}  # who of us has the turn -> until when at least


def my_turn() -> bool:
    """Whether this process is the one of several that works; it becomes it when there is none.

    Nobody takes a turn before its time, so that who has it need not ask again until then.
    """
    if _lasts(_known.get(leases.me())):
        return True
    turn = _TURN.only({"name": DELIVERY})
    if not _lasts(turn["until"]):
        return _take_turn()
    if mine := turn["holder"] == leases.me():
        _known[leases.me()] = turn["until"]
    return bool(mine)


def _lasts(until: datetime | None) -> bool:
    """A turn that ends later than any can was given before the clock was set back."""
    now = clock.now()
    return until is not None and now < until <= now + LEASE + clock.SLACK


def _take_turn() -> bool:
    now = clock.now()
    free = or_(
        Turn.until <= now, Turn.holder == leases.me(), Turn.until > now + LEASE + clock.SLACK
    )
    taken = update(Turn).where(Turn.name == DELIVERY, free)
    return at_once(taken.values(holder=leases.me(), until=now + LEASE)) == 1


def pass_on() -> None:
    """Leaves the turn to whoever wants it next."""
    _known.pop(leases.me(), None)
    mine = update(Turn).where(Turn.name == DELIVERY, Turn.holder == leases.me())
    at_once(mine.values(holder="", until=clock.now()))


_TURN = Look((Turn,), select(Turn).where(Turn.name == bindparam("name")))
