"""Second factors."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import BigId, Model, UtcDateTime


class Authenticator(Model):
    """The key that a person's app shares with us, sealed; one in use, one perhaps being set up."""

    __tablename__ = "authenticator"
    __table_args__ = (
        Index("ix_authenticator_person", "person_id", "confirmed_at"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    secret: Mapped[str] = mapped_column(String(200))
    last_step: Mapped[int] = mapped_column(BigInteger)  # none is taken twice, nor an older one
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # in use since then


class BackupCode(Model):
    """A code for when the app is not at hand; a keyed digest only, good once."""

    __tablename__ = "backup_code"
    __table_args__ = (
        Index("ix_backup_code_person", "person_id", "digest"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
