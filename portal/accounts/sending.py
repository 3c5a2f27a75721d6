"""How often messages may be asked for: the same counts for an address that nobody has."""

from datetime import timedelta

from flask_babel import gettext as _

from portal.accounts import devices
from portal.accounts.models import Person
from portal.core import clock, phrases, throttle
from portal.core.audit import By
from portal.core.errors import TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit

HOUR, DAY = 3600, 86_400


def subjects(person: Person | None, key: str) -> tuple[str, str]:
    """Whose count it is: the typed address's and the account's; nobody's account counts alike."""
    return f"address {key}", f"person {person.id}" if person else f"nobody {key}"


def spend(purpose: str, person: Person | None, key: str, device: str | None, by: By) -> None:
    """Takes one message's turn of every limit, in a transaction of its own.

    Raises TooSoon with the words for it.

    `device` is the token of a known device of this person: it has an allowance of its own, so that
    strangers who ask in somebody's name do not use up what the owner needs.
    """
    whose = (devices.subject(device),) if device else subjects(person, key)
    spans = (
        (f"send {purpose}", 1, setting("SEND_COOLDOWN_SECONDS")),
        ("send in hour", setting("SENDS_PER_HOUR"), HOUR),
        ("send in day", setting("SENDS_PER_DAY"), DAY),
    )
    limits = [Limit(name, one, times, seconds) for name, times, seconds in spans for one in whose]
    limits.append(
        Limit("send in hour", f"network {by.network}", setting("SENDS_PER_NETWORK_HOUR"), HOUR)
    )
    limits.append(Limit("send in hour", "everybody", setting("SENDS_TOTAL_HOUR"), HOUR))
    try:
        throttle.spend(limits)
    except TooSoon as wait:
        raise TooSoon(wait.retry_at, _words(wait)) from None


def _words(wait: TooSoon) -> str:
    seconds = clock.seconds_until(wait.retry_at)
    span = phrases.duration(max(1, seconds))
    if wait.retry_at - clock.now() <= timedelta(seconds=setting("SEND_COOLDOWN_SECONDS")):
        return _("We have just sent one. You can ask again in %(span)s.", span=span)
    return _("We have sent several emails. Wait %(span)s, or call the helpdesk.", span=span)
