"""How often messages may be asked for: the same counts for an address that nobody has."""

from collections.abc import Callable

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts import devices, phones
from portal.accounts.models import Person
from portal.core import audit, clock, phrases, throttle
from portal.core.audit import By
from portal.core.errors import TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit, UsedUp

HOUR, DAY = 3600, 86_400
EVERYBODY, THROTTLED = "everybody", "send:throttled"
LINE = 4  # last digits of a number: whoever rents a block of numbers has all that differ in them


def subject(key: str) -> str:
    """Whose count it is: an address's or number's (its key), whoever has it."""
    return f"address {key}"


def subjects(person: Person | None, key: str) -> tuple[str, ...]:
    """The count of what was typed, and the account's, which is its address's.

    Whoever asks in the name of an address touches one count, known or not: a second one that began
    at another time would tell them apart.
    """
    own = [subject(person.email_key)] if person else []
    return tuple(dict.fromkeys([subject(key), *own]))


def spend(purpose: str, person: Person | None, key: str, device: str | None, by: By) -> None:
    """Takes one message's turn of every limit, in a transaction of its own.

    Raises TooSoon with the words for it.

    `device` is the token of a known device of this person: it has an allowance of its own, so that
    strangers who ask in somebody's name do not use up what the owner needs.
    """
    whose = (devices.subject(device),) if device else subjects(person, key)
    _spend(_usual(purpose, whose, by), _emails)


def spend_sms(purpose: str, number: str, asker: Person | None, by: By) -> None:
    """The same for an SMS, and what keeps others from earning by what we pay for each.

    Spent before anybody is looked up; `asker` is somebody who asks for a number of their own.
    Raises TooSoon with the words for it.
    """
    usual = _usual(purpose, subjects(asker, phones.key(number)), by)
    _spend([*usual, *_costly(number, by)], _messages)


def _spend(limits: list[Limit], sent: Callable[[int], str]) -> None:
    try:
        throttle.spend(limits)
    except UsedUp as wait:
        audit.count_now(THROTTLED)
        raise TooSoon(wait.retry_at, _words(wait, sent)) from None


def _usual(purpose: str, whose: tuple[str, ...], by: By) -> list[Limit]:
    spans = (
        (f"send {purpose}", 1, setting("SEND_COOLDOWN_SECONDS")),
        ("send in hour", setting("SENDS_PER_HOUR"), HOUR),
        ("send in day", setting("SENDS_PER_DAY"), DAY),
    )
    own = [Limit(name, one, times, seconds) for name, times, seconds in spans for one in whose]
    network = f"network {by.network}"
    return [
        *own,
        Limit("send in hour", network, setting("SENDS_PER_NETWORK_HOUR"), HOUR),
        Limit("send in hour", EVERYBODY, setting("SENDS_TOTAL_HOUR"), HOUR),
    ]


def _costly(number: str, by: By) -> list[Limit]:
    whose = subject(phones.key(number))
    return [
        Limit("sms in day", whose, setting("SMS_PER_NUMBER_DAY"), DAY),
        Limit("sms in hour", f"numbers {number[:-LINE]}", setting("SMS_PER_PREFIX_HOUR"), HOUR),
        Limit("sms in day", f"network {by.network}", setting("SMS_PER_NETWORK_DAY"), DAY),
        Limit("sms in day", EVERYBODY, setting("SMS_TOTAL_DAY"), DAY),
    ]


def _words(wait: UsedUp, sent: Callable[[int], str]) -> str:
    """Why, as far as whoever asks may know, and for how long."""
    limit, seconds = wait.limit, max(1, clock.seconds_until(wait.retry_at))
    span = phrases.duration(seconds)
    if " in " not in limit.name:  # the pause between two messages, named by their purpose
        return _("We have just sent one. You can ask again in %(span)s.", span=span)
    if limit.subject.startswith(("network ", "numbers ", EVERYBODY)):
        return _("We have sent very many messages. Wait %(span)s, or call the helpdesk.", span=span)
    return _("%(sent)s Wait %(span)s, or call the helpdesk.", sent=sent(limit.times), span=span)


def _emails(count: int) -> str:
    return ngettext("We have sent %(num)d email.", "We have sent %(num)d emails.", count)


def _messages(count: int) -> str:
    return ngettext("We have sent %(num)d message.", "We have sent %(num)d messages.", count)
