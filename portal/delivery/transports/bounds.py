"""Reading from a socket with one limit of time for all that is read."""

from io import RawIOBase
from socket import socket
from time import monotonic
from typing import Any


class Bounded(RawIOBase):
    """What a socket says until a moment; its own limit would start again with every byte."""

    def __init__(self, source: socket, seconds: float) -> None:
        self._socket = source
        self._raw = source.makefile("rb", 0)
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """From now on, `seconds` are left for all that is read."""
        self._until = monotonic() + seconds

    def readable(self) -> bool:
        """As `io` wants it."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As `io` wants it.  Raises TimeoutError."""
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Ends the reading, not the socket."""
        self._raw.close()
        super().close()
