"""Who someone is, and where they are signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, String, Uuid, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock, crypto
from portal.core.db import BigId, ByteText, Model, UtcDateTime
from portal.core.settings import setting


@dataclass(frozen=True)
class Picture:
    """A person's picture, by its random name."""

    name: str

    def url(self, size: int) -> str:
        """The path of the square of `size` pixels a side."""
        return f"/pictures/{self.name}/{size}"


class Person(Model):
    """An account and the human behind it.

    `email` is where messages go; `email_key` is what addresses are compared by.
    """

    __tablename__ = "person"
    __table_args__ = (Index("ix_person_role", "role", "id"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, default=crypto.new_uuid, unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    email_proven_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phone: Mapped[str | None] = mapped_column(String(20), unique=True)  # E.164, proven
    phone_wanted: Mapped[str | None] = mapped_column(String(20))  # E.164, to be proven
    username: Mapped[str | None] = mapped_column(String(60))
    username_key: Mapped[str | None] = mapped_column(String(60), unique=True)
    full_name: Mapped[str] = mapped_column(String(200))
    picture_name: Mapped[str | None] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(120))
    password_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    two_step_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a second factor since then
    blocked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: until it is ended
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)  # purged later
    deleted_by_id: Mapped[int | None] = mapped_column(BigInteger)  # None: the operator
    held_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # "Not you?": until a recovery

    @property
    def picture(self) -> Picture | None:
        """Where the picture is served, if there is one."""
        return Picture(self.picture_name) if self.picture_name else None

    @property
    def is_blocked(self) -> bool:
        """Kept out by the helpdesk, for now or until it ends that."""
        over = self.blocked_until is not None and self.blocked_until <= clock.now()
        return self.blocked_at is not None and not over

    @classmethod
    def not_blocked(cls) -> ColumnElement[bool]:
        """The same the other way round, for a query."""
        return or_(cls.blocked_at.is_(None), cls.blocked_until <= clock.now())

    @property
    def is_shut(self) -> bool:
        """Blocked or deleted: nobody comes in, whatever they know."""
        return self.is_blocked or self.deleted_at is not None

    @property
    def may_come_back(self) -> bool:
        """Deleted by their own wish, and not blocked: signing in undoes it."""
        if self.deleted_at is None or self.deleted_by_id != self.id or self.is_blocked:
            return False
        return self.deleted_at + timedelta(days=setting("DELETION_DAYS")) > clock.now()

    @property
    def may_enter(self) -> bool:
        """Whether the right password lets this person in."""
        return (not self.is_shut or self.may_come_back) and self.held_at is None

    @property
    def initials(self) -> str:
        """First letters of the first and the last name, in place of a picture."""
        words = self.full_name.split() or ["?"]
        return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


class PastPassword(Model):
    """A password that was this person's once."""

    __tablename__ = "past_password"
    __table_args__ = (
        Index("ix_past_password_person", "person_id", "id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    password_hash: Mapped[str] = mapped_column(String(120))
    replaced_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EmailChange(Model):
    """A change of an address that was asked for, of one kind with those that were confirmed.

    Where it stands shows elsewhere: its challenge is open or not, and the person's address is that
    `before` or another.  Undone, it is gone.
    """

    __tablename__ = "email_change"
    __table_args__ = (
        Index("ix_email_change_person", "person_id", "id"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    challenge_id: Mapped[str] = mapped_column(String(43), unique=True)
    before: Mapped[str] = mapped_column(String(254))
    wanted: Mapped[str] = mapped_column(String(254))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Session(Model):
    """A sign-in, of a browser or of a program: every right hangs on this row."""

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_person", "person_id", "ended_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sid: Mapped[UUID] = mapped_column(Uuid, default=uuid4, unique=True)
    kind: Mapped[str] = mapped_column(String(20))  # browser | api | half: no second step yet
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    kept: Mapped[bool]  # "keep me signed in"
    device: Mapped[str] = mapped_column(String(100))
    network: Mapped[str] = mapped_column(String(50))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # password typed last
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SessionSecret(Model):
    """What the cookie or a refresh token must be; a digest only.

    A refresh token that was used is kept, marked: its second use tells of a thief.
    """

    __tablename__ = "session_secret"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), index=True
    )
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    session: Mapped[Session] = relationship(lazy="joined", innerjoin=True)


class KnownDevice(Model):
    """A browser in which this person has signed in: others' wrong passwords do not keep it out."""

    __tablename__ = "known_device"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SearchTerm(Model):
    """A word under which the helpdesk finds a person, folded; words are found by how they begin."""

    __tablename__ = "search_term"
    __table_args__ = (Index("ix_search_term_term", "term", "person_id"),)
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    term: Mapped[str] = mapped_column(ByteText, primary_key=True)


class Invitation(Model):
    """Somebody is asked to become staff; open until its challenge is proven or closed."""

    __tablename__ = "invitation"
    __table_args__ = {"sqlite_autoincrement": True}
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    challenge_id: Mapped[str] = mapped_column(String(43), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    invited_by_id: Mapped[int | None] = mapped_column(BigInteger)  # None: the operator
    invited_at: Mapped[datetime] = mapped_column(UtcDateTime)
