"""How the queue is doing, for whoever watches: what waits, since when, whether somebody sends."""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from sqlalchemy import Connection, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from portal.core import clock, metrics, readiness, schema
from portal.core.db import at_once
from portal.core.settings import setting
from portal.delivery.models import Breaker, Outgoing, Turn

if TYPE_CHECKING:
    from flask import Flask

SENDER, BEAT_SECONDS = "sender", 10.0  # the row of a heartbeat
MOST = 10_000  # rows that are counted: a look has an end, and more is no other news
NEW, AGAIN = "new", "again"  # never tried | tried and put off
Series = dict[tuple[str, ...], float]
Numbers = dict[str, Series]
NAMES = {
    "queue_messages": (f"Messages that wait, up to {MOST}.", ("channel", "state")),
    "queue_oldest_seconds": ("How long the oldest of them has waited.", ("channel", "state")),
    "channel_resting": ("1: something is wrong with its server, messages wait.", ("channel",)),
    "sender_seen_timestamp_seconds": ("When a worker last looked for messages.", ()),
}
_beats: dict[int, float] = {}


def init_app(app: Flask) -> None:
    """Lets `app` say how its queue is doing."""
    with app.app_context():
        url = setting("REDIS_URL")
    if url:
        from portal.delivery import broker  # noqa: PLC0415 - Celery, which few need

        readiness.check(app, "queue", lambda: broker.answer(url))
    metrics.at_scrape(app, NAMES, lambda: _look(app))


def beat() -> None:
    """A worker of this process looks for messages: noted now and then."""
    now, me = monotonic(), os.getpid()
    if now - _beats.get(me, -BEAT_SECONDS) < BEAT_SECONDS:
        return
    _beats[me] = now
    if not at_once(update(Turn).where(Turn.name == SENDER).values(until=clock.now())):
        with suppress(IntegrityError):  # another process was quicker
            at_once(insert(Turn).values(name=SENDER, holder="", until=clock.now()))


def _look(app: Flask) -> Numbers:
    """Nothing while the database is away: whoever asks for numbers is not kept."""
    if readiness.words(app)["database"] == readiness.AWAY:
        return {}
    with schema.aside() as connection:
        return {
            **_waiting(connection),
            "channel_resting": _resting(connection),
            "sender_seen_timestamp_seconds": _seen(connection),
        }


def _waiting(connection: Connection) -> Numbers:
    state = case((Outgoing.tries == 0, NEW), else_=AGAIN).label("state")
    some = select(Outgoing.channel, state, Outgoing.created_at)
    rows = some.where(Outgoing.done_at.is_(None)).limit(MOST).subquery()
    each = rows.c.channel, rows.c.state
    told = select(*each, func.count(), func.min(rows.c.created_at)).group_by(*each)
    found, now = connection.execute(told).all(), clock.now()
    ages: Series = {
        (channel, state): (now - first).total_seconds() for channel, state, _n, first in found
    }
    counts: Series = {(channel, state): float(count) for channel, state, count, _first in found}
    return {"queue_messages": counts, "queue_oldest_seconds": ages}


def _resting(connection: Connection) -> Series:
    found = connection.execute(select(Breaker.channel, Breaker.broken)).all()
    return {(channel,): float(bool(broken)) for channel, broken in found}


def _seen(connection: Connection) -> Series:
    at = connection.scalar(select(Turn.until).where(Turn.name == SENDER))
    return {(): at.timestamp()} if at else {}
