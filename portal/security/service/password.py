"""Changing the password."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import attempts, passwords, people, sessions
from portal.accounts.models import Person, Session
from portal.codes import challenges, flows
from portal.codes.flows import Flow
from portal.codes.models import Challenge
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, Rejected
from portal.security.service import delivered, knowing

FIELD = "old_password"


@dataclass(frozen=True)
class Change:
    """What was typed to change the password; `again` None where the door does not ask twice.

    `device` is the token by which the browser is known.  `code` is the delivered one, where the
    settings ask for it, and `flow` what the browser asked for it by.
    """

    old: str | None
    new: str | None
    again: str | None
    device: str | None = None
    code: str | None = None
    flow: str | None = None


def change_password(session: Session, change: Change, by: By) -> tuple[str, int]:
    """A new password for the person of this sign-in; the person's others end.

    -> this browser's new secret ("" for a program, which keeps its own), and how many others ended.
    Raises Several, Rejected or TooSoon; CodeNeeded where a code is asked for, once it was sent.  A
    password that is refused leaves the code good.
    """
    with Gather() as take:
        old = take(attempts.given, FIELD, change.old)
        accepted = _accepted(change, take)
    kept_hash = session.person.password_hash
    knowing.check(FIELD, old, session.person, change.device, by)
    wish = delivered.judged(session, change.code, change.flow, change.device, by)
    with delivered.spared(wish):
        return _change(session, accepted, kept_hash, wish, by)


def change_confirmed(session: Session, change: Change, by: By) -> tuple[str, int]:
    """The same with the old password, or without where it was typed a moment ago to confirm.

    Raises Rejected (field `old_password`, code `unconfirmed` or `mismatch`), Several, TooSoon or
    CodeNeeded.
    """
    if not change.old and not sessions.is_confirmed(session):
        words = _("Give your current password as well, or confirm it first.")
        raise Rejected(FIELD, "unconfirmed", words)
    with Gather() as take:
        accepted = _accepted(change, take)
    kept_hash = session.person.password_hash
    if change.old:
        knowing.check(FIELD, change.old, session.person, change.device, by)
    wish = delivered.judged(session, change.code, change.flow, change.device, by)
    with delivered.spared(wish):
        return _change(session, accepted, kept_hash, wish, by)


def send_code(session: Session, device: str | None, by: By) -> str:
    """Sends the code that changing the password asks for.  -> the flow's id.  Raises TooSoon."""
    return delivered.send(session, device, by)


def code_flow(session: Session, flow: str | None) -> Flow | None:
    """What this browser may know of the code that it waits for, if it waits for one."""
    wish = delivered.waited_for(session, flow)
    return flows.face(wish) if wish else None


def live_sign_ins(person: Person) -> int:
    """In how many browsers and programs the person is signed in."""
    return sessions.count(person.id)


def _accepted(change: Change, take: Gather) -> str:
    password = take(passwords.acceptable, change.new)
    take(passwords.repeated, change.new, change.again)
    return password


def _change(
    session: Session, accepted: str, kept_hash: str, wish: Challenge | None, by: By
) -> tuple[str, int]:
    candidate = passwords.prepare(session.person, accepted)
    with transaction():
        person = people.lock(session.person_id)
        sessions.still(by)
        if person.password_hash != kept_hash:
            raise attempts.mismatch(FIELD)
        delivered.use(wish)
        others = sessions.count(person.id) - 1
        passwords.replace(person, candidate, by, but_session=session.id)
        challenges.end_all(person.id)
        secret = sessions.renew(session) if session.kind == sessions.BROWSER else ""
        return secret, max(0, others)
