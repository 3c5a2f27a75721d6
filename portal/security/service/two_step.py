"""Two-step sign-in of one's own: how it stands, and changing it by password and second factor."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from portal.accounts import roles, sessions
from portal.accounts.models import Person, Session
from portal.core import audit
from portal.core.audit import By
from portal.core.errors import Rejected
from portal.delivery import outbox
from portal.security import backups, messages, totp
from portal.security.service import showing
from portal.security.service.showing import Proof


@dataclass(frozen=True)
class Standing:
    """Since when it is on (None: off), backup codes left, and whether that is few."""

    since: datetime | None
    left: int
    few: bool
    needed: bool  # by the person's role


def standing(person: Person) -> Standing:
    """How it stands with this person."""
    left = backups.left(person)
    return Standing(person.two_step_at, left, left <= backups.FEW, roles.is_staff(person))


def replace(session: Session, proof: Proof, by: By) -> None:
    """Another app may be set up in this sign-in; the one in use works until that is confirmed.

    Raises Several, Rejected or TooSoon.
    """
    with showing.both(session, proof, by):
        totp.begin(session)
        sessions.confirm(session)


def new_codes(session: Session, proof: Proof, by: By) -> list[str]:
    """Backup codes in place of those of before, to be shown once.  Raises as `replace` does."""
    with showing.both(session, proof, by) as person:
        event = audit.record("two-step:new-codes", person.id, by)
        outbox.put(messages.backup_codes_new, event, person.id)
        return backups.issue(person)


def sealed(codes: list[str], session: Session) -> str:
    """Such codes, for the browser to keep while the person puts them away."""
    return backups.sealed(codes, session)


def opened(kept: str, session: Session) -> list[str]:
    """The same codes again; none in another sign-in, or later."""
    return backups.opened(kept, session)


def put_away(is_done: bool) -> None:
    """The person has kept the codes, and does not see them again.  Raises Rejected until then."""
    if not is_done:
        raise backups.not_kept()


def off(session: Session, proof: Proof, by: By) -> None:
    """The password alone will do again; not for staff.  Raises as `replace` does."""
    if roles.is_staff(session.person):
        words = _("Your role needs two-step sign-in. You can replace the app instead.")
        raise Rejected(None, "staff", words)
    with showing.both(session, proof, by) as person:
        person.two_step_at = None
        totp.forget(person)
        backups.forget(person)
        event = audit.record("two-step:off", person.id, by)
        outbox.put(messages.two_step_off, event, person.id)
