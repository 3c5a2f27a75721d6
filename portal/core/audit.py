"""What happened, to whom, by whom and from where.  Ids only: rows outlive people.

Just before its transaction is kept, each event gets its place in a chain: a mark (by DATA_KEY) over
its own words and the mark before it, so that one that was edited, deleted, inserted or moved is
found.  The same moment counts it: pages of numbers read sums, never events.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import BigInteger, Index, SmallInteger, String, false, func
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock, sealing, tally
from portal.core.db import BigId, Model, UtcDateTime, before_commit, db, notes, transaction
from portal.core.texts import storable

LONGEST_DETAIL = 200
ONLY = 1  # the chain has one head


@dataclass(frozen=True)
class By:
    """Who acts (None: nobody signed in, or the operator), from which network and device.

    Staff who act on others (`desk`) say how they know who called, why, and on which ticket.
    `session_id` is the sign-in that they act by, where there is one, `request` the number under
    which the server's log knows this request.
    """

    person_id: int | None = None
    network: str = ""
    device: str = ""
    reason: str = ""
    ticket: str = ""
    session_id: int | None = None
    verified_by: str = ""
    desk: bool = False
    request: str = ""
    seen: int | None = None  # the newest act on that person that whoever helps had in front of them


OPERATOR = By(network="console", device="command line", desk=True)


class Event(Model):
    """One thing that happened."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_person", "person_id", "id"),
        Index("ix_event_actor", "actor_id", "desk", "id"),
        Index("ix_event_desk", "desk", "id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    desk: Mapped[bool]  # done by somebody of the helpdesk, or by the operator, to somebody else
    network: Mapped[str] = mapped_column(String(50))
    device: Mapped[str] = mapped_column(String(100))
    verified_by: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(200))
    ticket: Mapped[str] = mapped_column(String(50))
    detail: Mapped[str] = mapped_column(String(LONGEST_DETAIL))
    request: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    place: Mapped[int | None] = mapped_column(BigInteger, unique=True)  # in the chain, from 1
    mark: Mapped[str] = mapped_column(String(64))


# An expression, not the column: what asks for the events of one person by it would else be answered
# through the index of all that the helpdesk did.
BY_DESK = func.coalesce(Event.desk, false())

TEXTS = {
    name: column.type.length or 0
    for name, column in Event.__table__.columns.items()
    if isinstance(column.type, String)
}


class ChainHead(Model):
    """The last link of the chain of events; who adds one holds this row.

    `start` stands where the first event has the mark before it: how many events there were before
    the chain began, and the id of the last of them; "" when there were none.
    """

    __tablename__ = "event_head"
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    place: Mapped[int] = mapped_column(BigInteger)
    mark: Mapped[str] = mapped_column(String(64))
    start: Mapped[str] = mapped_column(String(64))


def record(
    kind: str, person_id: int | None, by: By, detail: object = "", parts: Iterable[str] = ()
) -> Event:
    """Written in the cause's transaction; flushed, so that its id can be given to a message.

    Counted as one of its kind, and of each of these `parts` of it.
    """
    event = Event(
        kind=kind,
        person_id=person_id,
        actor_id=by.person_id,
        desk=by.desk,
        network=by.network,
        device=by.device,
        verified_by=by.verified_by,
        reason=by.reason,
        ticket=by.ticket,
        detail=str(detail),
        request=by.request,
        at=clock.now(),
        mark="",
    )
    add(event, parts)
    db.session.flush()
    return event


def add(event: Event, parts: Iterable[str] = ()) -> None:
    """Keeps an event as it stands, chained and counted.  A step of a transaction.

    Undone with a savepoint, it is neither.  Texts are cut to what their columns hold.
    """
    for name, longest in TEXTS.items():
        setattr(event, name, storable(getattr(event, name))[:longest])
    event.at = event.at.astimezone(UTC)
    db.session.add(event)
    notes().setdefault("events", []).append((event, tuple(parts)))
    before_commit(_settle)


def count(name: str, *parts: str) -> None:
    """Counts what is worth a number and no event.  A step of a transaction, outside savepoints."""
    notes().setdefault("counts", []).append((name, clock.now().date(), parts))
    before_commit(_settle)


def count_now(name: str, *parts: str) -> None:
    """The same in a transaction of its own: for what was refused before any began."""
    with transaction():
        count(name, *parts)


def get(event_id: int) -> Event | None:
    """The event of this id."""
    return db.session.get(Event, event_id)


def words(event: Event, before: str) -> str:
    """All that the event says and the mark before it, in one text that can be read in one way."""
    said = (
        event.place, event.id, event.kind, event.person_id, event.actor_id, event.desk,
        event.network, event.device, event.verified_by, event.reason, event.ticket, event.detail,
        event.request, event.at.isoformat(), before,
    )  # fmt: skip
    return "\0".join(f"{len(str(each))}:{each}" for each in said)


def _settle() -> None:
    """Chains and counts what this transaction did, one transaction after the other.

    Last of all, so that nobody waits for another lock with this one in hands.
    """
    db.session.flush()
    added = [each for each in notes().pop("events", []) if each[0] in db.session]
    counts = notes().pop("counts", [])
    counts += [(event.kind, event.at.date(), parts) for event, parts in added]
    if not counts:
        return
    head = db.session.get_one(ChainHead, ONLY, with_for_update=True, populate_existing=True)
    for event, _parts in added:
        head.place = event.place = head.place + 1
        head.mark = event.mark = sealing.mark(words(event, head.mark))
    tally.add(counts)
