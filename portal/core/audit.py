"""What happened, to whom, by whom and from where.  Ids only: rows outlive people."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.db import BigId, Model, UtcDateTime, db


@dataclass(frozen=True)
class By:
    """Who acts (None: nobody signed in, or the operator), from which network and device.

    Staff who act on others say why, and on which ticket.  `session_id` is the sign-in that they act
    by, where there is one.
    """

    person_id: int | None = None
    network: str = ""
    device: str = ""
    reason: str = ""
    ticket: str = ""
    session_id: int | None = None


OPERATOR = By(network="console", device="command line")


class Event(Model):
    """One thing that happened."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_person", "person_id", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    network: Mapped[str] = mapped_column(String(50))
    device: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(200))
    ticket: Mapped[str] = mapped_column(String(50))
    detail: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


def record(kind: str, person_id: int | None, by: By, detail: object = "") -> Event:
    """Written in the cause's transaction; flushed, so that its id can be given to a message."""
    event = Event(
        kind=kind,
        person_id=person_id,
        actor_id=by.person_id,
        network=by.network,
        device=by.device,
        reason=by.reason,
        ticket=by.ticket,
        detail=str(detail),
        at=clock.now(),
    )
    db.session.add(event)
    db.session.flush()
    return event


def get(event_id: int) -> Event | None:
    """The event of this id."""
    return db.session.get(Event, event_id)
