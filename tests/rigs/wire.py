"""Bytes sent as they are, and what comes back: for what no client would send."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) [A-Z]")


@dataclass(frozen=True)
class Heard:
    """All that came until the line was closed, or until nothing came any more."""

    data: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        """Of each answer, in order."""
        return [int(each) for each in STATUS.findall(self.data)]

    @property
    def refused(self) -> bool:
        """One answer, which says no, and no ear for what follows."""
        return self.closed and len(self.statuses) == 1 and self.statuses[0] in REFUSALS


REFUSALS = {400, 413, 414, 431, 501, 505}


def say(port: int, *parts: bytes, silence: float = 2.0) -> Heard:
    """Sends the parts one after the other and listens; `silence`: seconds without a byte."""
    data = b""
    with socket.create_connection(("127.0.0.1", port), timeout=silence) as line:
        try:
            for part in parts:
                line.sendall(part)
            while got := line.recv(65_536):
                data += got
        except TimeoutError:
            return Heard(data, closed=False)
        except (ConnectionResetError, BrokenPipeError):
            return Heard(data, closed=True)
    return Heard(data, closed=True)
