"""A way back in that the helpdesk sends: to the person only, never to whoever helps."""

from datetime import datetime, timedelta

from flask_babel import gettext as _

from portal.accounts import attention, roles
from portal.accounts.models import Person
from portal.codes import challenges
from portal.codes.models import DESK, PASSWORD_RESET, Challenge
from portal.codes.terms import Terms
from portal.core import audit, clock, phrases, throttle
from portal.core.audit import By, Event
from portal.core.db import transaction
from portal.core.errors import Rejected, TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit
from portal.delivery import outbox
from portal.recovery import funnel, messages

SENT = "recovery:sent-by-support"


def start_for(person: Person, actor: Person | None, terms: Terms, by: By) -> None:
    """Opens a recovery by email for somebody who asked the helpdesk.

    It takes nothing from what the person may ask for, and takes the place of what they asked for
    themselves; one that a colleague sent is left to run.  Raises Forbidden, NotAllowed, Several,
    TooSoon, or Rejected for that and for a blocked account.
    """
    roles.require(actor, "people:recover", over=person)
    by = attention.accounted(by)
    with transaction():
        locked = attention.turn(person, actor, "people:recover", by)
        _check_free(locked)
        _take_turn(locked)
        own = challenges.newest(PASSWORD_RESET, locked.id)
        wish = challenges.open_(
            PASSWORD_RESET, locked.id, locked.email_key, by.device, terms.by_desk()
        )
        change = f"recovery open: {'yes' if own else 'no'} to by the helpdesk"
        event = audit.record(SENT, locked.id, by, detail=change, parts=funnel.asked(wish, locked))
        outbox.put(messages.recovery_by_support, f"{wish.id}:{event.id}", locked.id)


def _check_free(person: Person) -> None:
    """Neither blocked nor deleted by others, and without a way back that a colleague sent."""
    if person.is_shut and not person.may_come_back:
        words = _("This account is blocked or deleted. End that first.")
        raise Rejected(None, "blocked", words)
    wish = challenges.newest(PASSWORD_RESET, person.id)
    if wish is not None and wish.door == DESK and _is_good(wish):
        raise Rejected(None, "open", _sent_already(person, wish))


def _is_good(wish: Challenge) -> bool:
    """Its message waits, or carried a link that has not run out and was not refused."""
    if wish.link_until is None:
        return clock.now() < _end(wish)
    return wish.link_hash is not None and clock.now() < wish.link_until


def _end(wish: Challenge) -> datetime:
    return wish.link_until or wish.opened_at + timedelta(seconds=wish.link_seconds)


def _sent_already(person: Person, wish: Challenge) -> str:
    event = attention.last(person.id, Event.kind == SENT)
    sent = attention.told(event) if event else _("A recovery email was sent already.")
    end = phrases.hour(_end(wish))
    return _("%(sent)s Its link works once, until %(end)s.", sent=sent, end=end)


def _take_turn(person: Person) -> None:
    pause = setting("SEND_COOLDOWN_SECONDS")
    try:
        throttle.take(Limit("send by support", f"person {person.id}", 1, pause))
    except TooSoon as wait:
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        words = _("We have just sent one. You can send another in %(span)s.", span=span)
        raise TooSoon(wait.retry_at, words) from None
