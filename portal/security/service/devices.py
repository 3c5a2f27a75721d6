"""Where one is signed in, and signing out there."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from portal.accounts import people, sessions
from portal.accounts.models import Person, Session
from portal.core import audit, clock
from portal.core.audit import By
from portal.core.db import db, transaction
from portal.core.errors import NotAllowed


def sign_ins(person: Person) -> Sequence[Session]:
    """The person's live sign-ins, of browsers and programs, newest first."""
    mine = (Session.person_id == person.id, Session.ended_at.is_(None))
    wanted = select(Session).where(*mine, Session.expires_at > clock.now())
    newest = wanted.order_by(Session.started_at.desc(), Session.id.desc())
    found = db.session.scalars(newest.execution_options(populate_existing=True))
    return [each for each in found if sessions.is_live(each)]


def sign_in(person: Person, sid: UUID) -> Session:
    """One of these.  Raises NotAllowed for somebody else's, and for one that is over."""
    return _of_sid(person, sid)


def end(person: Person, sid: UUID, by: By) -> None:
    """This one is over, and every key to it.  Raises NotAllowed as `sign_in` does."""
    with transaction():
        people.lock(person.id)
        sessions.end(_of_sid(person, sid))
        audit.record("sign-in:ended", person.id, by, detail="by its person")


def end_all(person: Person, by: By, but: Session | None = None) -> int:
    """Signed out everywhere, but for the sign-in `but`.  -> how many were live."""
    with transaction():
        people.lock(person.id)
        ended = sessions.end_all(person.id, but.id if but else None)
        audit.record("sign-in:all-ended", person.id, by, detail=ended)
        return ended


def _of_sid(person: Person, sid: UUID) -> Session:
    wanted = select(Session).where(Session.sid == sid, Session.person_id == person.id)
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    if found is None or not sessions.is_live(found):
        raise NotAllowed
    return found
