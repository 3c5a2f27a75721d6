"""Typed passwords: counted before they are judged, and judged at one price for everybody."""

import unicodedata

from flask_babel import gettext as _

from portal.accounts import devices, hashing, sending
from portal.accounts.models import Person
from portal.core import audit, clock, phrases, throttle
from portal.core.audit import By
from portal.core.db import release
from portal.core.errors import Overloaded, Rejected, TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit


def right(password: str, person: Person | None, key: str, own: str | None, by: By) -> bool:
    """Whether it is this person's password; nobody's costs the same.  Raises TooSoon.

    `key` is the typed address's; `own` the token of a browser that this person signed in with, as
    `devices.own` has found: it has a count of its own.  A right one uses no turn up.
    """
    limits = _limits(key, own, by)
    _spend(limits)
    release()
    kept = person.password_hash if person else None
    try:
        fits = _is_possible(password) and hashing.fits(password, kept)
    except Overloaded:
        throttle.refund(limits)
        raise
    if fits:
        throttle.refund(limits)
    return fits


def again(typed: str, person: Person, device: str | None, by: By) -> bool:
    """Whether somebody who is signed in typed the password once more; counted like signing in.

    Raises TooSoon with the words for it.
    """
    try:
        return right(typed, person, person.email_key, devices.own(device, person), by)
    except Overloaded:
        raise
    except TooSoon as wait:
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        words = _("Too many wrong passwords. You can try again in %(span)s.", span=span)
        raise TooSoon(wait.retry_at, words) from None


def mismatch(field: str) -> Rejected:
    """It is not the password, or not any more."""
    return Rejected(field, "mismatch", _("That is not your current password"))


def given(field: str, typed: str | None) -> str:
    """What was typed; not counted when it is nothing.  Raises Rejected."""
    if not typed:
        raise Rejected(field, "empty", _("Enter your current password"))
    return typed


def _is_possible(password: str) -> bool:
    """A longer password than anybody can have is not even hashed: it would tire us."""
    return len(unicodedata.normalize("NFC", password)) <= setting("PASSWORD_MAX_LENGTH")


def _spend(limits: tuple[Limit, ...]) -> None:
    try:
        throttle.spend(limits)
    except TooSoon:
        audit.count_now("sign-in:kept-out")
        raise


def _limits(key: str, own: str | None, by: By) -> tuple[Limit, ...]:
    """A device that this person signed in with before has a count of its own, and no other."""
    names = "WRONG_PASSWORDS_PER_ACCOUNT", "WRONG_PASSWORDS_PER_NETWORK"
    account, network = ((setting(name), setting(f"{name}_SECONDS")) for name in names)
    if own:
        return (Limit("wrong password", devices.subject(own), *account),)
    whose = sending.subject(key)
    return (
        Limit(f"wrong password {by.network}", whose, *account),
        Limit("wrong password", f"network {by.network}", *network),
    )
