"""What is written down of a message that was handed over or not.  Steps of a transaction."""

import logging
import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, bindparam, or_, select, update
from sqlalchemy.orm import Session

from portal.core import clock
from portal.core.db import after_commit
from portal.core.rows import heard
from portal.core.worded import Worded
from portal.delivery import leases
from portal.delivery.models import Outgoing
from portal.delivery.outcomes import IN_DOUBT, NotAccepted

log = logging.getLogger("latchkey.delivery")
GIVE_UP, REFUSED_AFTER = timedelta(days=1), timedelta(hours=1)
SHORTEST_PAUSE = 1.0  # seconds
PART_OF_AGE, PART_FOR_GOOD = 8, 4  # a message waits again for an eighth of its age, or a quarter


def mark(session: Session, row_id: int) -> bool:
    """An SMS is about to leave: from here on it is in doubt until its end is written down.

    False when it is somebody else's by now.
    """
    return heard(session, _DOUBTFUL, {"row": row_id, "mine": leases.me()}) == 1


def accepted(session: Session, row_id: int, sent: bool, now: datetime) -> bool:
    """Nothing more to do for it; `sent`: to somebody.

    False when another worker has it meanwhile, or had its copy taken: that is the one that counts.
    """
    values = {"row": row_id, "mine": leases.me(), "now": now}
    return heard(session, _SENT if sent else _OVER, values) == 1


def postpone(session: Session, row_id: int, err: NotAccepted) -> None:
    """Later again, each time a little later; unless another worker has it."""
    held = (Outgoing.id == row_id, Outgoing.lease == leases.me(), Outgoing.done_at.is_(None))
    row = session.scalar(_locked(*held))
    if row is not None:
        _put_off(row, err)


def spoilt(session: Session, row_id: int, err: NotAccepted) -> None:
    """Its recipe failed, and with it the claim was undone: the row may be anybody's by now."""
    free = (Outgoing.id == row_id, Outgoing.done_at.is_(None), leases.FREE)
    row = session.scalar(_locked(*free), leases.moments())
    if row is not None:
        row.tries += 1
        _put_off(row, err)


def doubtful(session: Session, row_id: int) -> None:
    """Its sender died.  An SMS that may have left is not paid for twice: the person asks again."""
    log.warning("message %s may have been sent by a worker that died", row_id)
    _end(session.get_one(Outgoing, row_id, populate_existing=True), NotAccepted(IN_DOUBT))


def _locked(*which: ColumnElement[bool]) -> Select[Outgoing]:
    wanted = select(Outgoing).where(*which).with_for_update()
    return wanted.execution_options(populate_existing=True)


def _put_off(row: Outgoing, err: NotAccepted) -> None:
    now = clock.now()
    age = now - row.created_at
    _end(row, err)
    if not (err.why == IN_DOUBT or age > GIVE_UP or (err.for_good and age > REFUSED_AFTER)):
        row.done_at, row.due_at = None, now + _pause(age, err)
    rest = f"again in {(row.due_at - now).total_seconds():.0f} s"
    say = f"message {row.id} ({row.recipe}): {err}; {'no more' if row.done_at else rest}"
    after_commit(lambda: log.warning(say))


def _end(row: Outgoing, err: NotAccepted) -> None:
    row.lease = row.leased_until = None
    row.done_at, row.trouble = clock.now(), str(err)


def _pause(age: timedelta, err: NotAccepted) -> timedelta:
    """A part of the time that it has waited already, give or take a quarter of that."""
    part = age.total_seconds() / (PART_FOR_GOOD if err.for_good else PART_OF_AGE)
    seconds = min(leases.LONGEST_PAUSE, max(SHORTEST_PAUSE, part))
    return timedelta(seconds=seconds * (75 + secrets.randbelow(51)) / 100)


_THIS = update(cast(Table, Outgoing.__table__)).where(Outgoing.id == bindparam("row"))
_HELD = Outgoing.lease == bindparam("mine")
_DOUBTFUL = Worded(_THIS.where(_HELD, Outgoing.done_at.is_(None)).values(trouble=IN_DOUBT))
_ENDED = _THIS.where(or_(_HELD, Outgoing.lease.is_(None)))
_END: dict[str, Any] = {"done_at": bindparam("now"), "lease": None, "leased_until": None}
# What went to nobody keeps its trouble: that is why nobody waits any more.
_OVER = Worded(_ENDED.where(Outgoing.done_at.is_(None)).values(_END))
_TAKEN = {"accepted_at": bindparam("now"), "trouble": ""}
_SENT = Worded(_ENDED.where(Outgoing.accepted_at.is_(None)).values(_END | _TAKEN))
