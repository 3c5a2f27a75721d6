"""A PostgreSQL of our own, from Debian's binaries: started, used and thrown away.

with Postgres() as postgres:
    app = create_app(SETTINGS | {"DATABASE_URL": postgres.fresh_database()})
"""

from __future__ import annotations

import itertools
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import psycopg

from tests.rigs.daemon import Throwaway

OWNER = "latchkey"
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


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
    return Postgres.refused()


class Postgres(Throwaway):
    """A cluster in a temporary folder, on a loopback port.

    `options` are its settings; by default durability is off, speed is on.  When it is stopped it
    ends every connection, and what was committed is kept; after a crash it recovers from its log.
    """

    name, owner = "PostgreSQL", "postgres"
    stops, kills = signal.SIGINT, signal.SIGQUIT  # its "fast" and "immediate"

    def __init__(self, options: Mapping[str, str] = QUICK) -> None:
        super().__init__()
        self._options = options
        self._bin = binaries()
        self._numbers = itertools.count(1)

    def fresh_database(self) -> str:
        """Makes an empty database.  -> its SQLAlchemy URL."""
        name = f"portal_{next(self._numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return "postgresql+psycopg://" + self._address(name).partition("://")[2]

    def _prepare(self) -> None:
        where = ["-D", str(self._folder / "data"), "-U", OWNER, "-A", "trust", "--no-sync"]
        self._run(str(self._bin / "initdb"), *where, "-E", "UTF8", "--locale=C.UTF-8")

    def _command(self) -> list[str]:
        options = [f"-c{name}={value}" for name, value in self._options.items()]
        options += ["-k", str(self._folder), "-p", str(self.port), "-clisten_addresses=127.0.0.1"]
        return [str(self._bin / "postgres"), "-D", str(self._folder / "data"), *options]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _address(self, database: str) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"
