"""The events as the database holds them, whatever it is made to hold, in the order of the chain.

Some rows at a time, with no transaction open meanwhile: events never change, new ones stand behind.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Integer, String, func, or_, select, type_coerce

from portal.core import audit, columns, sealing
from portal.core.audit import ONLY, ChainHead, Event
from portal.core.db import db, release

AT_ONCE = 1000  # rows in memory
LARGEST = columns.LARGEST_ID  # place or id

# Not made into what they should be: what cannot be was edited.
AS_IT_IS = {"desk": Integer, "at": String}
COLUMNS = [
    type_coerce(column, AS_IT_IS[name]).label(name) if name in AS_IT_IS else column
    for name, column in Event.__table__.columns.items()
]


def rows(after: int, last: int) -> Iterator[Any]:
    """The events behind a place; should two stand at one, both."""
    seen = 0
    beyond = select(*COLUMNS).order_by(Event.place, Event.id).limit(AT_ONCE)
    wanted = beyond.where(Event.place > after, Event.place <= last)
    while found := db.session.execute(wanted).all():
        release()
        yield from map(_read, found)
        after, seen = found[-1].place, found[-1].id
        behind = or_(Event.place > after, Event.id > seen)
        wanted = beyond.where(Event.place >= after, behind, Event.place <= last)


def _read(row: Any) -> Any:
    """The row as an event; what could not have been written so stays as it is, and fits nowhere."""
    event = SimpleNamespace(**row._mapping)
    if event.desk in (0, 1):
        event.desk = bool(event.desk)
    event.at = _moment(event.at)
    return event


def _moment(raw: Any) -> datetime | None:
    """Where times are kept as text they have one form, by which they are compared."""
    try:
        at = raw if isinstance(raw, datetime) else datetime.fromisoformat(raw)
    except (TypeError, ValueError):
        return None
    if isinstance(raw, str) and at.isoformat(" ", "microseconds") != raw:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def fits(event: Any, before: str) -> bool:
    """Whether its mark is that of its words and the mark before it."""
    if event.at is None:
        return False
    return sealing.is_marked(audit.words(cast(Event, event), before), str(event.mark))


def head() -> tuple[int, str]:
    """Place and mark of the last link; -1 where nothing says which it is."""
    wanted = select(ChainHead.place, ChainHead.mark).where(ChainHead.id == ONLY)
    found = db.session.execute(wanted).first()
    release()
    return (found.place, found.mark) if found else (-1, "")


def is_on_chain(place: int, mark: str) -> bool:
    """Whether the event at this place has this mark."""
    wanted = select(Event.mark).where(Event.place == min(place, LARGEST))
    return db.session.scalar(wanted) == mark


def start() -> tuple[str, int, int]:
    """What the first event has as the mark before it: how many were older, and the last's id."""
    text = db.session.scalar(select(ChainHead.start).where(ChainHead.id == ONLY)) or ""
    count, _colon, last = text.partition(":")
    release()
    known = (count or "0").isdecimal() and (last or "0").isdecimal()
    return (text, int(count or 0), int(last or 0)) if known else (text, -1, 0)


def older(last: int) -> int:
    """How many events are from before the chain, the last of which has the id `last`."""
    wanted = select(func.count()).where(Event.place.is_(None), Event.id.between(1, last))
    return db.session.scalar(wanted) or 0


def without_place(last: int, most: int) -> Sequence[int]:
    """The ids of rows that are not on the chain and not from before it; up to so many."""
    beyond = or_(Event.id > last, Event.id < 1)
    wanted = select(Event.id).where(Event.place.is_(None), beyond)
    return db.session.scalars(wanted.order_by(Event.id).limit(most)).all()
