"""Setting up an authenticator app, the first one or one in its place."""

from dataclasses import dataclass
from datetime import timedelta

from portal.accounts import people, sessions
from portal.accounts.models import Person, Session
from portal.core import audit, clock
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import NoFlow
from portal.core.settings import setting
from portal.delivery import outbox
from portal.security import backups, factors, messages, qr, totp
from portal.security.models import Authenticator
from portal.security.qr import Drawing

STORY = "two-step"


@dataclass(frozen=True)
class Shown:
    """What an app is told: the key in groups, and both in a picture."""

    key: str
    drawing: Drawing
    replacing: bool


@dataclass(frozen=True)
class Turned:
    """The sign-in's new secret, and the backup codes, to be shown once."""

    secret: str
    codes: list[str]


def shown(session: Session, by: By) -> Shown:
    """The same key until it is confirmed.

    Raises NoFlow while an app is in use that is not being replaced; Unauthenticated.
    """
    with transaction():
        person = people.lock(session.person_id)
        sessions.still(by)
        app = _app(person, session)
        key = totp.key(app, session)
        picture = qr.drawn(totp.uri(key, person.email))
        return Shown(totp.grouped(key), picture, person.two_step_at is not None)


def confirm(session: Session, typed: str | None, by: By) -> Turned:
    """A right code shows that the app has the key: from now on signing in takes one.

    Every other sign-in ends, and backup codes of before are dead.  Raises Rejected, NoFlow.
    """
    code = factors.app_code(typed).code
    with transaction():
        person = people.lock(session.person_id)
        sessions.still(by)
        app = _app(person, session)
        factors.check(totp.take_first(app, session, code))
        totp.confirm(app, session)
        _tell(person, by)
        codes = backups.issue(person)
        sessions.end_all(person.id, but=session.id)
        return Turned(sessions.renew(session), codes)


def _tell(person: Person, by: By) -> None:
    kind, letter = "two-step:replaced", messages.two_step_replaced
    if person.two_step_at is None:
        kind, letter = "two-step:on", messages.two_step_on
        person.two_step_at = clock.now()
    event = audit.record(kind, person.id, by)
    outbox.put(letter, event, person.id)


def _app(person: Person, session: Session) -> Authenticator:
    """Once one is in use, the next is begun by password and code alone, and not kept for long.

    Raises NoFlow.
    """
    app = totp.pending(session)
    if person.two_step_at is None:
        return app or totp.begin(session)
    since = clock.now() - timedelta(seconds=setting("STEP_UP_SECONDS"))
    if app is None or app.created_at <= since:
        raise NoFlow(STORY)
    return app
