"""Showing once more who one is, before what is sensitive."""

from datetime import datetime

from flask_babel import gettext as _

from portal.accounts import attempts, people, sessions
from portal.accounts.models import Session
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected
from portal.security import factors
from portal.security.service import knowing, showing
from portal.security.service.showing import Proof

FIELD = "password"


def confirm(session: Session, password: str | None, device: str | None, by: By) -> datetime:
    """The right password counts for STEP_UP_SECONDS.  -> until when.

    `device` is the token by which the browser is known.  Raises Rejected or TooSoon.
    """
    typed, kept_hash = attempts.given(FIELD, password), session.person.password_hash
    knowing.check(FIELD, typed, session.person, device, by)
    with transaction():
        person = people.lock(session.person_id)
        sessions.still(by)
        if person.password_hash != kept_hash:
            raise attempts.mismatch(FIELD)
        audit.record("sign-in:confirmed", session.person_id, by)
        return sessions.confirm(session)


def confirm_by_either(session: Session, proof: Proof, by: By) -> datetime:
    """The same with the password or with a code from the app, where the person has one."""
    if session.person.two_step_at is None or proof.password:
        return confirm(session, proof.password, proof.device, by)
    if not proof.code:
        words = _("Enter your current password, or a code from your app")
        raise Rejected(FIELD, "empty", words)
    given = factors.app_code(proof.code)
    with showing.counted(session.person, proof.device, factors.INSIDE, by), transaction():
        person = people.lock(session.person_id)
        sessions.still(by)
        factors.take(person, given)
        audit.record("sign-in:confirmed", person.id, by, detail=given.how)
        return sessions.confirm(session)
