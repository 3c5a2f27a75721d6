"""How messages are getting on: each channel's road, what waits, and what had trouble."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column, select

from portal.core import clock, columns
from portal.core.db import db
from portal.delivery import states
from portal.delivery.models import Breaker, Outgoing
from portal.delivery.outcomes import IN_DOUBT, REFUSED
from portal.delivery.parcels import EMAIL, SMS
from portal.delivery.recipes import RECIPES
from portal.delivery.states import State
from portal.staff import wording
from portal.staff.wording import Account

MOST, MANY = 50, 1000  # lines on a page; waiting messages that are counted
CHANNELS = EMAIL, SMS
WAITS = states.WAITING
STATES = WAITS, states.REFUSED, states.GIVEN_UP, states.IN_DOUBT


@dataclass(frozen=True)
class Road:
    """A channel.  `broken`: "", or how far its way leads; `waiting` beyond MANY means more."""

    channel: str
    broken: str
    faults: int
    since: datetime | None
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True)
class Line:
    """A message that had trouble; `title` is "" for a kind that is not written any more."""

    title: str
    channel: str
    whom: Account
    asked_at: datetime
    state: State


@dataclass(frozen=True)
class Leaf:
    """Some of them, newest first; `older`: what to ask for next, None when there are no more."""

    lines: list[Line]
    older: int | None
    state: str
    channel: str
    newest: bool


def roads() -> list[Road]:
    """How each channel is doing.  Messages to nobody are nobody's business: they do not count."""
    return [_road(channel) for channel in CHANNELS]


def troubled(state: str, channel: str, before: int | None) -> Leaf:
    """Messages to people that had trouble, in one state and of one channel ("": in all)."""
    state, channel = state if state in STATES else "", channel if channel in CHANNELS else ""
    wanted = select(Outgoing).where(*_to_people(), _had_trouble(), *_of(state, channel))
    if before is not None:
        wanted = wanted.where(Outgoing.id < columns.within(before))
    found = db.session.scalars(wanted.order_by(Outgoing.id.desc()).limit(MOST + 1)).all()
    older = found[MOST - 1].id if len(found) > MOST else None
    return Leaf(_lines(found[:MOST]), older, state, channel, before is None)


def _road(channel: str) -> Road:
    breaker = db.session.get_one(Breaker, channel, populate_existing=True)
    mine = (*_to_people(), Outgoing.done_at.is_(None), Outgoing.channel == channel)
    some = select(Outgoing.id).where(*mine).limit(MANY + 1).subquery()
    waiting = db.session.scalar(select(func.count()).select_from(some)) or 0
    oldest = db.session.scalar(select(func.min(Outgoing.created_at)).where(*mine))
    return Road(channel, breaker.broken, breaker.faults, breaker.opened_at, waiting, oldest)


def _to_people() -> tuple[ColumnElement[bool], ...]:
    """Said so that no index on the person is taken for it: nearly all are to somebody."""
    return (func.coalesce(Outgoing.person_id, 0) > 0,)


def _had_trouble() -> ColumnElement[bool]:
    """In the words of the index ix_outbox_trouble."""
    return Outgoing.trouble != literal_column("''")


def _of(state: str, channel: str) -> Iterator[ColumnElement[bool]]:
    if channel:
        yield Outgoing.channel == channel
    ended = Outgoing.done_at.is_not(None)
    if state == WAITS:
        yield Outgoing.done_at.is_(None)
    elif state:
        yield ended
        yield from _ended_by(state)
    yield Outgoing.accepted_at.is_(None)


def _ended_by(state: str) -> Iterator[ColumnElement[bool]]:
    said_no, doubt = Outgoing.trouble.startswith(REFUSED), Outgoing.trouble.startswith(IN_DOUBT)
    if state == states.REFUSED:
        yield said_no
    elif state == states.IN_DOUBT:
        yield doubt
    else:
        yield ~said_no
        yield ~doubt


def _lines(rows: Sequence[Outgoing]) -> list[Line]:
    known = wording.accounts(row.person_id for row in rows)
    return [_line(row, known[row.person_id or 0]) for row in rows]


def _line(row: Outgoing, whom: Account) -> Line:
    title = str(RECIPES[row.recipe].title) if row.recipe in RECIPES else ""
    return Line(title, row.channel, whom, row.created_at, states.of(row, clock.now()))
