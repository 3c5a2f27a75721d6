"""Removing what has ended and is no longer needed for the record."""

from datetime import timedelta

from portal.accounts import addresses, deletion, devices, invitations, people, sessions
from portal.codes import challenges
from portal.core import clock, tally, throttle
from portal.core.db import transaction


def _sums() -> int:
    return tally.purge(clock.now().date() - timedelta(days=tally.DAYS_BY_DOMAIN))


PARTS = {
    "codes and flows": challenges.purge,
    "invitations": invitations.purge,
    "sign-ins": sessions.purge,
    "devices": devices.purge,
    "accounts that nobody proved": people.purge,
    "deleted accounts": deletion.purge,
    "numbers that nobody proved": people.forget_numbers,
    "changes of an address": addresses.purge,
    "waiting times": throttle.purge,
    "sums by mail domain": _sums,
}


def purge() -> dict[str, int]:
    """Removes what has ended, each kind in a transaction of its own.  -> how many of each."""
    counts = {}
    for what, part in PARTS.items():
        with transaction():
            counts[what] = part()
    return counts
