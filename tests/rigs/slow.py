"""Clients that take their time: each holds a line, and says or hears a few bytes a second.

with SlowClients(portal.port) as slow:
    ...                       # others are served
    assert slow.waiting() == 60
"""

from __future__ import annotations

import socket
import threading
import time

READING = 2  # of the three kinds
PAUSE = 0.25  # seconds between two bytes
ENDS = 90.0  # in any case
HEAD = "POST /recover HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\n"
READ = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"


class SlowClients:
    """A third of them each: never done with their headers, with their body, with reading."""

    def __init__(self, port: int, count: int = 60) -> None:
        self._lines = [(number % 3, _line(port)) for number in range(count)]
        begins = HEAD, HEAD + FORM, READ * 40
        for kind, line in self._lines:
            line.sendall(begins[kind].format(port=port).encode())
            line.setblocking(False)
        self._ended = threading.Event()
        self._gone: set[int] = set()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def waiting(self) -> int:
        """How many are still at it: neither answered in full nor hung up on."""
        return len(self._lines) - len(self._gone)

    def __enter__(self) -> SlowClients:
        self._thread.start()
        time.sleep(2 * PAUSE)  # each is known to the server, and has said a little more
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        for _kind, line in self._lines:
            line.close()

    def _go_on(self) -> None:
        until = time.monotonic() + ENDS
        while not self._ended.wait(PAUSE) and time.monotonic() < until:
            for number, (kind, line) in enumerate(self._lines):
                if number not in self._gone and not _step(kind, line):
                    self._gone.add(number)


def _step(kind: int, line: socket.socket) -> bool:
    """One byte more; whoever does not read looks whether there is an end.  -> whether not."""
    try:
        if kind != READING:
            line.sendall(b"x" if kind else b"X-Slow: 1\r\n")
        return bool(line.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _line(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    made.settimeout(5)
    made.connect(("127.0.0.1", port))
    return made
