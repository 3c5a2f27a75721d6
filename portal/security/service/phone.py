"""A phone number of one's own: asked for, proven by a code, taken out again."""

from flask_babel import gettext as _

from portal.accounts import people, phones, sending, sessions
from portal.accounts.models import Person
from portal.codes import challenges, flows, guesses, terms
from portal.codes.flows import Flow
from portal.codes.models import SMS, VERIFY_PHONE, Challenge
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import NoFlow, Rejected
from portal.delivery import outbox
from portal.security import messages

PURPOSE, STORY, FIELD = VERIFY_PHONE, "phone", "phone"


def ask(person: Person, typed: str | None, by: By) -> str:
    """Sends a code to this number.  -> the flow's id.  Raises Rejected or TooSoon."""
    _check_offered()
    number = phones.number(typed, FIELD)
    if number == person.phone:
        raise Rejected(FIELD, "same", _("This is your number already. Enter another one."))
    return _send(person, number, by)


def resend(person: Person, flow_id: str | None, by: By) -> str:
    """A new code to the same number.  -> the new flow's id.  Raises NoFlow, Rejected or TooSoon."""
    _challenge(person, flow_id)
    _check_offered()
    return _send(person, person.phone_wanted or "", by)


def flow(person: Person, flow_id: str | None) -> Flow:
    """How the message is doing that this person asked for in this browser.  Raises NoFlow."""
    return flows.face(_challenge(person, flow_id))


def confirm_code(person: Person, flow_id: str | None, code: str | None, by: By) -> None:
    """The right code: the number is this person's and nobody else's.

    Whoever had it until now no longer holds that phone, and is told.  Raises Rejected, TooSoon,
    NoFlow.
    """
    challenge, number = _challenge(person, flow_id), person.phone_wanted or ""
    guesses.judge(challenge, code)
    with transaction():
        person, owner = people.lock_with_owner(person.id, number)
        sessions.still(by)
        if not challenges.prove(challenge, by_code=True):
            raise guesses.not_right(challenge)
        challenges.close(challenge)
        kind = "phone:changed" if person.phone else "phone:added"
        _let_go(person)
        lost_by = people.move_phone(person, number, owner)
        _record(kind, person, by)
        if lost_by is not None:
            _let_go(lost_by)
            _record("phone:lost", lost_by, By())  # who has it now is nobody else's business


def remove(person: Person, by: By) -> None:
    """No number any more: nobody gets back in by it, not even where that is under way."""
    with transaction():
        person = people.lock(person.id)
        sessions.still(by)
        if person.phone is not None:
            person.phone = None
            _let_go(person)
            _record("phone:removed", person, by)


def _send(person: Person, number: str, by: By) -> str:
    sending.spend_sms(PURPOSE, number, person, by)
    own = phones.own_key(number, person.id)
    with transaction():
        person = people.lock(person.id)
        sessions.still(by)
        person.phone_wanted = number
        challenge = challenges.open_(PURPOSE, person.id, own, by.device, terms.proof("").by_sms())
        outbox.put(messages.verify_phone, challenge.id, person.id)
        audit.record("phone:asked", person.id, by)
        return challenge.id


def _challenge(person: Person, flow_id: str | None) -> Challenge:
    """What this person asked for in this browser, as long as the same number is wanted."""
    challenge = flows.of_browser(PURPOSE, flow_id)
    if challenge is None or challenge.user_id != person.id or challenge.proven_at:
        raise NoFlow(STORY)
    wanted = phones.own_key(person.phone_wanted or "", person.id)
    if challenge.typed_hash != challenges.typed_hash(wanted):
        raise NoFlow(STORY)
    return challenge


def _let_go(person: Person) -> None:
    """What was sent to the number before, and what somebody proved by it, is worth nothing now."""
    challenges.end_all(person.id, Challenge.channel == SMS)


def _record(kind: str, person: Person, by: By) -> None:
    event = audit.record(kind, person.id, by)
    outbox.put(messages.phone_changed, event, person.id)


def _check_offered() -> None:
    if not phones.offered():
        words = _("We cannot send text messages here, so no phone number can be added.")
        raise Rejected(None, "not-offered", words)
