"""A MariaDB of our own, from Debian's binaries: started, used and thrown away.

with Mariadb() as mariadb:
    app = create_app(SETTINGS | {"DATABASE_URL": mariadb.fresh_database()})
"""

from __future__ import annotations

import itertools
import shutil
from typing import Any, Self

import pymysql

from tests.rigs.daemon import Throwaway

OWNER = "latchkey"
QUICK = {
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-doublewrite": "0",
    "innodb-flush-method": "nosync",
    "innodb-buffer-pool-size": "64M",
    "innodb-log-file-size": "32M",
    "sync-binlog": "0",
}


def missing() -> str | None:
    """Why no server can be started on this machine; None when one can."""
    if not _program("mariadbd") or not _program("mariadb-install-db"):
        return "MariaDB's server is not installed (Debian: apt-get install mariadb-server)"
    return Mariadb.refused()


class Mariadb(Throwaway):
    """A server on its own folder, socket and loopback port; durability is off, speed is on.

    What was committed is kept when it is stopped; after a crash it recovers from its log.
    """

    name, owner = "MariaDB", "mysql"

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)

    def fresh_database(self) -> str:
        """Makes an empty database, as docs/install.md says.  -> its SQLAlchemy URL."""
        name = f"portal_{next(self._numbers)}"
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return f"mysql+pymysql://{OWNER}@127.0.0.1:{self.port}/{name}"

    def __enter__(self) -> Self:
        super().__enter__()
        with self._connected("root") as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE USER {OWNER}@127.0.0.1")
            cursor.execute(f"GRANT ALL ON *.* TO {OWNER}@127.0.0.1")
        return self

    def _prepare(self) -> None:
        # A server that starts clears its folder of temporary tables: it must not be shared.
        folders = [f"--datadir={self._folder / 'data'}", f"--tmpdir={self._folder}"]
        how = ["--skip-test-db", "--auth-root-authentication-method=normal"]
        self._run(_program("mariadb-install-db"), "--no-defaults", *folders, *how)

    def _command(self) -> list[str]:
        options = {"socket": str(self._folder / "socket"), "port": str(self.port)} | QUICK
        options |= {"datadir": str(self._folder / "data"), "bind-address": "127.0.0.1"}
        options |= {"tmpdir": str(self._folder), "pid-file": str(self._folder / "pid")}
        given = [f"--{name}={value}" for name, value in options.items()]
        return [_program("mariadbd"), "--no-defaults", "--skip-name-resolve", *given]

    def _answers(self) -> bool:
        try:
            self._connected("root").close()
        except pymysql.OperationalError:
            return False
        return True

    def _connected(self, user: str = OWNER) -> Any:
        return pymysql.connect(host="127.0.0.1", port=self.port, user=user, connect_timeout=2)


def _program(name: str) -> str:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""
