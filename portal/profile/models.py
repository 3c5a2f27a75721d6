"""What one says of oneself, beyond the name."""

from typing import Any, cast

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.glances import Along
from portal.accounts.models import Person
from portal.core.db import Model, db
from portal.core.looks import Seen


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


EMPTY = {"job_title": "", "organisation": "", "city": "", "country": "", "links": {}, "bio": ""}
# Read with who asks, by those who show it.
ALSO = Along("profile", Profile, Profile.person_id == Person.id, EMPTY)


def of(person: Person) -> Profile | None:
    """What this person said; None when nothing was ever said."""
    if isinstance(person, Seen):
        return cast(Profile, vars(person)[ALSO.name])
    return db.session.get(Profile, person.id)
