"""PostgreSQL is told at once what nobody wants to hear of, and answers with what is asked next.

By libpq's pipeline mode: one wait for all of them, and whoever wants a lock of such a transaction
does not wait for this process to take note of each answer.  How many rows such a statement changed
is not known; what fails is told by what is asked next, at last by the COMMIT.
"""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError

TOGETHER, EARLY = "together", "early"
PIPELINED = "postgresql"
NO_WAIT = "SET LOCAL synchronous_commit TO off"
# A transaction of its own, which says nothing to the log but is written there after all before it.
WRITTEN = "SELECT pg_logical_emit_message(true, 'latchkey', '')"


def care_for(engine: Engine) -> None:
    """What was not heard of yet is heard before anybody else may have the connection."""
    event.listen(engine, "after_cursor_execute", _heard)
    event.listen(engine, "commit", _kept)
    event.listen(engine, "rollback", _undone)
    event.listen(engine, "rollback_savepoint", _undone_in_part)
    event.listen(engine, "reset", _given_back)


def need_not_last(connection: Connection) -> None:
    """The open transaction is kept without a wait for the disk.

    Should the database's machine stop within the next second, it may never have been.
    """
    if connection.dialect.name == PIPELINED:
        say(connection, NO_WAIT)


def let_go_early(connection: Connection) -> None:
    """Others need not wait for the disk to get the locks of the open transaction.

    Whoever commits it still does, for a second transaction: the log is written in order, so that
    what others made of it meanwhile is not there without it, and several wait for one writing.
    """
    if connection.dialect.name == PIPELINED:
        need_not_last(connection)
        connection.info[EARLY] = True


def say(at_hand: Connection, words: str, values: Any = ()) -> None:
    """Runs a statement in the open transaction; what comes of it nobody hears, see above.

    Past SQLAlchemy's own way, which costs as much as the statement; whoever listens to that is
    told of it as well.  Raises what that would.
    """
    if at_hand.dialect.name == PIPELINED:
        _begin(at_hand.connection)
    _run(at_hand, words, values)


def ask(at_hand: Connection, words: str, values: Any = ()) -> DBAPICursor:
    """The same where the outcome is wanted: its cursor has it."""
    return _run(at_hand, words, values, heard=True)


def _run(at_hand: Connection, words: str, values: Any, heard: bool = False) -> DBAPICursor:
    cursor, watchers = at_hand.connection.cursor(), at_hand.dispatch
    told = at_hand, cursor, words, values, SimpleNamespace(heard=heard), False
    for watch in watchers.before_cursor_execute:
        watch(*told)
    try:
        cursor.execute(words, values)
        for watch in watchers.after_cursor_execute:  # `_heard` among them
            watch(*told)
    except at_hand.dialect.loaded_dbapi.Error as err:
        raise _as_told(at_hand, words, cursor, err) from err
    return cursor


def _as_told(at_hand: Connection, words: str, cursor: Any, err: Exception) -> Exception:
    """As SQLAlchemy tells it; that a connection has ended it finds out itself, and clears up."""
    dialect = at_hand.dialect
    if dialect.is_disconnect(err, at_hand.connection.dbapi_connection, cursor):  # type: ignore[arg-type]
        with suppress(DBAPIError):
            at_hand.exec_driver_sql("SELECT 1")
    base = dialect.loaded_dbapi.Error
    return cast(Exception, DBAPIError.instance(words, None, err, base, True, dialect=dialect))


def _begin(line: Any) -> None:
    if TOGETHER not in line.info:
        together = line.dbapi_connection.pipeline()
        together.__enter__()
        line.info[TOGETHER] = together


def _heard(
    connection: Connection, _cursor: Any, _words: str, _values: Any, context: Any, _many: bool
) -> None:
    if getattr(context, "heard", True):  # so are all that SQLAlchemy runs itself
        _hear(connection.info)


def _kept(connection: Connection) -> None:
    """The driver's own COMMIT would be waited for once more than this."""
    if connection.invalidated:
        return
    if connection.info.pop(EARLY, False):
        say(connection, "COMMIT")
        ask(connection, WRITTEN)
    elif TOGETHER in connection.info:
        ask(connection, "COMMIT")


def _undone(connection: Connection) -> None:
    if not connection.invalidated:  # one that the database hung up on has no info any more
        connection.info.pop(EARLY, None)
        _hear_no_trouble(connection.info)


def _undone_in_part(connection: Connection, _name: str, _context: Any) -> None:
    """What was said before the savepoint stays said, and its commit has to be waited for."""
    if not connection.invalidated:
        _hear_no_trouble(connection.info)


def _given_back(_connection: Any, record: Any, _state: Any) -> None:
    record.info.pop(EARLY, None)
    _hear_no_trouble(record.info)


def _hear_no_trouble(info: Any) -> None:
    """What failed was told already, and is not to be hidden behind all that failed after it."""
    with suppress(Exception):
        _hear(info)


def _hear(info: Any) -> None:
    if (together := info.pop(TOGETHER, None)) is not None:
        together.__exit__(None, None, None)
