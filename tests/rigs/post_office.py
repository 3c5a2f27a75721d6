"""The mail server of `tests.rigs.smtp` in a process of its own, and what it has accepted.

with PostOffice(tmp_path, latency=0.02) as post:
    settings |= post.settings()
    ...
    assert [letter.to for letter in post.accepted()] == ["ann@example.org"]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.rigs.server import ROOT
from tests.rigs.smtp import NAME, Tls

STOP_SECONDS = 10


@dataclass(frozen=True)
class Accepted:
    """A message that the server took: `at` in seconds of Unix time, `id` its Message-ID."""

    to: str
    id: str
    code: str | None
    subject: str
    at: float


class PostOffice:
    """Takes whatever comes; it may be stopped, and started again on the same port."""

    def __init__(self, folder: Path, tls: Tls = "implicit", latency: float = 0) -> None:
        self._record, self._tls, self._latency = folder / "accepted.jsonl", tls, latency
        self.port, self.ca_file = 0, ""
        self._read, self._accepted = 0, list[Accepted]()

    def settings(self) -> dict[str, str]:
        """The portal's settings that send through this server, whose certificate is trusted."""
        return {
            "EMAIL_BACKEND": "smtp",
            "EMAIL_HOST": NAME,
            "EMAIL_PORT": str(self.port),
            "EMAIL_USE_SSL": str(int(self._tls == "implicit")),
            "EMAIL_USE_TLS": str(int(self._tls == "starttls")),
            "EMAIL_FROM": "portal@latchkey.example",
            "SSL_CERT_FILE": self.ca_file,
        }

    def accepted(self) -> list[Accepted]:
        """What it has accepted, in that order."""
        with self._record.open("rb") as record:
            record.seek(self._read)
            new = record.read().rpartition(b"\n")[0]
        self._accepted += [Accepted(**json.loads(line)) for line in new.splitlines()]
        self._read += len(new) + bool(new)
        return list(self._accepted)

    def wait_for(self, count: int, seconds: float) -> list[Accepted]:
        """-> all that it has accepted, once there are so many.  Raises AssertionError."""
        until = time.monotonic() + seconds
        while len(found := self.accepted()) < count:
            few = f"{len(found)} of {count} messages came within {seconds} s."
            assert time.monotonic() < until, few
            time.sleep(0.02)
        return found

    def start(self) -> None:
        """Starts the process and returns once it listens."""
        self._record.touch()
        where = ["--port", str(self.port), "--record", str(self._record)]
        how = ["--tls", self._tls, "--latency", str(self._latency)]
        command = [sys.executable, "-m", "tests.rigs.smtp", *where, *how]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        said = json.loads(self._process.stdout.readline())
        self.port, self.ca_file = said["port"], said["ca_file"]

    def stop(self) -> None:
        """Ends it; what is under way is not accepted."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def __enter__(self) -> PostOffice:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
