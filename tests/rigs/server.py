"""The real product in a process of its own, as `make run` starts it.

with Server(tmp_path, CODE_LIFETIME_SECONDS="60") as portal:
    browser.goto(portal.url + "/sign-in")
    code = portal.wait_for_mail("ann@example.org").code
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import config
from tests.rigs.smtp import free_port

ROOT = Path(__file__).parents[2]
_MIGRATED = tempfile.TemporaryDirectory(prefix="latchkey-migrated-")  # an SQLite file, once made
START_SECONDS, STOP_SECONDS = 40, 15


@dataclass(frozen=True)
class Letter:
    """A message from /dev/mailbox.json."""

    to: str
    channel: str
    subject: str
    text: str
    html: str | None
    sent_at: str

    @property
    def code(self) -> str:
        """The six digits that stand in its text.  Raises AssertionError without any."""
        found = re.search(r"(?<!\d)\d{6}(?!\d)", self.text)
        assert found, f"No code in {self.subject!r}."
        return found[0]

    @property
    def links(self) -> list[str]:
        """The addresses that stand alone on a line."""
        return re.findall(r"^\s*(https?://\S+)\s*$", self.text, re.MULTILINE)


class Server:
    """Migrates a database, serves it, and ends with the `with` block; `settings` go on top."""

    command = ("flask", "--app", "wsgi", "serve")

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = environment(folder, self.port) | settings
        self._log = folder / "server.log"

    def flask(self, *arguments: str) -> str:
        """Runs `flask --app wsgi ...` with the same settings.  -> what it printed.

        Raises AssertionError with its words when it fails.
        """
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"flask {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Starts the process and returns once it answers.  Raises AssertionError with its log."""
        command = [sys.executable, "-m", *self.command]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            alive = self.process.poll() is None and time.monotonic() < until
            assert alive, f"It did not start:\n{self.log()}"
            time.sleep(0.1)

    def stop(self) -> int:
        """Asks the process to end and waits.  -> its exit code."""
        self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        """Ends the process as a crash would."""
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        """Everything that it has printed."""
        return self._log.read_text() if self._log.exists() else ""

    def mailbox(self) -> list[Letter]:
        """The messages caught so far, newest first."""
        with urllib.request.urlopen(f"{self.url}/dev/mailbox.json", timeout=10) as answer:
            return [Letter(**message) for message in json.load(answer)]

    def wait_for_mail(self, to: str, count: int = 1, seconds: float = 15) -> Letter:
        """-> the newest message to this address, once there are `count` of them.

        Raises AssertionError with the server's log when they do not come.
        """
        until = time.monotonic() + seconds
        while True:
            found = [letter for letter in self.mailbox() if letter.to == to]
            if len(found) >= count:
                return found[0]
            came = f"{len(found)} of {count} messages to {to} came"
            assert time.monotonic() < until, f"{came} in {seconds} s.\n{self.log()}"
            time.sleep(0.1)

    def migrate(self) -> None:
        """Makes its tables; those of an SQLite file are made once, and copied from then on."""
        file, kept = self.folder / "portal.db", Path(_MIGRATED.name) / "portal.db"
        own = self.environment["DATABASE_URL"] == f"sqlite:///{file}" and not file.exists()
        if own and kept.exists():
            shutil.copyfile(kept, file)
            return
        self.flask("db", "upgrade")
        if own:
            shutil.copyfile(file, kept)

    def __enter__(self) -> Server:
        self.migrate()
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.stop()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _ended(self) -> int:
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"It did not end:\n{self.log()}") from None


def environment(folder: Path, port: int) -> dict[str, Any]:
    """Every setting named, so that neither a developer's `.env` nor their shell gets in."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    unset = {each.name: "" for each in config.SETTINGS}
    return (
        kept
        | unset
        | {
            "PYTHONUNBUFFERED": "1",
            "FLASK_SKIP_DOTENV": "1",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "PASSWORD_PEPPER": secrets.token_urlsafe(48),
            "DATA_KEY": secrets.token_urlsafe(48),
            "DATABASE_URL": f"sqlite:///{folder / 'portal.db'}",
            "UPLOAD_FOLDER": str(folder / "uploads"),
            "SIGNING_KEYS_FILE": str(folder / "signing-keys.json"),
            "EMAIL_BACKEND": "mailbox",
            "BCRYPT_COST": "4",
            "PORT": str(port),
        }
    )
