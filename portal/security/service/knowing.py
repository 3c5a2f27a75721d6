"""Knowing the password: the steps that changing it shares with confirming who one is."""

from portal.accounts import alerts, attempts
from portal.accounts.models import Person
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected


def check(field: str, typed: str, person: Person, device: str | None, by: By) -> None:
    """It is this person's password.  A wrong one raises the same alarm as at signing in.

    `device` is the token by which the browser is known.  Raises Rejected for `field`, or TooSoon.
    """
    if not attempts.again(typed, person, device, by):
        raise refused(field, person, by)


def refused(field: str, person: Person, by: By) -> Rejected:
    """It is not the password, or not any more; noted."""
    with transaction():
        event = audit.record("password:refused", person.id, by)
        alerts.wrong_password(person, person.email_key, event)
    return attempts.mismatch(field)
