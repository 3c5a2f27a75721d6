"""The database of one worker, emptied for each test; TEST_DATABASE says of which kind.

with of_kind(request, folder) as database:
    ...  # migrate database.url
    database.keep()
    database.restore()
"""

# ruff: noqa: S608 - names of our own tables
from __future__ import annotations

import os
import sqlite3
from collections.abc import Hashable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pymysql
import pytest
from sqlalchemy.engine import make_url

KINDS = "sqlite", "postgresql", "mariadb"
NO_LOG = b"\1\1"  # SQLite's header: there is no write-ahead log in memory
KIND = os.environ.get("TEST_DATABASE") or "sqlite"


class Database(Protocol):
    """An address, and what stands there before every test."""

    url: str

    def keep(self, name: Hashable) -> None:
        """What is there now can be had back by this name; () is what every test starts with."""

    def restore(self) -> None:
        """Undoes all that was written since, by whomever; nobody else may hold a connection."""

    def recall(self, name: Hashable) -> None:
        """Puts back what was kept, under the connections of those who work with it."""


@contextmanager
def of_kind(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """Raises ValueError for a kind that nobody has heard of."""
    if KIND not in KINDS:
        raise ValueError(f"TEST_DATABASE is one of {', '.join(KINDS)}, not {KIND!r}.")
    if KIND == "sqlite":
        yield SqliteFile(folder / "portal.db")
    elif KIND == "postgresql":
        yield PostgresDatabase(request.getfixturevalue("postgres_server").fresh_database())
    else:
        yield MariadbDatabase(request.getfixturevalue("mariadb_server").fresh_database())


class SqliteFile:
    """A file that is put back whole."""

    def __init__(self, file: Path) -> None:
        self._file, self.url = file, f"sqlite:///{file}"
        self._kept: dict[Hashable, bytes] = {}

    def keep(self, name: Hashable) -> None:
        with closing(sqlite3.connect(self._file)) as file, closing(_memory()) as copy:
            file.backup(copy)
            self._kept[name] = copy.serialize()

    def restore(self) -> None:
        for part in self._file.parent.glob(f"{self._file.name}*"):
            part.unlink()  # whoever still has it open writes to what nobody will read
        self._file.write_bytes(self._kept[()])

    def recall(self, name: Hashable) -> None:
        with closing(sqlite3.connect(self._file)) as file, closing(_memory()) as copy:
            kept = bytearray(self._kept[name])
            kept[18:20] = NO_LOG
            copy.deserialize(bytes(kept))
            copy.backup(file)


def _memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:")


class PostgresDatabase:
    """Tables that have rows are emptied, and get back those that were kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = url.replace("+psycopg", "", 1)
        self._do(POSTGRES)

    def keep(self, name: Hashable) -> None:
        self._do("SELECT rig.keep(%s)", repr(name))

    def restore(self) -> None:
        self._do("SELECT rig.alone()")
        self._do("SELECT rig.restore(%s)", repr(()))

    def recall(self, name: Hashable) -> None:
        self._do("SELECT rig.restore(%s)", repr(name))

    def _do(self, statement: str, *values: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement, values or None)


class MariadbDatabase:
    """The same, for rows that are kept here."""

    def __init__(self, url: str) -> None:
        self.url, self._at = url, make_url(url)
        self._kept: dict[Hashable, dict[str, list[tuple[object, ...]]]] = {}

    def keep(self, name: Hashable) -> None:
        with self._cursor() as cursor:
            cursor.execute("SHOW TABLES")
            self._names = [table for (table,) in cursor.fetchall()]
            self._kept[name] = {table: _rows(cursor, table) for table in self._names}

    def restore(self) -> None:
        with self._cursor() as cursor:
            mine = "db = database() AND id <> connection_id()"
            cursor.execute(f"SELECT id FROM information_schema.processlist WHERE {mine}")
            for (number,) in cursor.fetchall():
                with suppress(pymysql.OperationalError):  # it has gone by itself
                    cursor.execute(f"KILL {number}")
        self.recall(())

    def recall(self, name: Hashable) -> None:
        with self._cursor() as cursor:
            used = [f"SELECT '{each}' WHERE EXISTS (SELECT 1 FROM {each})" for each in self._names]
            cursor.execute(" UNION ALL ".join(used))
            for (table,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute(f"ALTER TABLE {table} AUTO_INCREMENT = 1")
            for table, rows in self._kept[name].items():
                if rows:
                    marks = ", ".join(["%s"] * len(rows[0]))
                    cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        where = {"host": self._at.host, "port": self._at.port, "user": self._at.username}
        with (
            pymysql.connect(database=self._at.database, init_command=UNCHECKED, **where) as line,
            line.cursor() as cursor,
        ):
            yield cursor
            line.commit()


def _rows(cursor: Any, table: str) -> list[tuple[object, ...]]:
    cursor.execute(f"SELECT * FROM {table}")
    return list(cursor.fetchall())


UNCHECKED = "SET foreign_key_checks = 0"
POSTGRES = """
CREATE SCHEMA rig;
CREATE TABLE rig.kept (name text, tab text, rows json, PRIMARY KEY (name, tab));
CREATE FUNCTION rig.alone() RETURNS void AS $$
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
$$ LANGUAGE sql;
CREATE FUNCTION rig.keep(called text) RETURNS void AS $$
DECLARE tab text;
BEGIN
    DELETE FROM rig.kept WHERE name = called;
    FOR tab IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format(
            'INSERT INTO rig.kept SELECT $1, $2, json_agg(each) FROM public.%I each', tab
        ) USING called, tab;
    END LOOP;
END
$$ LANGUAGE plpgsql;
CREATE FUNCTION rig.restore(called text) RETURNS void
SET session_replication_role = replica AS $$
DECLARE one record; used boolean; number text; highest bigint;
BEGIN
    FOR one IN SELECT * FROM rig.kept WHERE name = called LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', one.tab) INTO used;
        IF used THEN
            EXECUTE format('DELETE FROM public.%I', one.tab);
        END IF;
        IF one.rows IS NOT NULL THEN
            EXECUTE format(
                'INSERT INTO public.%1$I'
                ' SELECT * FROM json_populate_recordset(NULL::public.%1$I, $1)', one.tab
            ) USING one.rows;
        END IF;
        number := 'public.' || one.tab || '_id_seq';
        IF to_regclass(number) IS NOT NULL THEN
            EXECUTE format('SELECT coalesce(max(id), 0) FROM public.%I', one.tab) INTO highest;
            PERFORM setval(number, greatest(highest, 1), highest > 0);
        END IF;
    END LOOP;
END
$$ LANGUAGE plpgsql;
"""
