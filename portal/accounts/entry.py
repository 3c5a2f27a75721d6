"""Coming in: what a browser is given once it is clear who uses it."""

from dataclasses import dataclass

from portal.accounts import deletion, devices, messages, sessions
from portal.accounts.models import Person
from portal.codes import challenges
from portal.codes.models import PASSWORD_RESET
from portal.core import audit
from portal.core.audit import By
from portal.delivery import outbox


@dataclass(frozen=True)
class SignedIn:
    """The sign-in's secret, and the token by which the browser is known from now on.

    `restored`: the account was to be deleted, and coming in has kept it.
    """

    secret: str
    device: str
    kept: bool
    restored: bool = False


@dataclass(frozen=True)
class Half:
    """The password was right: the secret with which the second step is taken, and no more."""

    secret: str


Entered = SignedIn | Half


def begin(person: Person, kept: bool, device: str | None, by: By) -> Entered:
    """A sign-in of a person who proved to be it.  A step of a transaction.

    Only half of one where the account asks for a second factor.
    """
    if person.two_step_at is not None:
        return Half(sessions.begin_half(person, kept, by))
    return complete(person, kept, device, by)


def complete(person: Person, kept: bool, device: str | None, by: By, how: str = "") -> SignedIn:
    """A full sign-in, once nothing is left to be shown (`how`: by what, beyond the password).

    Who is in needs no way back: links and codes of open recoveries die, and an account that its
    person wanted to delete is kept.  A browser that the person has not used before is told of to
    the person.  A step of a transaction.
    """
    challenges.end(PASSWORD_RESET, person.id)
    if restored := person.may_come_back:
        deletion.undo(person)
        audit.record("account:restored", person.id, by)
    event = audit.record("sign-in:begun", person.id, by, detail=how)
    if devices.own(device, person) is None:
        outbox.put(messages.new_device, event, person.id)
    secret, kept = sessions.begin(person, kept, by)
    return SignedIn(secret, devices.remember(device, person), kept, restored)
