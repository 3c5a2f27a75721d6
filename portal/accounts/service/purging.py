"""Removing what has ended and is no longer needed for the record."""

from portal.accounts import devices, sessions
from portal.codes import challenges
from portal.core import throttle
from portal.core.db import transaction


def purge() -> dict[str, int]:
    """Removes ended codes, sign-ins, devices and counts.  -> how many of each."""
    with transaction() as session:
        return {
            "codes and flows": challenges.purge(),
            "sign-ins": sessions.purge(),
            "devices": devices.purge(),
            "waiting times": throttle.purge(session),
        }
