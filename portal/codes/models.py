"""What is kept of codes and of the wish around them."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, SmallInteger, String, func
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import BigId, Model, UtcDateTime

PASSWORD_RESET, VERIFY_EMAIL, VERIFY_PHONE = "password_reset", "verify_email", "verify_phone"
CHANGE_EMAIL, STEP_UP, INVITATION = "change_email", "step_up", "invitation"
EMAIL, SMS = "email", "sms"  # channels of messages
PAGE, API, DESK = "page", "api", "desk"  # doors at which somebody may ask
NOBODY = 0  # the user_id of an unknown address: same rows, no key between this level and people


class Otp(Model):
    """A one-time code: made -> running (handed over) -> consumed or run out."""

    __tablename__ = "otp"
    __table_args__ = (
        Index("ix_otp_user_purpose", "user_id", "purpose"),
        Index("ix_otp_expires", "expires_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigInteger)
    otp_hash: Mapped[str] = mapped_column(String(255))
    purpose: Mapped[str] = mapped_column(String(50))
    channel: Mapped[str] = mapped_column(String(20))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    consumed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    max_attempts: Mapped[int] = mapped_column(SmallInteger, server_default="5")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=func.now())


class Challenge(Model):
    """One wish to prove something: opened -> sent (code, link) -> granted -> closed.

    `id` is what the asking browser holds; it gives no right.  `code_until` is the code's end as the
    asking browser may know it: it never tells what happened to the code elsewhere.  Without a
    `link_path` the message has no link, and `link_seconds` is the life of the wish alone.  `door`
    says who asked, a page or a program: a page's code is good in its own browser only.  `follows`
    is the wish that this one asked for again.
    """

    __tablename__ = "challenge"
    __table_args__ = (
        Index("ix_challenge_typed", "typed_hash", "purpose"),
        Index("ix_challenge_user", "user_id"),
    )
    id: Mapped[str] = mapped_column(String(43), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(50))
    channel: Mapped[str] = mapped_column(String(20))
    door: Mapped[str] = mapped_column(String(10), default=PAGE)
    follows: Mapped[str | None] = mapped_column(String(43), index=True)
    user_id: Mapped[int] = mapped_column(BigInteger)
    typed_hash: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(100))
    code_seconds: Mapped[int] = mapped_column(Integer)
    max_attempts: Mapped[int] = mapped_column(SmallInteger)
    link_seconds: Mapped[int] = mapped_column(Integer)
    link_path: Mapped[str] = mapped_column(String(100))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by the transport, first
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # its link opened, a code typed
    otp_id: Mapped[int | None] = mapped_column(BigInteger)
    code_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    link_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    link_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    proven_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    grant_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    grant_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # what it was for is done
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
