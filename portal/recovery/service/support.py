"""A way back in that the helpdesk sends: to the person only, never to whoever helps."""

from flask_babel import gettext as _

from portal.accounts import people, roles
from portal.accounts.models import Person
from portal.codes import challenges
from portal.codes.models import PASSWORD_RESET
from portal.codes.terms import Terms
from portal.core import audit, clock, phrases, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected, TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit
from portal.delivery import outbox
from portal.recovery import messages


def start_for(person: Person, actor: Person | None, terms: Terms, by: By) -> None:
    """Opens a recovery by email for somebody who asked the helpdesk.

    It takes nothing from what the person may ask for.  Raises NotAllowed, TooSoon, or Rejected for
    a blocked account.
    """
    roles.require(actor, "people:recover", over=person)
    _spend(person)
    with transaction():
        person = people.lock(person.id)
        if person.is_shut:
            raise Rejected(
                None, "blocked", _("This account is blocked or deleted. End that first.")
            )
        wish = challenges.open_(PASSWORD_RESET, person.id, person.email_key, by.device, terms)
        event = audit.record("recovery:sent-by-support", person.id, by)
        outbox.put(messages.recovery_by_support, f"{wish.id}:{event.id}", person.id)


def _spend(person: Person) -> None:
    pause = setting("SEND_COOLDOWN_SECONDS")
    try:
        throttle.spend([Limit("send by support", f"person {person.id}", 1, pause)])
    except TooSoon as wait:
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        words = _("We have just sent one. You can send another in %(span)s.", span=span)
        raise TooSoon(wait.retry_at, words) from None
