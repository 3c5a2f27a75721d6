"""Removing what was begun and never finished."""

from portal.core.db import transaction
from portal.security import totp


def purge() -> int:
    """Removes keys of apps that were shown and never confirmed.  -> how many."""
    with transaction():
        return totp.purge()
