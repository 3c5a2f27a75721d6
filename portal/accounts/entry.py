"""Coming in: what a browser is given once it is clear who uses it."""

from dataclasses import dataclass

from portal.accounts import devices, messages, sessions
from portal.accounts.models import Person
from portal.codes import challenges
from portal.codes.models import PASSWORD_RESET, Challenge
from portal.core import audit
from portal.core.audit import By
from portal.delivery import outbox


@dataclass(frozen=True)
class SignedIn:
    """The sign-in's secret, and the token by which the browser is known from now on."""

    secret: str
    device: str
    kept: bool


def begin(person: Person, kept: bool, device: str | None, by: By) -> SignedIn:
    """A full sign-in of a person who proved to be it.  A step of a transaction.

    Who is in needs no way back: links and codes of open recoveries die.  A browser that the person
    has not used before is told of to the person.
    """
    challenges.end(PASSWORD_RESET, Challenge.user_id == person.id)
    event = audit.record("sign-in:begun", person.id, by)
    if devices.own(device, person) is None:
        outbox.put(messages.new_device, event.id, person.id)
    secret, kept = sessions.begin(person, kept, by)
    return SignedIn(secret, devices.remember(device, person), kept)
