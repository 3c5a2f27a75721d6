"""Events and the head of their chain, as they are kept."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, SmallInteger, String, false, func
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import BigId, Model, UtcDateTime

LONGEST_DETAIL = 200
ONLY = 1  # the chain has one head


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


def words(event: Event, before: str) -> str:
    """All that the event says and the mark before it, in one text that can be read in one way."""
    said = (
        event.place, event.id, event.kind, event.person_id, event.actor_id, event.desk,
        event.network, event.device, event.verified_by, event.reason, event.ticket, event.detail,
        event.request, event.at.isoformat(), before,
    )  # fmt: skip
    return "\0".join(f"{len(str(each))}:{each}" for each in said)
