"""Putting events on their chain: the last thing of a transaction, for it makes all others wait."""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from portal.core import pipelines, rows, sealing
from portal.core.db import db, line
from portal.core.events import ONLY, ChainHead, Event, words
from portal.core.rows import unheard
from portal.core.worded import Worded

AHEAD = "postgresql"  # gives ids before there are rows


def gives_ids_late() -> bool:
    """Whether ids come with the chain's head; elsewhere they are there as soon as a row is."""
    return bool(db.engine.dialect.name == AHEAD)


def link(events: Sequence[Event]) -> None:
    """Puts in those that are not there yet, and gives each its place and its mark.

    Past the session, and quickly: every act of everybody waits for the head of the chain.
    """
    session = db.session()
    late = _late(session, events)
    pipelines.let_go_early(line(session))  # said before: with the head in hands each word counts
    [(place, mark, *ids)] = rows.asked(session, _head(len(late)))
    for event, number in zip(late, ids, strict=True):
        event.id = number
    for event in events:
        place += 1
        set_committed_value(event, "place", place)
        mark = sealing.mark(words(event, mark))
        set_committed_value(event, "mark", mark)
        if event in late:
            rows.send(Event, {name: getattr(event, name) for name in COLUMNS})
        else:
            unheard(session, _LINKING, {"link": event.id, "at_place": place, "marked": mark})
    unheard(session, _MOVING, {"at_place": place, "marked": mark})


def _late(session: Session, events: Sequence[Event]) -> list[Event]:
    """Those that get their ids with the head; elsewhere they are put in before it is locked."""
    late = [event for event in events if event not in session]
    if late and line(session).dialect.name != AHEAD:
        session.add_all(late)
        late = []
    session.flush()
    return late


@cache
def _head(late: int) -> Worded:
    ids = [_NEXT_ID.label(f"id_{number}") for number in range(late)]
    wanted = select(ChainHead.place, ChainHead.mark, *ids)
    return Worded(wanted.where(ChainHead.id == ONLY).with_for_update())


COLUMNS = [column.key for column in Event.__table__.columns]
_NEXT_ID = func.nextval(func.pg_get_serial_sequence("event", "id"))
_LINKED: dict[str, Any] = {"place": bindparam("at_place"), "mark": bindparam("marked")}
_LINK = update(cast(Table, Event.__table__)).where(Event.id == bindparam("link")).values(_LINKED)
_MOVE = update(cast(Table, ChainHead.__table__)).where(ChainHead.id == ONLY).values(_LINKED)
_LINKING, _MOVING = Worded(_LINK), Worded(_MOVE)
