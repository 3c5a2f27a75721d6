"""Asking for a way back in, by email address, phone number or username."""

from dataclasses import dataclass
from uuid import uuid4

from flask_babel import gettext as _

from portal.accounts import devices, names, people, phones, sending, usernames
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
from portal.recovery import funnel, messages

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
        return _open(_by_phone(phones.number(identifier, FIELD), terms, by), by)
    if phones.offered() and not (identifier or "").strip():
        raise Rejected(FIELD, "empty", _("Enter your email address or phone number"))
    return _open(_by_email(people.address(identifier, FIELD), device, terms, by), by)


def start_by_email(email: str | None, terms: Terms, by: By) -> None:
    """The same for a program, which no device makes known.  Raises Rejected or TooSoon."""
    _open(_by_email(people.address(email), None, terms, by), by)


def start_by_phone(phone: str | None, terms: Terms, by: By) -> None:
    """The same by SMS, where messages can be sent at all.  Raises Rejected or TooSoon."""
    if not phones.offered():
        words = _("We cannot send text messages here. Ask with your email address.")
        raise Rejected("phone", "not-offered", words)
    _open(_by_phone(phones.number(phone), terms, by), by)


def start_by_username(username: str | None, terms: Terms, by: By) -> None:
    """The same by email to whoever has this username, if anybody.  Raises Rejected or TooSoon.

    Counted by username alone: a count shared with the account would tell whose address it is.
    """
    name = (username or "").strip()
    if not name:
        raise Rejected("username", "empty", _("Enter your username"))
    key, person = names.key(name), usernames.holder(names.searched(name))
    sending.spend(PURPOSE, None, key, None, by)
    _open(Asked(key, person, messages.recovery, terms), by)


def _by_email(address: str, device: str | None, terms: Terms, by: By) -> Asked:
    key = people.folded(address)
    person, own = devices.with_owner(key, device)
    sending.spend(PURPOSE, person, key, own, by)
    return Asked(key, person, messages.recovery, terms)


def _by_phone(number: str, terms: Terms, by: By) -> Asked:
    """Counted by number alone: a count shared with the account would tell whose number it is."""
    sending.spend_sms(PURPOSE, number, None, by)
    person = people.of_phone(number)
    if person and person.held_at:
        person = None  # whoever holds it up reads its mail; only mail gives it back
    return Asked(phones.key(number), person, messages.recovery_sms, terms.by_sms())


def _open(asked: Asked, by: By) -> str:
    person = asked.person if asked.person and _may_ask(asked.person) else None
    user_id = person.id if person else None
    terms = asked.terms.about(person.uuid if person else uuid4())
    with transaction():
        challenge = challenges.open_(PURPOSE, user_id, asked.key, by.device, terms)
        outbox.put(asked.message, challenge.id, user_id)
        audit.record(funnel.ASKED, user_id, by, parts=funnel.asked(challenge, person))
        return challenge.id


def _may_ask(person: Person) -> bool:
    """Whoever deleted the account may still come back, and may have forgotten the password."""
    return person.may_come_back or not person.is_shut
