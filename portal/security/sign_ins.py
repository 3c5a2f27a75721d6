"""Where somebody is signed in at this moment."""

from sqlalchemy import select

from portal.accounts import sessions
from portal.accounts.models import Person, Session
from portal.core import clock
from portal.core.db import db


def of_person(person: Person) -> list[Session]:
    """The person's live sign-ins, of browsers and programs, newest first."""
    mine = (Session.person_id == person.id, Session.kind != sessions.HALF)
    live = (Session.ended_at.is_(None), Session.expires_at > clock.now())
    wanted = select(Session).where(*mine, *live)
    newest = wanted.order_by(Session.started_at.desc(), Session.id.desc())
    found = db.session.scalars(newest.execution_options(populate_existing=True))
    return [each for each in found if sessions.is_live(each)]
