"""Sending what waits: at least once, harmless when twice."""

import logging
import secrets
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update

from portal.core import clock
from portal.core.db import at_once, changed, db, transaction
from portal.core.settings import hand_over_seconds, setting
from portal.delivery import letters, transports
from portal.delivery.models import Outgoing
from portal.delivery.recipes import RECIPES, Letter

log = logging.getLogger("latchkey.delivery")
SPARE = timedelta(seconds=30)  # of a lease, beyond the longest hand-over
GIVE_UP = timedelta(days=1)
LONGEST_PAUSE_SECONDS = 600


def deliver_due() -> int:
    """Sends every message that is due, each in its own right.  -> how many were tried."""
    due = db.session.scalars(
        select(Outgoing.id).where(*_waiting()).order_by(Outgoing.id).limit(100)
    ).all()
    for row_id in due:
        deliver(row_id)
    return len(due)


def deliver(row_id: int) -> None:
    """Claim, write (the code is made here), hand over outside any transaction, start the clocks."""
    if not _claim(row_id):
        return
    try:
        letter, row = _write(row_id)
    except Exception as err:  # noqa: BLE001 - whatever is wrong with one row, the next must go
        log.error("message %s cannot be written: %s", row_id, type(err).__name__)
        _postpone(row_id, type(err).__name__)
        return
    try:
        transports.send(letters.compose(row.recipe, letter, row.id) if letter.to else None)
    except Exception as err:  # noqa: BLE001 - likewise
        _refused(row_id, letter, err)
        return
    _accepted(row_id, letter)


def purge() -> int:
    """Removes messages that ended more than CODE_RETENTION_DAYS ago.  -> how many."""
    before = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    return at_once(delete(Outgoing).where(Outgoing.done_at < before))


def _claim(row_id: int) -> int:
    claim = update(Outgoing).where(Outgoing.id == row_id, *_waiting())
    return at_once(claim.values(tries=Outgoing.tries + 1, leased_until=clock.now() + _lease()))


def _lease() -> timedelta:
    return timedelta(seconds=hand_over_seconds()) + SPARE


def _waiting() -> tuple[ColumnElement[bool], ...]:
    now = clock.now()
    free = or_(Outgoing.leased_until.is_(None), Outgoing.leased_until < now)
    return Outgoing.done_at.is_(None), Outgoing.due_at <= now, free


def _write(row_id: int) -> tuple[Letter, Outgoing]:
    with transaction() as session:
        row = session.get_one(Outgoing, row_id, populate_existing=True)
        return RECIPES[row.recipe].write(row.about), row


def _accepted(row_id: int, letter: Letter) -> None:
    now = clock.now()
    done = update(Outgoing).where(Outgoing.id == row_id)
    with transaction() as session:
        changed(session, done.values(accepted_at=now, done_at=now, leased_until=None, trouble=""))
        letter.accepted(now)


def _refused(row_id: int, letter: Letter, err: Exception) -> None:
    log.warning("message %s was not accepted: %s", row_id, type(err).__name__)
    with transaction():
        letter.refused()
    _postpone(row_id, type(err).__name__)


def _postpone(row_id: int, trouble: str) -> None:
    """Later again, each time a little later; after a day never."""
    with transaction() as session:
        row = session.get_one(Outgoing, row_id, populate_existing=True)
        now = clock.now()
        pause = min(LONGEST_PAUSE_SECONDS, 2 ** min(row.tries, 10)) + secrets.randbelow(3)
        row.due_at, row.leased_until, row.trouble = (
            now + timedelta(seconds=pause),
            None,
            trouble[:100],
        )
        if now - row.created_at > GIVE_UP:
            row.done_at = now
