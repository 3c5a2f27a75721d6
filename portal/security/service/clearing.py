"""Turning off somebody else's second factor, for who has lost the phone and every backup code."""

from flask_babel import gettext as _

from portal.accounts import attention, roles, sessions
from portal.accounts.models import Person
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected
from portal.delivery import outbox
from portal.security import backups, messages, totp


def clear_factor(person: Person, actor: Person | None, by: By) -> None:
    """No second factor any more, every sign-in over; the person is told by whom.

    Staff set up another one at their next sign-in.  Raises Forbidden, NotAllowed, Several;
    Rejected (code `no-factor`) where there is none.
    """
    roles.require(actor, "people:clear-factor", over=person)
    by = attention.accounted(by)
    with transaction():
        locked = attention.turn(person, actor, "people:clear-factor", by)
        if locked.two_step_at is None:
            words = _("Two-step sign-in is off already.")
            raise Rejected(None, "no-factor", words)
        locked.two_step_at = None
        totp.forget(locked)
        backups.forget(locked)
        ended = sessions.end_all(locked.id)
        change = f"two-step: on to off, sign-ins: {ended} to 0"
        event = audit.record("two-step:cleared", locked.id, by, detail=change)
        outbox.put(messages.two_step_off, event, locked.id)
