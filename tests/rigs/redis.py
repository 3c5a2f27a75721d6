"""A Redis of our own: started, used and thrown away.

with Redis() as redis:
    settings |= {"REDIS_URL": redis.url}
    redis.kill()  # as a crash would
    redis.start()  # on the same port, empty unless it keeps a file
"""

from __future__ import annotations

import shutil
import socket

from tests.rigs.daemon import Throwaway

HOST = "127.0.0.1"


def missing() -> str | None:
    """Why no server can be started on this machine; None when one can."""
    if not shutil.which("redis-server"):
        return "Redis is not installed (Debian: apt-get install redis-server)"
    return None


class Redis(Throwaway):
    """A server on a loopback port; `keeps`: what it was given survives a restart."""

    name = "Redis"

    def __init__(self, *, keeps: bool = False) -> None:
        super().__init__()
        self.url = f"redis://{HOST}:{self.port}/0"
        self._keeps = keeps

    def ask(self, command: str) -> str | None:
        """The first line of its answer to a command; None when nobody answers."""
        try:
            with socket.create_connection((HOST, self.port), timeout=2) as line:
                line.sendall(command.encode() + b"\r\n")
                return line.makefile().readline().rstrip()
        except OSError:
            return None

    def _command(self) -> list[str]:
        kept = ["--appendonly", "yes", "--appendfsync", "always"] if self._keeps else []
        where = ["--bind", HOST, "--port", str(self.port), "--dir", str(self._folder)]
        return ["redis-server", *where, "--save", "", *kept]

    def _answers(self) -> bool:
        return self.ask("PING") == "+PONG"
