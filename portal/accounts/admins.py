"""The last admin cannot vanish: steps of every story that can take an admin away."""

from flask_babel import gettext as _
from sqlalchemy import or_, select

from portal.accounts import roles
from portal.accounts.models import Person
from portal.core.db import db
from portal.core.errors import Rejected, Vanished

CODE = "last-admin"


def lock(person_id: int) -> Person:
    """The person read afresh, and with all admins kept from change until the transaction ends.

    In place of `people.lock`, and the first thing of its transaction: one statement takes the rows
    in the order of their ids, so that two admins who remove each other queue and never wait in a
    ring.  Whoever comes second sees what the first has done.  Raises Vanished.
    """
    both = or_(Person.id == person_id, Person.role == roles.ADMIN)
    wanted = select(Person).where(both).order_by(Person.id).with_for_update()
    found = db.session.scalars(wanted.execution_options(populate_existing=True)).all()
    person = next((each for each in found if each.id == person_id), None)
    if person is None:
        raise Vanished
    return person


def check_not_last(person: Person) -> None:
    """Without this person there is still an admin who can sign in.  A step after `lock`.

    It takes no lock of its own: whoever removes another admin has to have this one's first.
    Raises Rejected (code `last-admin`).
    """
    if person.role == roles.ADMIN and not _others(person):
        words = _("Somebody has to be able to let staff in. Make another person an admin first.")
        raise Rejected(None, CODE, words)


def _others(person: Person) -> list[Person]:
    """The admins who can sign in but for this one, read afresh."""
    proven = (Person.email_proven_at.is_not(None), Person.held_at.is_(None))
    wanted = select(Person).where(Person.role == roles.ADMIN, Person.id != person.id, *proven)
    found = db.session.scalars(wanted.execution_options(populate_existing=True))
    return [each for each in found if not each.is_shut]
