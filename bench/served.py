"""Applications under gunicorn, all alike: two processes of eight threads on a port of loopback.

with Served(Application("bare", command, environment, folder), log) as served: served.port ...
"""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rigs.daemon import Daemon
from tests.rigs.server import ROOT

WORKERS, THREADS = 2, 8
REST_SECONDS = 60
LOOK, IDLE = 0.2, 0.02  # seconds between two looks, and of work between them that are none
TICKS = os.sysconf("SC_CLK_TCK")
ALIKE = ("-w", str(WORKERS), "--threads", str(THREADS), "--no-control-socket")
PEERS = ROOT / "bench" / "peers"
PYTHON = PEERS / ".venv" / "bin" / "python"
OURS = ROOT / "deploy" / "gunicorn.conf.py"
THEIRS = PEERS / "gunicorn.conf.py"


@dataclass(frozen=True)
class Application:
    """What is served: from which folder, by which Python, with which environment."""

    folder: Path
    python: str
    target: str
    environment: dict[str, str]
    port: int

    @property
    def command(self) -> list[str]:
        """Ours is started as it ships, the others by the same flags and spread in the same way."""
        shipped = ["-c", str(OURS if self.folder == ROOT else THEIRS)]
        where = ["-b", f"127.0.0.1:{self.port}", self.target]
        return [self.python, "-m", "gunicorn", *shipped, *ALIKE, *where]


class Served(Daemon):
    """Starts an application and ends it with all its processes."""

    def __init__(self, application: Application, log: Path) -> None:
        super().__init__(log)
        self._application, self.port = application, application.port

    def rest(self) -> None:
        """Returns when it has ended what was left under way.  Raises TimeoutError."""
        until, before = time.monotonic() + REST_SECONDS, -1.0
        while (spent := self._spent()) - before > IDLE or before < 0:
            if time.monotonic() > until:
                raise TimeoutError(f"Port {self.port} is still at work.")
            before = spent
            time.sleep(LOOK)

    def kill(self) -> None:
        """Ends all its processes at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._server.pid, self.kills)
        self._server.wait()

    def _command(self) -> list[str]:
        return self._application.command

    def _how(self) -> dict[str, Any]:
        own = self._application
        return {"cwd": own.folder, "env": own.environment, "start_new_session": True}

    def _spent(self) -> float:
        """Seconds that its processes have computed."""
        pid = self._server.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        fields = [Path(f"/proc/{each}/stat").read_text().rpartition(")")[2] for each in children]
        return sum(sum(map(int, each.split()[11:13])) for each in fields) / TICKS

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def peer(name: str, port: int, environment: dict[str, str]) -> Application:
    """One of `bench/peers`, its people filled in."""
    own = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | environment
    folder = PEERS / name
    subprocess.run([PYTHON, "fill.py"], cwd=folder, env=own, check=True)  # noqa: S603 - our own
    return Application(folder, str(PYTHON), "application:app", own, port)


def ours(port: int, environment: dict[str, str]) -> Application:
    """The portal; its database is migrated and filled by whoever calls."""
    return Application(ROOT, sys.executable, "wsgi:app", environment, port)
