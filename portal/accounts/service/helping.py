"""What the helpdesk does for a person, besides blocking and sending a way back in."""

from dataclasses import replace

from flask_babel import gettext as _

from portal.accounts import attention, devices, messages, proof, roles, sessions, waiting
from portal.accounts.models import Person
from portal.codes import challenges, terms
from portal.codes.models import API, Challenge
from portal.codes.terms import Terms
from portal.core import audit, clock, phrases, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected, TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit
from portal.delivery import outbox

HOUR, MOST_PROOFS = 3600, 5


def sign_out(person: Person, actor: Person | None, by: By) -> int:
    """Signed out everywhere, browsers and programs; the password stays.  -> of how many devices.

    What waits for a second step ends too, and is no device yet.  The person is told.
    Raises Forbidden, NotAllowed, Several, or Rejected when signed in nowhere.
    """
    roles.require(actor, "people:sign-out", over=person)
    by = attention.accounted(by)
    with transaction():
        locked = attention.turn(person, actor, "people:sign-out", by)
        if not sessions.count(locked.id, halves=True):
            raise Rejected(None, "nowhere", _("This person is signed in nowhere."))
        ended = sessions.end_all(locked.id)
        event = audit.record("account:signed-out", locked.id, by, detail=f"sign-ins: {ended} to 0")
        outbox.put(messages.signed_out_by_support, event, locked.id)
        return ended


def clear_throttles(person: Person, actor: Person | None, by: By) -> None:
    """Forgets the person's waiting times: messages sent, wrong codes, wrong passwords.

    The person is told.  Raises Forbidden, NotAllowed, Several, or Rejected when nothing is counted.
    """
    roles.require(actor, "people:clear-throttles", over=person)
    by = attention.accounted(by)
    with transaction() as session:
        locked = attention.turn(person, actor, "people:clear-throttles", by)
        counts = len(waiting.running(locked))
        if not counts and actor is not None:
            raise Rejected(None, "nothing-waits", _("There is nothing to wait for any more."))
        throttle.clear(session, waiting.subjects(locked))
        change = f"counts: {counts} to 0"
        event = audit.record("account:throttles-cleared", locked.id, by, detail=change)
        outbox.put(messages.unlocked_by_support, event, locked.id)


def resend_proof(person: Person, actor: Person | None, by: By) -> None:
    """Sends the proof of an address once more, to the address alone.

    It takes nothing from what the person may ask for.  Raises Forbidden, NotAllowed, Several,
    TooSoon, or Rejected when there is nothing to prove.
    """
    roles.require(actor, "people:resend-proof", over=person)
    by = attention.accounted(by)
    with transaction():
        locked = attention.turn(person, actor, "people:resend-proof", by)
        _check_unproven(locked)
        _take_turn(locked)
        before = challenges.newest(proof.PURPOSE, locked.id)
        change = f"proof open: {'yes' if before else 'no'} to yes"
        event = audit.record("proof:sent-by-support", locked.id, by, detail=change)
        proof.ask_again(locked, _same_terms(before), _as_asked(before, by), event)


def _check_unproven(person: Person) -> None:
    if person.email_proven_at is not None:
        raise Rejected(None, "proven", _("This address is confirmed already."))
    if person.is_shut:
        words = _("This account is blocked or deleted. End that first.")
        raise Rejected(None, "blocked", words)


def _take_turn(person: Person) -> None:
    whose, pause = f"person {person.id}", setting("SEND_COOLDOWN_SECONDS")
    try:
        throttle.take(Limit("send proof by support in hour", whose, MOST_PROOFS, HOUR))
        throttle.take(Limit("send proof by support", whose, 1, pause))
    except TooSoon as wait:
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        words = _("One was sent a short while ago. You can send another in %(span)s.", span=span)
        raise TooSoon(wait.retry_at, words) from None


def _as_asked(before: Challenge | None, by: By) -> By:
    """The message names the device of whoever signed up, never a colleague's."""
    return replace(by, device=before.device if before else devices.describe(""))


def _same_terms(before: Challenge | None) -> Terms:
    """A program that signed somebody up has its own kind of link, and asks for the code."""
    if before is not None and before.door == API:
        return terms.proof(before.link_path).by_program()
    return terms.proof(proof.LINK).by_desk()
