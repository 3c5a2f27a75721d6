"""Statements that go straight to the driver of the database, in the open transaction.

To have SQLAlchemy run them costs as much as they do.  What fails is told as SQLAlchemy tells it;
whoever listens to its statements is told of these before and after, and can neither change their
words nor hear of one that fails.
"""

from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")


def say(at_hand: Connection, words: str, values: Any = ()) -> None:
    """Runs a statement of whose outcome nobody hears: where that can be, without a wait."""
    _run(at_hand, words, values, False, _nothing)


def ask(
    at_hand: Connection, words: str, values: Any = (), read: Callable[[Any], T] | None = None
) -> T:
    """The same where its outcome is waited for.  -> what `read` makes of the cursor that has it."""
    return cast(T, _run(at_hand, words, values, True, read or _nothing))


def _run(
    at_hand: Connection, words: str, values: Any, heard: bool, read: Callable[[Any], object]
) -> object:
    watchers, context = at_hand.dispatch, _context(at_hand, words, values, heard)
    try:
        cursor = at_hand.connection.cursor()
        told = at_hand, cursor, words, values, context, False
        for watch in watchers.before_cursor_execute:
            watch(*told)
        cursor.execute(words, values)
        for watch in watchers.after_cursor_execute:
            watch(*told)
        return read(cursor)
    except at_hand.dialect.loaded_dbapi.Error as err:
        raise _as_told(at_hand, words, err) from err


def _context(at_hand: Connection, words: str, values: Any, heard: bool) -> SimpleNamespace:
    """What listeners look at, as far as there is any; theirs to write on."""
    return SimpleNamespace(
        heard=heard,
        statement=words,
        parameters=values,
        dialect=at_hand.dialect,
        executemany=False,
        execution_options={},
    )


def _as_told(at_hand: Connection, words: str, err: Exception) -> Exception:
    """That a connection has ended SQLAlchemy finds out for itself, and clears up."""
    dialect = at_hand.dialect
    gone = dialect.is_disconnect(err, at_hand.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if gone:
        with suppress(DBAPIError):
            at_hand.exec_driver_sql("SELECT 1")
    base = dialect.loaded_dbapi.Error
    return cast(Exception, DBAPIError.instance(words, None, err, base, True, gone, dialect))


def _nothing(_cursor: Any) -> None:
    pass
