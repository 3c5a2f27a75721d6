"""The portal on gunicorn, with the configuration that is shipped.

with Gunicorn(tmp_path, WEB_CONCURRENCY="2") as portal:
    os.kill(portal.workers()[0], signal.SIGKILL)  # the others go on, and it is replaced
    portal.reload()  # SIGHUP: returns once every process is a new one
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.rigs.server import ROOT, START_SECONDS, Server

DRAIN_SECONDS = 60  # more than its configuration allows
CONF = ROOT / "deploy" / "gunicorn.conf.py"


class Gunicorn(Server):
    """As `Server`, with two processes behind its port unless WEB_CONCURRENCY says otherwise."""

    command = ("gunicorn", "-c", str(CONF))

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder, **{"WEB_CONCURRENCY": "2"} | settings)

    def workers(self) -> list[int]:
        """The processes that answer."""
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
                return [int(pid) for pid in file.read().split()]
        except OSError:
            return []

    def reload(self) -> None:
        """New code and settings without a pause; returns once no old process is left."""
        before = set(self.workers())
        os.kill(self.process.pid, signal.SIGHUP)
        self._settled(before)

    def stop(self) -> int:
        """Asks it to end, and waits for what it still answers.  -> its exit code."""
        self.process.terminate()
        return self.process.wait(DRAIN_SECONDS)

    def kill(self) -> None:
        """As the loss of the machine: all of its processes at once."""
        workers = self.workers()
        for pid in [self.process.pid, *workers]:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        while any(map(_lives, workers)):  # its lines are open until then
            time.sleep(0.005)

    def _settled(self, before: set[int]) -> None:
        until = time.monotonic() + START_SECONDS
        wanted = int(self.environment["WEB_CONCURRENCY"])
        while not self._whole(before, wanted):
            alive = self.process.poll() is None and time.monotonic() < until
            assert alive, f"It did not start:\n{self.log()}"
            time.sleep(0.05)

    def _whole(self, before: set[int], wanted: int) -> bool:
        now = set(self.workers())
        return len(now) == wanted and not now & before and self._answers()


def _lives(pid: int) -> bool:
    """Whether it may still hold a line: its threads end one by one, the first is a zombie then."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except OSError:
        return False
    return len(threads) > 1 or state[0] not in "ZX"
