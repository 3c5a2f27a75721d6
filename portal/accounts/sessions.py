"""Sign-ins of browsers and programs alike: one row to end them all."""

from datetime import datetime, timedelta
from uuid import uuid4

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm.attributes import set_committed_value

from portal.accounts import glances, roles
from portal.accounts.glances import Along
from portal.accounts.models import Person, Session, SessionSecret
from portal.core import clock, crypto, rows
from portal.core.audit import By
from portal.core.db import at_once, changed, db
from portal.core.errors import Unauthenticated
from portal.core.settings import setting

BROWSER, PROGRAM, HALF = "browser", "api", "half"
SEEN_PARTS = 30  # of the idle time: a write for every request would cost more than it tells
AFRESH = {"populate_existing": True}
# Asked for by each request, so it is put together once.
_OF = SessionSecret.session_id == Session.id, SessionSecret.digest == bindparam("digest")
_BY_SECRET = select(Session).join(SessionSecret, and_(*_OF)).execution_options(**AFRESH)


def begin(person: Person, kept: bool, by: By) -> tuple[str, bool]:
    """A new sign-in of a browser.  -> its secret, which only the browser has; whether it is kept.

    Staff are never kept signed in, and never in for longer than the settings say.
    """
    staff = roles.is_staff(person)
    kept = kept and not staff
    longest = min(_longest(kept), staff_longest()) if staff else _longest(kept)
    return new_secret(opened(person, BROWSER, kept, clock.now() + longest, by)), kept


def begin_half(person: Person, kept: bool, by: By) -> str:
    """The password was right, and a second step is still to come.  -> the secret for taking it.

    A row of another kind: to every guard it is no sign-in at all.
    """
    until = clock.after(setting("SECOND_STEP_SECONDS"))
    return new_secret(opened(person, HALF, kept, until, by))


def opened(person: Person, kind: str, kept: bool, until: datetime, by: By) -> Session:
    """A new sign-in that ends by itself at `until`, without a key to it yet."""
    now = clock.now()
    whose = {"person_id": person.id, "device": by.device, "network": by.network}
    lives = {"kept": kept, "started_at": now, "seen_at": now, "expires_at": until}
    session = rows.begin(Session, sid=uuid4(), kind=kind, **whose, **lives)
    set_committed_value(session, "person", person)
    return session


def of_cookie(secret: str, also: Along | None = None) -> Session | None:
    """The live sign-in behind a browser's cookie, its person read along; `also`: to look at."""
    found = _of_secret(secret, BROWSER, also)
    if found is not None:
        touch(found)
    return found


def of_half(secret: str | None) -> Session | None:
    """Half a sign-in that can still be made a whole one, its person read along."""
    return _of_secret(secret or "", HALF)


def _of_secret(secret: str, kind: str, also: Along | None = None) -> Session | None:
    mine = {"digest": crypto.digest(secret)}
    found = glances.by_secret(mine, also) if also else db.session.scalar(_BY_SECRET, mine)
    return found if found and found.kind == kind and is_live(found) else None


def is_live(session: Session) -> bool:
    """Neither ended nor run out nor left alone for too long, and its person may be here."""
    now = clock.now()
    used = session.kind == PROGRAM or session.seen_at + _idle(session.kept) > now
    in_time = session.expires_at > now and session.ended_at is None
    return used and in_time and not _is_kept_out(session)


def _is_kept_out(session: Session) -> bool:
    """Whoever is deleted by their own wish comes back by signing in, and may be halfway there."""
    person = session.person
    coming_back = session.kind == HALF and person.may_come_back
    return person.held_at is not None or (person.is_shut and not coming_back)


def still(by: By) -> None:
    """The sign-in that acts has not ended while what it asked for was made ready.

    A step of a transaction, after its person is locked.  Raises Unauthenticated.
    """
    if by.session_id is not None:
        session = db.session.get(Session, by.session_id, populate_existing=True)
        if session is None or not is_live(session):
            raise Unauthenticated("ended", _("The sign-in has ended."))


def is_fresh(session: Session) -> bool:
    """Whether the person showed lately enough who they are, for what is sensitive."""
    return _is_lately(session.started_at) or is_confirmed(session)


def is_confirmed(session: Session) -> bool:
    """The same, where signing in is not enough: the password was typed once more since."""
    return session.confirmed_at is not None and _is_lately(session.confirmed_at)


def _is_lately(moment: datetime) -> bool:
    return clock.now() - timedelta(seconds=setting("STEP_UP_SECONDS")) < moment <= clock.latest()


def confirm(session: Session) -> datetime:
    """The password was typed again; nothing else changes.  -> until when that counts."""
    mine = (Session.id == session.id, Session.ended_at.is_(None))
    db.session.execute(update(Session).where(*mine).values(confirmed_at=clock.now()))
    return clock.after(setting("STEP_UP_SECONDS"))


def renew(session: Session) -> str:
    """A new secret for the same sign-in; the old one dies."""
    db.session.execute(delete(SessionSecret).where(SessionSecret.session_id == session.id))
    return new_secret(session)


def end(session: Session) -> None:
    """This sign-in is over."""
    _end(Session.id == session.id)


def end_all(person_id: int, but: int | None = None) -> int:
    """Every sign-in of the person is over, but for the session id `but`.  -> how many were live."""
    live = count(person_id, but)
    _end(Session.person_id == person_id, Session.id != (but or 0))
    return live


def count(person_id: int, but: int | None = None, halves: bool = False) -> int:
    """How many sign-ins of the person could still be used, but for the session id `but`.

    `halves`: with those that wait for a second step.
    """
    now = clock.now()
    used = or_(
        Session.kind == PROGRAM,  # ends by itself when nobody uses it
        Session.seen_at > now - _idle(False),
        and_(Session.kept, Session.seen_at > now - _idle(True)),
    )
    live = (Session.ended_at.is_(None), Session.expires_at > now, used)
    mine = (Session.person_id == person_id, Session.id != (but or 0))
    kinds = () if halves else (Session.kind != HALF,)
    wanted = select(func.count()).select_from(Session).where(*mine, *live, *kinds)
    return db.session.scalar(wanted) or 0


def purge() -> int:
    """Removes sign-ins that had run out CODE_RETENTION_DAYS ago.  -> how many."""
    before = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    return changed(db.session(), delete(Session).where(Session.expires_at < before))


def _longest(kept: bool) -> timedelta:
    days = setting("KEEP_SIGNED_IN_DAYS")
    return timedelta(days=days) if kept else timedelta(seconds=setting("SESSION_ABSOLUTE_SECONDS"))


def _idle(kept: bool) -> timedelta:
    return _longest(True) if kept else timedelta(seconds=setting("SESSION_IDLE_SECONDS"))


def staff_longest() -> timedelta:
    """After this time somebody who helps others signs in again."""
    return timedelta(seconds=setting("STAFF_SESSION_SECONDS"))


def touch(session: Session) -> None:
    """It was used; noted now and then."""
    now, every = clock.now(), timedelta(seconds=setting("SESSION_IDLE_SECONDS")) / SEEN_PARTS
    if now - session.seen_at > every:
        at_once(update(Session).where(Session.id == session.id).values(seen_at=now))


def _end(*which: ColumnElement[bool]) -> None:
    live = update(Session).where(*which, Session.ended_at.is_(None)).values(ended_at=clock.now())
    db.session.execute(live)


def new_secret(session: Session) -> str:
    """One more key to this sign-in: a cookie or a refresh token."""
    secret = crypto.new_token()
    rows.send(SessionSecret, {"digest": crypto.digest(secret), "session_id": session.id})
    return secret
