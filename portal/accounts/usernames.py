"""Usernames: one person's, without regard to case; of those who answer for an address."""

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Person
from portal.core.db import at_once, db
from portal.core.errors import Rejected


def holder(key: str | None) -> Person | None:
    """Whoever has the username of this key, read afresh."""
    wanted = select(Person).where(Person.username_key == key)
    return db.session.scalar(wanted.execution_options(populate_existing=True)) if key else None


def free(key: str | None) -> None:
    """Takes the username of this key from whoever has not proven an address, in its own commit."""
    waiting = (Person.email_proven_at.is_(None), Person.not_blocked())
    held = update(Person).where(Person.username_key == key, *waiting)
    if key:
        at_once(held.values(username=None, username_key=None))


def give(person: Person, username: str | None, key: str | None) -> None:
    """The username (its key) is this person's from now on.  A step of a transaction.

    Raises Rejected when it is somebody else's.
    """
    if username == person.username:
        return
    try:
        with db.session.begin_nested():
            person.username, person.username_key = username, key
    except IntegrityError:
        raise taken() from None


def taken() -> Rejected:
    """It is somebody else's."""
    words = _("Somebody else has this username. Choose another.")
    return Rejected("username", "taken", words)
