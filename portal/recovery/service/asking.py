"""Asking for a way back in, by email address or by phone number."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import devices, people, phones, sending
from portal.accounts.models import Person
from portal.codes import challenges
from portal.codes.models import PASSWORD_RESET
from portal.codes.terms import Terms
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected
from portal.delivery import outbox
from portal.delivery.recipes import Recipe
from portal.recovery import messages

PURPOSE, FIELD = PASSWORD_RESET, "identifier"


@dataclass(frozen=True)
class Asked:
    """What somebody asks by, once its turn is taken, and whom it leads to, if anybody."""

    key: str
    person: Person | None
    message: Recipe
    terms: Terms


def start(identifier: str | None, device: str | None, terms: Terms, by: By) -> str:
    """Opens a recovery for this address or number, known or not.  -> the flow's id.

    A number is answered by SMS, with a code alone.  `device` is the token by which the browser may
    be known.  Raises Rejected or TooSoon.
    """
    if phones.offered() and phones.looks_like_one(identifier):
        return _open(_by_phone(identifier, terms, by), by)
    return _open(_by_email(identifier, device, terms, by), by)


def _by_email(identifier: str | None, device: str | None, terms: Terms, by: By) -> Asked:
    if phones.offered() and not (identifier or "").strip():
        raise Rejected(FIELD, "empty", _("Enter your email address or phone number"))
    address = people.address(identifier, FIELD)
    person, key = people.find(address), people.key(address)
    sending.spend(PURPOSE, person, key, devices.own(device, person), by)
    return Asked(key, person, messages.recovery, terms)


def _by_phone(identifier: str | None, terms: Terms, by: By) -> Asked:
    """Counted by number alone: a count shared with the account would tell whose number it is."""
    number = phones.number(identifier, FIELD)
    sending.spend_sms(PURPOSE, number, None, by)
    person = people.of_phone(number)
    if person and person.held_at:
        person = None  # whoever holds it up reads its mail; only mail gives it back
    return Asked(phones.key(number), person, messages.recovery_sms, terms.by_sms())


def _open(asked: Asked, by: By) -> str:
    user_id = asked.person.id if asked.person and asked.person.blocked_at is None else None
    with transaction():
        challenge = challenges.open_(PURPOSE, user_id, asked.key, by.device, asked.terms)
        outbox.put(asked.message, challenge.id, user_id)
        audit.record("recovery:asked", user_id, by)
        return challenge.id
