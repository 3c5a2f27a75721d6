"""What one says of oneself, beyond the name."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Model


class Profile(Model):
    """A person's page.  Name and picture are the person's own columns: every page shows them."""

    __tablename__ = "profile"
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    job_title: Mapped[str] = mapped_column(String(200), default="")
    organisation: Mapped[str] = mapped_column(String(200), default="")
    city: Mapped[str] = mapped_column(String(200), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    links: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    bio: Mapped[str] = mapped_column(Text, default="")
