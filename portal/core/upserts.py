"""Rows that are put in, or changed where they are there already, in one statement.

Two processes that do so at once never meet an error, and neither sees a state between.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, FromClause, Table, bindparam, select, text, tuple_
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.orm import Session

from portal.core.db import line
from portal.core.worded import Worded

# How to put in, and how to write it down; MariaDB has a way of its own.
KINDS: Mapping[str, tuple[Any, Any]] = {
    "sqlite": (sqlite.insert, SQLiteDialect),
    "postgresql": (postgresql.insert, PGDialect),
}
Changes = Callable[[Any], dict[str, Any]]  # of the row that was to be put in -> new values


class Upsert:
    """Puts rows into a table; where one with its primary key is there, changes it instead.

    `changes` are made in their order.  A statement is put together once for each kind of database
    and number of rows.
    """

    def __init__(self, table: FromClause, changes: Changes) -> None:
        self.table, self.changes = cast(Table, table), changes
        self.key = list(self.table.primary_key.columns)
        self._made: dict[tuple[str, int, bool], Worded] = {}

    def run(
        self, session: Session, rows: Sequence[Mapping[str, Any]], **shared: Any
    ) -> Sequence[Any]:
        """-> the rows as they stand afterwards, locked by the open transaction, in any order.

        Rows are locked in the order in which they are given; no two may have one key.  `shared`:
        what `changes` ask for by bindparam.
        """
        connection, made = self._ready(session, len(rows), True)
        if connection.dialect.name in KINDS:
            return made.every(connection, _numbered(rows) | shared)
        for row in rows:
            made.change(connection, {**row, **shared})
        keys = [tuple(row[column.name] for column in self.key) for row in rows]
        return connection.execute(select(self.table).where(tuple_(*self.key).in_(keys))).all()

    def write(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """The same, where nobody asks how the rows stand afterwards."""
        connection, made = self._ready(session, len(rows), False)
        if connection.dialect.name in KINDS:
            made.say(connection, _numbered(rows))
            return
        for row in rows:
            made.say(connection, row)

    def _ready(self, session: Session, rows: int, telling: bool) -> tuple[Connection, Worded]:
        session.flush()
        connection = line(session)
        kind = connection.dialect.name
        if (kind, rows, telling) not in self._made:
            made = self._several(*KINDS[kind], rows, telling) if kind in KINDS else self._mysql()
            self._made[kind, rows, telling] = Worded(made)
        return connection, self._made[kind, rows, telling]

    def _several(self, inserting: Any, dialect: Any, rows: int, telling: bool) -> Any:
        """As text, so that what several rows ask for has the names that it is given by."""
        insert = inserting(self.table).values([self._row(number) for number in range(rows)])
        changed = self.changes(insert.excluded)
        wanted = insert.on_conflict_do_update(index_elements=self.key, set_=changed)
        if telling:
            wanted = wanted.returning(*self.table.c)
        compiled = wanted.compile(dialect=dialect(paramstyle="named"))
        named = compiled.bind_names.items()
        binds = [bindparam(name, each.value, each.type) for each, name in named]
        made = text(str(compiled)).bindparams(*binds)
        return made.columns(*self.table.c) if telling else made

    def _row(self, number: int) -> dict[str, Any]:
        return {
            each.name: bindparam(_nth(each.name, number), type_=each.type) for each in self.table.c
        }

    def _mysql(self) -> Any:
        insert = mysql.insert(self.table).values(
            {each.name: bindparam(each.name) for each in self.table.c}
        )
        return insert.on_duplicate_key_update(list(self.changes(insert.inserted).items()))


def _numbered(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {_nth(name, at): each for at, row in enumerate(rows) for name, each in row.items()}


def _nth(name: str, number: int) -> str:
    return f"{name}_of_{number}"
