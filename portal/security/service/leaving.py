"""Deleting one's own account: out of use at once, gone after DELETION_DAYS."""

from datetime import datetime

from portal.accounts import admins, attempts, deletion, sessions
from portal.accounts.models import Session
from portal.codes import challenges
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.delivery import outbox
from portal.security import messages
from portal.security.service import knowing

FIELD = "password"


def delete(session: Session, password: str | None, device: str | None, by: By) -> datetime:
    """Every sign-in ends, and every wish that was open; signing in again undoes it.

    -> until when.  The person is told.  `device` is the token by which the browser is known.
    Raises TooSoon, or Rejected for the password, and for the last admin.
    """
    typed, kept_hash = attempts.given(FIELD, password), session.person.password_hash
    knowing.check(FIELD, typed, session.person, device, by)
    with transaction():
        person = admins.lock(session.person_id)
        sessions.still(by)
        if person.password_hash != kept_hash:
            raise attempts.mismatch(FIELD)
        admins.check_not_last(person)
        deletion.mark(person, person.id)
        ended = sessions.end_all(person.id)
        challenges.end_all(person.id)
        event = audit.record("account:delete-asked", person.id, by, detail=ended)
        outbox.put(messages.account_deleted, event, person.id)
        return deletion.until(person)
