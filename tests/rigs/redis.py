"""A Redis of our own: started, used and thrown away.

with Redis() as redis:
    settings |= {"REDIS_URL": redis.url}
    redis.kill()  # as a crash would
    redis.start()  # on the same port, empty unless it keeps a file
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from tests.rigs.smtp import free_port

HOST = "127.0.0.1"
START_SECONDS, STOP_SECONDS = 10, 10


def missing() -> str | None:
    """Why no server can be started on this machine; None when one can."""
    if not shutil.which("redis-server"):
        return "Redis is not installed (Debian: apt-get install redis-server)"
    return None


class Redis:
    """A server on a loopback port; `keeps`: what it was given survives a restart."""

    def __init__(self, *, keeps: bool = False) -> None:
        self.port = free_port()
        self.url = f"redis://{HOST}:{self.port}/0"
        self._keeps = keeps
        self._folder = Path(tempfile.mkdtemp(prefix="latchkey-redis-"))
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and returns once it answers.  Raises RuntimeError with its words."""
        kept = ["--appendonly", "yes", "--appendfsync", "always"] if self._keeps else []
        where = ["--bind", HOST, "--port", str(self.port), "--dir", str(self._folder)]
        command = ["redis-server", *where, "--save", "", *kept]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while self.ask("PING") != "+PONG":
            if self._server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Redis did not start:\n{self._log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Asks it to end, and waits."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Ends it and starts it on the same port."""
        self.stop()
        self.start()

    def ask(self, command: str) -> str | None:
        """The first line of its answer to a command; None when nobody answers."""
        try:
            with socket.create_connection((HOST, self.port), timeout=2) as line:
                line.sendall(command.encode() + b"\r\n")
                return line.makefile().readline().rstrip()
        except OSError:
            return None

    def __enter__(self) -> Redis:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _end(self, how: signal.Signals) -> None:
        if self._server is None:
            return
        self._server.send_signal(how)
        try:
            self._server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
