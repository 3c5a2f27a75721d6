"""Statements that are put together once and said often: in the words of each kind of database.

To have SQLAlchemy put together and run each of them costs as much as the statement itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from portal.core.statements import ask, say

Values = Mapping[str, object]


class Worded:
    """A statement; `values` are what it asks for by bindparam.

    Raises ValueError, when it is said, for one whose words depend on what is asked (an IN over a
    list), and for one into which Python would put something itself (a column's default).
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._worded: dict[str, Words] = {}

    def say(self, at_hand: Connection, values: Values) -> None:
        """Runs it; nobody asks what came of it, see `rows.unheard`."""
        words = self.to(at_hand.dialect)
        say(at_hand, words.text, words.given(values))

    def change(self, at_hand: Connection, values: Values) -> int:
        """-> how many rows it changed."""
        words = self.to(at_hand.dialect)
        return ask(at_hand, words.text, words.given(values), _count)

    def put_in(self, at_hand: Connection, values: Values) -> int:
        """-> the key that the database gave the row."""
        words = self.to(at_hand.dialect)
        return ask(at_hand, words.text, words.given(values), _key)

    def first(self, at_hand: Connection, values: Values) -> Sequence[Any] | None:
        """-> the first row of its answer."""
        words = self.to(at_hand.dialect)
        return ask(at_hand, words.text, words.given(values), words.first)

    def every(self, at_hand: Connection, values: Values) -> list[Sequence[Any]]:
        """-> all rows of its answer."""
        words = self.to(at_hand.dialect)
        return ask(at_hand, words.text, words.given(values), words.every)

    def to(self, dialect: Dialect) -> Words:
        """How it is said to a database; a process knows one of a kind.

        `dialect`: one that has met its server, and knows what that can do.
        """
        words = self._worded.get(dialect.name)
        if words is None:
            words = self._worded[dialect.name] = Words(self._statement, dialect)
        return words


class Words:
    """A statement in the words of one database, and how what goes in and out is read."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = cast(SQLCompiler, cast(Any, statement).compile(dialect=dialect))
        self.text, self._order = compiled.string, compiled.positiontup
        binds = compiled.binds
        if compiled.insert_prefetch or compiled.update_prefetch or _depend(binds.values()):
            raise ValueError(self.text)
        self._own = {name: each.value for name, each in binds.items() if not each.required}
        writers = [(n, _kept(each, dialect).bind_processor(dialect)) for n, each in binds.items()]
        self._writers = [(name, write) for name, write in writers if write]
        asked = getattr(statement, "exported_columns", ())
        readers = [_kept(each, dialect).result_processor(dialect, None) for each in asked]
        self._readers = [(at, read) for at, read in enumerate(readers) if read]

    def given(self, values: Values) -> Any:
        """`values` as the driver takes them."""
        given = {**self._own, **values}
        for name, write in self._writers:
            given[name] = write(given[name])
        return given if self._order is None else [given[name] for name in self._order]

    def first(self, cursor: Any) -> Sequence[Any] | None:
        """The first row of an answer.  Raises what the driver raises."""
        found = cursor.fetchone()
        cursor.close()
        return None if found is None else self._row(found)

    def every(self, cursor: Any) -> list[Sequence[Any]]:
        """All rows of an answer."""
        found = list(map(self._row, cursor.fetchall()))
        cursor.close()
        return found

    def _row(self, found: Sequence[Any]) -> Sequence[Any]:
        row = list(found)
        for at, read in self._readers:
            row[at] = read(row[at])
        return row


def _kept(column: Any, dialect: Dialect) -> Any:
    return column.type.dialect_impl(dialect)


def _depend(binds: Any) -> bool:
    return any(each.expanding or each.literal_execute or each.callable for each in binds)


def _count(cursor: Any) -> int:
    return cast(int, cursor.rowcount)


def _key(cursor: Any) -> int:
    return cast(int, cursor.fetchone()[0] if cursor.description else cursor.lastrowid)
