"""How long hand-overs take, so that a message to nobody keeps its worker as long as any other.

Otherwise whoever asks for a stranger and then for the own address could tell by the second message
how busy the first one was.
"""

import secrets
import time
from collections import deque

from portal.core.settings import setting

REMEMBERED = 20  # of each channel, in this process
_taken: dict[str, deque[float]] = {}  # seconds


class Stretch:
    """The part of a hand-over that a message to nobody does not have: from `begin` to `end`.

    One that fails has no end, so that an outage is not remembered once it is over.
    """

    def __init__(self, channel: str) -> None:
        self._channel, self._start = channel, 0.0

    def begin(self) -> None:
        """The recipient is about to be named."""
        self._start = time.monotonic()

    def end(self) -> None:
        """The message was taken."""
        if self._start:
            known = _taken.setdefault(self._channel, deque(maxlen=REMEMBERED))
            known.append(time.monotonic() - self._start)


def as_usual(channel: str) -> None:
    """Lets as much time pass as one of the last hand-overs took."""
    if known := _taken.get(channel):
        time.sleep(min(secrets.choice(known), setting("EMAIL_TIMEOUT_SECONDS")))
