"""What colleagues did: who, to whom, when and why; newest first, page by page or all as a table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select, true

from portal.accounts.models import Person
from portal.accounts.roles import STAFF
from portal.core import clock, columns
from portal.core.audit import Event
from portal.core.db import db, release
from portal.security import activity
from portal.security.kinds import of
from portal.staff import spreadsheet, wording
from portal.staff.chosen import BY_DESK, EXPORTED, OPENED, Chosen
from portal.staff.wording import Account

MOST, AT_ONCE, MOST_COLLEAGUES = 50, 500, 200
HEADINGS = (
    "Event", "When (UTC)", "What", "Kind", "Who", "Who (account)", "To whom", "To whom (account)",
    "Checked by", "Reason", "Ticket", "Detail", "Network", "Device", "Request", "Place", "Mark",
)  # fmt: skip
END = "End of the log: %d events"


@dataclass(frozen=True)
class Line:
    """One event.  `who` None: the operator; `whom` None: nobody in particular."""

    event: Event
    title: str
    detail: str
    who: Account | None
    whom: Account | None


@dataclass(frozen=True)
class Leaf:
    """Some of them, newest first; `older`: what to ask for next, None when there are no more."""

    lines: list[Line]
    older: int | None


def page(chosen: Chosen, before: int | None) -> Leaf:
    """The newest of those chosen, from before the id `before` on."""
    found = _events(chosen, before, MOST + 1)
    older = found[MOST - 1].id if len(found) > MOST else None
    return Leaf(_lines(found[:MOST]), older)


def colleagues() -> list[Account]:
    """Whoever is staff, for the filter, in the order of their names."""
    wanted = select(Person.id).where(Person.role.in_(STAFF)).limit(MOST_COLLEAGUES)
    found = wording.accounts(db.session.scalars(wanted))
    return sorted(found.values(), key=lambda each: each.name.casefold())


def kinds() -> list[tuple[str, str]]:
    """(as it is kept, in words) of each kind that colleagues do, in the order of the words."""
    return sorted(((each, str(of(each).title)) for each in BY_DESK), key=lambda each: each[1])


def sheet(chosen: Chosen) -> Iterator[str]:
    """All of those chosen, as pieces of a CSV file, with no transaction open between them.

    What breaks off in the middle lacks its last line.
    """
    yield spreadsheet.START + spreadsheet.row(HEADINGS)
    count, before = 0, None
    titles = dict(kinds())
    while found := _events(chosen, before, AT_ONCE):
        known = wording.accounts(_named(found))
        release()
        rows = (_cells(each, titles.get(each.kind, each.kind), known) for each in found)
        yield "".join(map(spreadsheet.row, rows))
        count, before = count + len(found), found[-1].id
    yield spreadsheet.row([END % count, *[""] * (len(HEADINGS) - 1)])


def _events(chosen: Chosen, before: int | None, most: int) -> Sequence[Event]:
    wanted = select(Event).where(Event.desk == true(), *_conditions(chosen))
    if before is not None:
        wanted = wanted.where(Event.id < columns.within(before))
    return db.session.scalars(wanted.order_by(Event.id.desc()).limit(most)).all()


def _conditions(chosen: Chosen) -> Iterator[ColumnElement[bool]]:
    if chosen.by:
        yield Event.actor_id == chosen.actor_id
    if chosen.person:
        yield Event.person_id == chosen.person_id
    if chosen.kind:
        yield Event.kind == (chosen.kind if chosen.kind in BY_DESK else "")
    elif not chosen.opened:
        yield Event.kind != OPENED
    yield from _period(chosen.first, chosen.last)


def _period(first: datetime | None, last: datetime | None) -> Iterator[ColumnElement[bool]]:
    if first is not None:
        yield Event.at >= first
    if last is not None:
        yield Event.at <= last


def _named(events: Sequence[Event]) -> set[int | None]:
    return {each.actor_id for each in events} | {each.person_id for each in events}


def _lines(events: Sequence[Event]) -> list[Line]:
    known = wording.accounts(_named(events))
    names = {person_id: each.name for person_id, each in known.items()}
    return [_line(each, known, names) for each in events]


def _line(event: Event, known: wording.Accounts, names: dict[int, str]) -> Line:
    said = activity.line(event, names, for_desk=True)
    more = _("Chosen: %(what)s.", what=event.detail) if event.kind == EXPORTED else said.detail
    who, whom = known.get(event.actor_id or 0), known.get(event.person_id or 0)
    return Line(event, said.title, more, who, whom)


def _cells(event: Event, title: str, known: wording.Accounts) -> Iterator[object]:
    who, whom = known.get(event.actor_id or 0), known.get(event.person_id or 0)
    yield from (event.id, clock.stamp(event.at), title, event.kind)
    yield from (who.name if who else _("The operator"), event.actor_id)
    yield from (whom.name if whom else "", event.person_id)
    yield from (event.verified_by, event.reason, event.ticket, event.detail)
    yield from (event.network, event.device, event.request, event.place, event.mark)
