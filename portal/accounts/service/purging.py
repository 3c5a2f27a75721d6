"""Removing what has ended and is no longer needed for the record."""

from portal.accounts import addresses, deletion, devices, invitations, people, sessions
from portal.codes import challenges
from portal.core import throttle
from portal.core.db import transaction

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
}


def purge() -> dict[str, int]:
    """Removes what has ended, each kind in a transaction of its own.  -> how many of each."""
    counts = {}
    for what, part in PARTS.items():
        with transaction():
            counts[what] = part()
    return counts
