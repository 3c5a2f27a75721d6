"""Showing once more who one is, before what is sensitive."""

from datetime import datetime

from portal.accounts import attempts, people, sessions
from portal.accounts.models import Session
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.security.service import knowing

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
