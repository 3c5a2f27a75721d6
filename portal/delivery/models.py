"""Messages to be sent, what keeps their senders in step, and messages that were caught instead."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import BigId, Model, UtcDateTime

TROUBLED = text("trouble <> ''")


class Outgoing(Model):
    """A message to be sent: names and ids only, no address, no secret.

    waiting -> sending (leased) -> accepted, or waiting again until `due_at`, or ended otherwise:
    refused, in doubt, given up; `trouble` says why.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_waiting", "done_at", "rank", "due_at"),
        Index("ix_outbox_trouble", "id", sqlite_where=TROUBLED, postgresql_where=TROUBLED),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recipe: Mapped[str] = mapped_column(String(50))
    about: Mapped[str] = mapped_column(String(100))
    person_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    channel: Mapped[str] = mapped_column(String(20))
    rank: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer)
    lease: Mapped[str | None] = mapped_column(String(43))  # who holds it
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # accepted or ended otherwise
    trouble: Mapped[str] = mapped_column(String(100))  # of the last try: a word, the server's code


class Breaker(Model):
    """How the transport of a channel is doing; `broken` says how far its way leads."""

    __tablename__ = "breaker"
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    faults: Mapped[int] = mapped_column(Integer)  # one after the other
    broken: Mapped[str] = mapped_column(String(20))  # "" closed | road | message
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    probe_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Turn(Model):
    """Whose turn a piece of work is, where one of several processes does it."""

    __tablename__ = "turn"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    holder: Mapped[str] = mapped_column(String(43))
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class Caught(Model):
    """A message that the mailbox transport kept instead of sending; never used in production."""

    __tablename__ = "mailbox"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    to: Mapped[str] = mapped_column(String(300))
    channel: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
