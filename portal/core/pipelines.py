"""PostgreSQL is told at once what nobody wants to hear of, and answers with what is asked next.

By libpq's pipeline mode: one wait for all of them, and whoever wants a lock of such a transaction
does not wait for this process to take note of each answer.  How many rows such a statement changed
is not known; what fails is told by what is asked next, at last by the COMMIT.
"""

from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, event

from portal.core.statements import ask, say

TOGETHER, EARLY = "together", "early"
PIPELINED = "postgresql"
NO_WAIT = "SET LOCAL synchronous_commit TO off"
# A transaction of its own, which says nothing to the log but is written there after all before it.
WRITTEN = "SELECT pg_logical_emit_message(true, 'latchkey', '')"


def care_for(engine: Engine) -> None:
    """What was not heard of yet is heard before anybody else may have the connection."""
    event.listen(engine, "before_cursor_execute", _begin)
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


def _begin(
    connection: Connection, cursor: Any, _words: str, _values: Any, context: Any, _many: bool
) -> None:
    if TOGETHER not in connection.info and not _is_heard(context):
        together = cursor.connection.pipeline()
        together.__enter__()
        connection.info[TOGETHER] = together


def _heard(
    connection: Connection, _cursor: Any, _words: str, _values: Any, context: Any, _many: bool
) -> None:
    if _is_heard(context):
        _hear(connection.info)


def _is_heard(context: Any) -> bool:
    return getattr(context, "heard", True)  # all are that SQLAlchemy runs itself


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
