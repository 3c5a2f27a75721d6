"""Where one is signed in, and signing out there.

Ending others is for whoever showed lately who they are: a found device must not shut its owner out.
"""

from collections.abc import Sequence
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts import people, sessions
from portal.accounts.models import Person, Session
from portal.core import audit
from portal.core.audit import By
from portal.core.db import db, transaction
from portal.core.errors import NotAllowed, Rejected
from portal.security import sign_ins as live


def sign_ins(person: Person) -> Sequence[Session]:
    """The person's live sign-ins, of browsers and programs, newest first."""
    return live.of_person(person)


def sign_in(person: Person, sid: UUID) -> Session:
    """One of these.  Raises NotAllowed for somebody else's, and for one that is over."""
    return _of_sid(person, sid)


def end(acting: Session, sid: UUID, by: By) -> str:
    """This one is over, and every key to it.  -> what it was called.

    Raises NotAllowed as `sign_in` does, or Rejected (code `unconfirmed`) unless it is `acting`.
    """
    with transaction():
        person = people.lock(acting.person_id)
        sessions.still(by)
        ended = _of_sid(person, sid)
        if ended.id != acting.id:
            _check_fresh(acting)
        sessions.end(ended)
        audit.record("sign-in:ended", person.id, by, detail="by its person")
        return ended.device


def end_others(acting: Session, by: By) -> int:
    """Signed out everywhere but for `acting`.  -> how many were live.  Raises Rejected as `end`."""
    return _end_all(acting, by, acting.id)


def end_all(acting: Session, by: By) -> int:
    """The same, and `acting` as well."""
    return _end_all(acting, by, None)


def _end_all(acting: Session, by: By, but: int | None) -> int:
    _check_fresh(acting)
    with transaction():
        people.lock(acting.person_id)
        sessions.still(by)
        ended = sessions.end_all(acting.person_id, but)
        audit.record("sign-in:all-ended", acting.person_id, by, detail=ended)
        return ended


def _check_fresh(acting: Session) -> None:
    if not sessions.is_fresh(acting):
        words = _("Confirm your password first. Then you can sign out other devices.")
        raise Rejected(None, "unconfirmed", words)


def _of_sid(person: Person, sid: UUID) -> Session:
    mine = (Session.person_id == person.id, Session.kind != sessions.HALF)
    wanted = select(Session).where(Session.sid == sid, *mine)
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    if found is None or not sessions.is_live(found):
        raise NotAllowed
    return found
