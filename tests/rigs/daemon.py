"""A program of this machine as a process of its own; and one with a folder that is thrown away.

Whoever is one says how it is started and whether it answers.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from tests.rigs.smtp import free_port

START_SECONDS, STOP_SECONDS = 60, 20
PAUSE = 0.02  # seconds between two looks whether it answers


class Daemon:
    """Runs as long as its `with` block; what it says goes to a file."""

    name = "It"
    stops, kills = signal.SIGTERM, signal.SIGKILL

    def __init__(self, log: Path) -> None:
        self._log = log

    def start(self) -> None:
        """Starts it and returns once it answers.  Raises RuntimeError with its words."""
        with self._log.open("ab") as log:
            how = {"stdout": log, "stderr": log, **self._how()}
            self._server = subprocess.Popen(self._command(), **how)
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > until:
                self.kill()
                raise RuntimeError(f"{self.name} did not start:\n{self._log.read_text()}")
            time.sleep(PAUSE)

    def stop(self) -> None:
        """Asks it to end, and waits."""
        self._server.send_signal(self.stops)
        try:
            self._server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._server.send_signal(self.kills)
        self._server.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Stops it and starts it where it was."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _how(self) -> dict[str, Any]:
        """Where and as whom it runs, as subprocess takes it."""
        return {}

    def _answers(self) -> bool:
        raise NotImplementedError


class Throwaway(Daemon):
    """A server on a loopback port, whose folder ends with its `with` block."""

    owner = ""  # whom it runs as when we are root and it refuses root; "": it takes root

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"latchkey-{self.name.lower()}-"))
        super().__init__(self._folder / "log")
        self.port = free_port()

    @classmethod
    def refused(cls) -> str | None:
        """Why we may not run it; None when we may."""
        if os.geteuid() == 0 and not cls._account():
            return f"root may not run {cls.name}, and there is no user '{cls.owner}' to run it as"
        return None

    def __enter__(self) -> Self:
        if account := self._account():
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._prepare()
        return super().__enter__()

    def __exit__(self, *_error: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _prepare(self) -> None:
        """Puts into the folder what has to be there before its first start."""

    def _run(self, *command: str) -> None:
        """A program that prepares the folder.  Raises RuntimeError with its words."""
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._how())
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    def _how(self) -> dict[str, Any]:
        account = self._account()
        home = {"cwd": "/"}
        if not account:
            return home
        return home | {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    @classmethod
    def _account(cls) -> pwd.struct_passwd | None:
        if not cls.owner or os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam(cls.owner)
        except KeyError:
            return None
