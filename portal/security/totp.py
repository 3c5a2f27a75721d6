"""Codes of an authenticator app (RFC 6238): steps inside the caller's transaction.

Sole owner of pyotp.  A key that is being set up is sealed for the sign-in that sees it: what
somebody else looked at in another one never becomes the account's.
"""

import logging
from datetime import timedelta

import pyotp
from sqlalchemy import ColumnElement, Select, delete, select, update

from portal.accounts.models import Person, Session
from portal.core import clock, crypto, sealing
from portal.core.db import changed, db
from portal.core.sealing import Unsealable
from portal.core.settings import setting
from portal.security.models import Authenticator

STEP = 30  # seconds that the app shows one code
BEFORE = 1  # steps: for whoever types slowly, and for a phone whose clock is behind
NEVER = -1
GROUP = 4
UNCONFIRMED = timedelta(days=1)  # so long a key waits for its app
RIGHT, USED, WRONG = "right", "used", "wrong"
log = logging.getLogger("latchkey")


def current(person: Person) -> Authenticator | None:
    """The app in use."""
    return db.session.scalar(_those(person.id, Authenticator.confirmed_at.is_not(None)))


def pending(session: Session) -> Authenticator | None:
    """The app that is being set up in this sign-in."""
    waiting = db.session.scalars(_those(session.person_id, Authenticator.confirmed_at.is_(None)))
    return next((each for each in waiting if _opened(each, _waiting(session))), None)


def begin(session: Session) -> Authenticator:
    """A new key for this sign-in; those that other sign-ins saw are dropped."""
    waiting = Authenticator.confirmed_at.is_(None)
    db.session.execute(delete(Authenticator).where(_mine(session.person_id), waiting))
    app = Authenticator(
        person_id=session.person_id,
        secret=sealing.seal(pyotp.random_base32(), _waiting(session)),
        last_step=NEVER,
        created_at=clock.now(),
    )
    db.session.add(app)
    db.session.flush()
    return app


def key(app: Authenticator, session: Session) -> str:
    """What an app has to be told, in base 32.  Only while it is being set up in this sign-in."""
    return sealing.unseal(app.secret, _waiting(session))


def grouped(key_: str) -> str:
    """The key as people read it: in groups of four."""
    return " ".join(key_[start : start + GROUP] for start in range(0, len(key_), GROUP))


def uri(key_: str, account: str) -> str:
    """The same for the camera of an app, with the names that it shows."""
    totp = pyotp.TOTP(key_, interval=STEP)
    return totp.provisioning_uri(name=account, issuer_name=setting("PORTAL_NAME"))


def confirm(app: Authenticator, session: Session) -> None:
    """From now on the one in use; the one before is gone."""
    others = Authenticator.id != app.id
    db.session.execute(delete(Authenticator).where(_mine(app.person_id), others))
    app.secret = sealing.seal(key(app, session), _in_use(app.person_id))
    app.confirmed_at = clock.now()


def take_first(app: Authenticator, session: Session, code: str) -> str:
    """The code that shows that the app has the key.  -> RIGHT, USED or WRONG."""
    return _take(app, key(app, session), code)


def take(person: Person, code: str) -> str:
    """Uses up the step that the code belongs to, once for everybody.  -> RIGHT, USED or WRONG."""
    app = current(person)
    key_ = _opened(app, _in_use(person.id)) if app else ""
    if app is None or not key_:
        return WRONG
    return _take(app, key_, code)


def forget(person: Person) -> None:
    """No app at all."""
    db.session.execute(delete(Authenticator).where(_mine(person.id)))


def purge() -> int:
    """Removes keys that were shown and never confirmed.  A step of a transaction.  -> how many."""
    waiting = Authenticator.confirmed_at.is_(None)
    old = Authenticator.created_at < clock.now() - UNCONFIRMED
    return changed(db.session(), delete(Authenticator).where(waiting, old))


def _take(app: Authenticator, key_: str, code: str) -> str:
    step = _step(key_, code)
    if step is None:
        return WRONG
    unused = (Authenticator.id == app.id, Authenticator.last_step < step)
    taken = changed(db.session(), update(Authenticator).where(*unused).values(last_step=step))
    return RIGHT if taken else USED


def _step(key_: str, code: str) -> int | None:
    """The newest step of which this is the code."""
    now, totp = int(clock.now().timestamp()) // STEP, pyotp.TOTP(key_, interval=STEP)
    found = [n for n in range(now - BEFORE, now + 1) if crypto.same(totp.generate_otp(n), code)]
    return found[-1] if found else None


def _opened(app: Authenticator, about: str) -> str:
    """The key; "" where it was sealed for something else, or by a data key that is lost."""
    try:
        return sealing.unseal(app.secret, about)
    except Unsealable:
        if app.confirmed_at:
            log.error("an app's key cannot be read: is DATA_KEY another than it was?")
        return ""


def _waiting(session: Session) -> str:
    return f"authenticator {session.person_id} of sign-in {session.id}"


def _in_use(person_id: int) -> str:
    return f"authenticator {person_id}"


def _mine(person_id: int) -> ColumnElement[bool]:
    return Authenticator.person_id == person_id


def _those(person_id: int, which: ColumnElement[bool]) -> Select[Authenticator]:
    wanted = select(Authenticator).where(_mine(person_id), which).order_by(Authenticator.id.desc())
    return wanted.execution_options(populate_existing=True)
