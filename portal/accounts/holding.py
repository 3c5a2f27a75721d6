"""Holding an account still after "that was not me": steps inside the caller's transaction."""

from portal.accounts import devices, sessions
from portal.accounts.models import Person
from portal.codes import challenges
from portal.core import audit, clock
from portal.core.audit import By


def hold(person: Person, by: By) -> None:
    """Whoever is in is out, and nobody comes in until a recovery has set a new password.

    Codes, links and grants die as well: a way back in that is open now may be the thief's.  So may
    the phone number, which would be a way back in later.
    """
    person.held_at = person.held_at or clock.now()
    person.phone = person.phone_wanted = None
    ended = sessions.end_all(person.id)
    devices.forget_all(person.id)
    challenges.end_all(person.id)
    audit.record("account:held", person.id, by, detail=ended)


def let_go(person: Person) -> None:
    """Somebody who reads the person's mail has chosen a new password."""
    person.held_at = None
