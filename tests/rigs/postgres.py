"""A PostgreSQL of our own, from Debian's binaries: started, used and thrown away.

with Postgres() as postgres:
    app = create_app(SETTINGS | {"DATABASE_URL": postgres.fresh_database()})
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from tests.rigs.smtp import free_port

OWNER = "latchkey"
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_SECONDS = 30


def binaries() -> Path | None:
    """Where `initdb` and `postgres` of the newest installed version are; None without any."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(found, key=lambda path: int(path.parts[-3]), default=None)
    known = newest or shutil.which("initdb")
    return Path(known).parent if known else None


def missing() -> str | None:
    """Why no server can be started on this machine; None when one can."""
    if not binaries():
        return "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and not _account():
        return "root may not run PostgreSQL, and there is no user 'postgres' to run it as"
    return None


class Postgres:
    """A cluster in a temporary folder, on a loopback port; durability is off, speed is on."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="latchkey-postgres-"))
        self._bin = binaries()
        self._numbers = itertools.count(1)
        self.port = free_port()

    def fresh_database(self) -> str:
        """Makes an empty database.  -> its SQLAlchemy URL."""
        name = f"portal_{next(self._numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return "postgresql+psycopg://" + self._address(name).partition("://")[2]

    def start(self) -> None:
        """Starts the server on its port and its data, and returns once it answers."""
        options = [f"-c{name}={value}" for name, value in QUICK.items()]
        options += ["-k", str(self._folder), "-p", str(self.port), "-clisten_addresses=127.0.0.1"]
        with (self._folder / "log").open("ab") as log:
            command = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), *options]
            self._server = subprocess.Popen(command, stdout=log, stderr=log, **_as_owner())
        self._wait()

    def stop(self) -> None:
        """Ends every connection, then the server ("fast"); what was committed is kept."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends it as a crash would ("immediate"); its next start recovers from its log."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stops it and starts it on the same port and data."""
        self.stop()
        self.start()

    def __enter__(self) -> Postgres:
        if account := _account():
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        where = ["-D", self._folder / "data", "-U", OWNER, "-A", "trust", "--no-sync"]
        self._run("initdb", *where, "-E", "UTF8", "--locale=C.UTF-8")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        self._server.send_signal(how)
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(10)

    def _address(self, database: str) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: Any) -> None:
        command = [str(self._bin / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **_as_owner())
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stderr}")

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._server.poll() is None:
            try:
                psycopg.connect(self._address("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}")


def _account() -> pwd.struct_passwd | None:
    """The user to run as, when we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


def _as_owner() -> dict[str, Any]:
    account = _account()
    home = {"cwd": "/"}
    if not account:
        return home
    return home | {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
