"""Mail workers in processes of their own, as the operator starts them, and killed like a crash.

worker = CeleryWorker(environment | {"REDIS_URL": redis.url}, tmp_path / "worker.log")
worker.start()
worker.kill()  # it, its pool and its beat
worker.start()
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.rigs.server import ROOT

START_SECONDS, STOP_SECONDS = 40, 15
PROC = Path("/proc")


class Worker:
    """A command in a process group of its own; its words go to a file."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = [sys.executable, "-m", *command]
        self._environment, self._file = environment, log
        self._process: subprocess.Popen[bytes] | None = None
        self._begins = 0

    @property
    def pid(self) -> int:
        """Its process, and its group."""
        assert self._process, "It was never started."
        return self._process.pid

    def launch(self) -> None:
        """Starts it and returns at once."""
        self._begins = len(self.log())
        where = {"cwd": ROOT, "env": dict(self._environment), "start_new_session": True}
        with self._file.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, **where)

    def start(self) -> None:
        """Starts it and returns once it works.  Raises AssertionError with its log."""
        self.launch()
        until = time.monotonic() + START_SECONDS
        while not self.is_ready():
            alive = self.is_alive() and time.monotonic() < until
            assert alive, f"It did not start:\n{self.log()}"
            time.sleep(0.05)

    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """Whether it works on what waits."""
        raise NotImplementedError

    def stop(self) -> int:
        """Asks it to end and waits.  -> its exit code."""
        os.kill(self.pid, signal.SIGTERM)
        try:
            return self._ended()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"It did not end:\n{self.log()}") from None

    def kill(self) -> None:
        """Ends it and all its processes as a crash of the machine would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._ended()

    def log(self) -> str:
        """Everything that it has printed, since its first start."""
        return self._file.read_text() if self._file.exists() else ""

    def said(self) -> str:
        """What it has printed since its last start."""
        return self.log()[self._begins :]

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def _ended(self) -> int:
        assert self._process
        return self._process.wait(STOP_SECONDS)


class ServeWorker(Worker):
    """`flask serve`: the embedded engine inside the server; among several, one at a time sends."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(["flask", "--app", "wsgi", "serve"], environment, log)

    def is_ready(self) -> bool:
        return "Latchkey serves" in self.said()


class DeliverWorker(Worker):
    """`flask deliver`: the embedded engine in a process of its own, beside those of servers."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(["flask", "--app", "wsgi", "deliver"], environment, log)

    def is_ready(self) -> bool:
        """A second thread renews the leases; it is started when the work is."""
        return int(_status(self.pid, "Threads") or 0) > 1


class CeleryWorker(Worker):
    """`celery -A wsgi:celery worker -B`: `concurrency` processes that send, and one that sweeps.

    `sweeps=False` leaves the last one out: a `CeleryBeat` of its own does it.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        log: Path,
        concurrency: int = 2,
        *,
        sweeps: bool = True,
    ) -> None:
        pool = ["--pool", "prefork", "--concurrency", str(concurrency), "--loglevel", "INFO"]
        own = ["--hostname", f"{log.stem}@%h", *(["-B"] if sweeps else [])]
        super().__init__(["celery", "-A", "wsgi:celery", "worker", *own, *pool], environment, log)

    def is_ready(self) -> bool:
        return " ready." in self.said()

    def pool(self) -> list[int]:
        """The processes that send: the terminal's signal to stop is for their parent alone."""
        return [pid for pid in self._children() if _ignores(pid, signal.SIGINT)]

    def kill_one(self, pid: int) -> None:
        """Ends one of its processes as a lack of memory would, and returns when it is gone."""
        os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + STOP_SECONDS
        while pid in self._children():
            assert time.monotonic() < until, "It did not end."
            time.sleep(0.01)

    def beat(self) -> list[int]:
        """The process that sweeps, unless it is dead: nobody replaces it."""
        return [pid for pid in self._children() if not _ignores(pid, signal.SIGINT)]

    def _children(self) -> list[int]:
        listed = _read(f"{self.pid}/task/{self.pid}/children").split()
        return [int(pid) for pid in listed if _status(int(pid), "State") not in ("", "Z")]


class CeleryBeat(Worker):
    """`celery -A wsgi:celery beat`: tells workers every few seconds to look for themselves."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        command = ["celery", "-A", "wsgi:celery", "beat", "--loglevel", "INFO"]
        super().__init__(command, environment, log)

    def is_ready(self) -> bool:
        return "maxinterval" in self.said()


def _ignores(pid: int, which: signal.Signals) -> bool:
    return bool(int(_status(pid, "SigIgn") or "0", 16) >> (which - 1) & 1)


def _status(pid: int, name: str) -> str:
    """The first word behind a name; "" once the process is gone."""
    lines = _read(f"{pid}/status").splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f"{name}:")), "")


def _read(name: str) -> str:
    try:
        return (PROC / name).read_text()
    except OSError:
        return ""
