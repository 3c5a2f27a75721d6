"""Programs that act for a person: steps inside the caller's transaction.

A sign-in like a browser's.  Its access tokens name it, and are worth what its row is worth; a
refresh token is its key and turns at each use.  One that is used twice has been stolen.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, exists, select, update

from portal.accounts import glances, messages, roles, sessions
from portal.accounts.glances import Along
from portal.accounts.models import Person, Session, SessionSecret
from portal.accounts.sessions import PROGRAM
from portal.codes import challenges
from portal.codes.models import PASSWORD_RESET
from portal.core import audit, clock, crypto
from portal.core.audit import By
from portal.core.db import changed, db
from portal.core.settings import setting
from portal.delivery import outbox

# Asked for by each call, so it is put together once.
_BY_SID = select(Session).where(Session.sid == bindparam("sid"))
_BY_SID = _BY_SID.execution_options(**sessions.AFRESH)


@dataclass(frozen=True)
class Program:
    """A program's sign-in, and its refresh token; "" where it has none."""

    session: Session
    refresh: str


def begin(person: Person, refreshing: bool, by: By, news: bool = True) -> Program:
    """A full sign-in of somebody who proved to be it.

    Without a refresh token it lasts as long as one access token.  The person is told of it, unless
    it is no `news`, or another began from the same network in the same way.
    """
    if person.email_proven_at:  # or a stranger would end what the mail's reader began
        challenges.end(PASSWORD_RESET, person.id)
    event = audit.record("sign-in:begun", person.id, by, detail="program")
    if news and not _is_usual(person, by):
        outbox.put(messages.new_device, event, person.id)
    until = _until(person, clock.now(), refreshing)
    session = sessions.opened(person, PROGRAM, True, until, by)
    return Program(session, sessions.new_secret(session) if refreshing else "")


def of_sid(sid: UUID, also: Along | None = None) -> Session | None:
    """The sign-in that an access token names, live or not, and its person; `also`: to look at."""
    this = {"sid": sid}
    found = glances.by_sid(this, also) if also else db.session.scalar(_BY_SID, this)
    return found if found is not None and found.kind == PROGRAM else None


def of_refresh(token: str) -> SessionSecret | None:
    """A refresh token of ours, whatever became of it."""
    wanted = select(SessionSecret).where(SessionSecret.digest == crypto.digest(token))
    row = db.session.scalar(wanted.execution_options(populate_existing=True))
    return row if row is not None and row.session.kind == PROGRAM else None


def turn(row: SessionSecret) -> str | None:
    """Uses a refresh token up.  -> the next one; None when it had been used before."""
    now = clock.now()
    mine = (SessionSecret.digest == row.digest, SessionSecret.used_at.is_(None))
    if not changed(db.session(), update(SessionSecret).where(*mine).values(used_at=now)):
        return None
    session = row.session
    session.seen_at, session.expires_at = now, _until(session.person, session.started_at, True)
    return sessions.new_secret(session)


def _is_usual(person: Person, by: By) -> bool:
    since = person.email_proven_at or clock.now()  # what was before, anybody may have been
    mine = (Session.person_id == person.id, Session.kind == PROGRAM, Session.started_at > since)
    alike = exists().where(*mine, Session.network == by.network, Session.device == by.device)
    return bool(db.session.scalar(select(alike)))


def _until(person: Person, started_at: datetime, refreshing: bool) -> datetime:
    """As long as its newest token lives; staff sign in as often as in a browser."""
    days = timedelta(days=setting("REFRESH_TOKEN_DAYS"))
    life = days if refreshing else timedelta(seconds=setting("ACCESS_TOKEN_SECONDS"))
    until = clock.now() + life
    return min(until, started_at + sessions.staff_longest()) if roles.is_staff(person) else until
