"""Connections to the database: how each kind is set up, looked after and counted.

A request that only reads says nothing but its questions: no transaction is begun and none ended.
So `BEGIN` is said where there is something to write.
"""

import socket
import time
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

from portal.core import metrics, pipelines
from portal.core.settings import SILENCE_MS
from portal.core.statements import say

BUSY_MILLISECONDS = 15_000
BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
GIVEN_BACK, TAKEN = "given back", "taken"
IDLE_SECONDS = 1.0  # after which a connection is asked whether it is still one


def care_for(engine: Engine) -> None:
    """Sets up each connection of this engine, and never hands out one that has died in the pool."""
    if tune := TUNED.get(engine.dialect.name):
        event.listen(engine, "connect", tune)

    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        rested = time.monotonic() - record.info.get(GIVEN_BACK, time.monotonic())
        if rested > IDLE_SECONDS and engine.dialect.name != "sqlite":
            _ask(engine, connection)
        record.info[TAKEN] = True
        metrics.connected()

    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", _given_back)
    if engine.dialect.name == "postgresql":
        from portal.core import driver  # noqa: PLC0415 - psycopg, which not all need

        event.listen(engine, "do_connect", driver.connect)
        pipelines.care_for(engine)


def begin(connection: Connection, lasting: bool = True) -> None:
    """Says that a transaction begins, where that has to be said; see `pipelines.need_not_last`."""
    if words := BEGIN.get(connection.dialect.name):
        say(connection, words)
    if not lasting:
        pipelines.need_not_last(connection)


def _ask(engine: Engine, connection: Any) -> None:
    """Only after a rest: asked before each use, it would cost as much as what is used it for."""
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise InvalidatePoolError from None  # so are the others: the server was started anew


def _given_back(_connection: Any, record: Any) -> None:
    record.info[GIVEN_BACK] = time.monotonic()
    if record.info.pop(TAKEN, False):  # one that could not be made comes here as well
        metrics.disconnected()


def _tune(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transaction() says BEGIN IMMEDIATE itself
    for pragma in (
        f"busy_timeout={BUSY_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _give_silence_up(connection: Any, _record: Any) -> None:
    """PyMySQL has a limit for answers alone, and some may take their time."""
    line = connection._sock
    if line.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_MS)


TUNED = {"sqlite": _tune, "mysql": _give_silence_up}
