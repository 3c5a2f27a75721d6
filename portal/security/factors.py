"""A second factor that is shown: read, counted before it is judged, and used up."""

import re
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import devices, passwords, sending
from portal.accounts.models import Person
from portal.codes import guesses
from portal.core import audit, clock, crypto, phrases, throttle
from portal.core.audit import Recorded
from portal.core.errors import Rejected, TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit
from portal.delivery import outbox
from portal.security import backups, messages, totp

APP, BACKUP = "app", "backup code"
FIELD, HOUR, DAY = "code", 3600, 86_400
WRONG, USED, THROTTLED = "mismatch", "used", "second-step:throttled"
SIGNING_IN, INSIDE = "signing in", messages.INSIDE  # where a code is typed


@dataclass(frozen=True)
class Given:
    """What was typed, as it is compared, and `how` it is called in the history."""

    how: str
    code: str


def app_code(typed: str | None) -> Given:
    """A code from the app.  Raises Rejected for what cannot be one."""
    return Given(APP, guesses.digits(typed))


def backup_code(typed: str | None) -> Given:
    """A backup code.  Raises Rejected for what cannot be one."""
    return Given(BACKUP, backups.given(typed))


def either(typed: str | None) -> Given:
    """One of the two, by its looks.  Raises Rejected for what can be neither."""
    bare = re.sub(r"[\s-]", "", typed or "")
    if not bare:
        raise Rejected(FIELD, "empty", _("Enter a code from your app, or a backup code"))
    try:
        return (app_code if len(bare) == crypto.CODE_DIGITS else backup_code)(typed)
    except Rejected as refused:
        words = _("A code from the app has 6 digits. A backup code looks like abcde-fghjk.")
        raise Rejected(FIELD, refused.code, words) from None


def spend(person: Person, device: str | None) -> list[Limit]:
    """Counts a try, in a transaction of its own.  -> what a right one is given back.

    A device that this person signed in with before has a count of its own: strangers who know the
    password do not keep it out.  Raises TooSoon with the words for it.
    """
    own = devices.own(device, person)
    whose = devices.subject(own) if own else sending.subject(person.email_key)
    limits = [Limit(name, whose, times, seconds) for name, times, seconds in _spans()]
    try:
        throttle.spend(limits)
    except TooSoon as wait:
        audit.count_now(THROTTLED)
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        words = _("Too many wrong codes. You can try again in %(span)s.", span=span)
        raise TooSoon(wait.retry_at, words) from None
    return limits


def _spans() -> list[tuple[str, int, int]]:
    """Like other wrong codes: window after window, patience would guess one in the end."""
    often = setting("SECOND_STEP_MAX_ATTEMPTS"), setting("SECOND_STEP_ATTEMPTS_SECONDS")
    return [
        (passwords.SECOND_STEP, *often),
        (f"{passwords.SECOND_STEP} in hour", setting("WRONG_CODES_IN_HOUR"), HOUR),
        (f"{passwords.SECOND_STEP} in day", setting("WRONG_CODES_IN_DAY"), DAY),
    ]


def take(person: Person, given: Given) -> None:
    """Uses it up.  A step of a transaction, after its person is locked.

    Raises Rejected (code `mismatch`, or `used` for a right one that comes again).
    """
    if given.how == BACKUP:
        if not backups.take(person, given.code):
            words = _("That is none of your backup codes, or it was used already.")
            raise Rejected(FIELD, WRONG, words)
        return
    check(totp.take(person, given.code))


def check(verdict: str) -> None:
    """What an app's code turned out to be.  Raises Rejected as `take` does."""
    if verdict == totp.USED:
        words = _("This code was used already. Wait for the next one.")
        raise Rejected(FIELD, USED, words)
    if verdict == totp.WRONG:
        words = _("That code is not right. Type the one that your app shows now.")
        raise Rejected(FIELD, WRONG, words)


def alarm(person: Person, event: Recorded, place: str) -> None:
    """One more wrong second step; `event` is its refusal.  A step of a transaction.

    Who gets this far at signing in knows the password; who is signed in may have found the browser
    open.  Each is counted for itself, so that the message says what is true.  The one that makes
    the limit full writes to the owner, once a day at most, on whatever devices they were typed.
    """
    account, most = sending.subject(person.email_key), setting("SECOND_STEP_MAX_ATTEMPTS")
    if throttle.takes_last(Limit(f"wrong codes in day, {place}", account, most, DAY)):
        outbox.put(messages.second_step_refused, event, person.id)


def refusal(code: str, place: str) -> str:
    """What a refused code leaves in the history: why, and where, unless at signing in."""
    return code if place == SIGNING_IN else f"{code}, {place}"
