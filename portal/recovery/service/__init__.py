"""Getting back in: asking, proving by code or link, choosing the password; one file a story."""

from portal.recovery.service.asking import start
from portal.recovery.service.finishing import granted_to, set_password
from portal.recovery.service.proving import (
    confirm_code,
    flow,
    follow_link,
    of_link,
    show_code,
)

__all__ = [
    "confirm_code",
    "flow",
    "follow_link",
    "granted_to",
    "of_link",
    "set_password",
    "show_code",
    "start",
]
