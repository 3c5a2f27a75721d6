"""Deleting an account: out of use at once, out of the database after DELETION_DAYS."""

from datetime import datetime, timedelta

from sqlalchemy import delete

from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import changed, db
from portal.core.settings import setting


def mark(person: Person, by_id: int | None) -> None:
    """Deleted from now on, by this person's own wish or another's (None: the operator's).

    A step of a transaction; sign-ins and open ways in are its caller's.
    """
    person.deleted_at, person.deleted_by_id = person.deleted_at or clock.now(), by_id


def until(person: Person) -> datetime:
    """When a deleted account goes for good."""
    return (person.deleted_at or clock.now()) + timedelta(days=setting("DELETION_DAYS"))


def undo(person: Person) -> None:
    """As if it had not been deleted.  A step of a transaction."""
    person.deleted_at = person.deleted_by_id = None


def purge() -> int:
    """Removes what was deleted DELETION_DAYS ago; history keeps the number alone.  -> how many."""
    before = clock.now() - timedelta(days=setting("DELETION_DAYS"))
    return changed(db.session(), delete(Person).where(Person.deleted_at < before))
