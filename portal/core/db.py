"""The database, and the only place that commits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, CursorResult
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.base import Executable

from portal.core import connections
from portal.core.columns import BigId as BigId
from portal.core.columns import ByteText as ByteText
from portal.core.columns import UtcDateTime as UtcDateTime
from portal.core.settings import Refused, setting

if TYPE_CHECKING:
    from flask import Flask

_writers = threading.Lock()
log = logging.getLogger("latchkey")
NO_TABLE = "42P01", "42S02", "1146"  # as PostgreSQL and MariaDB say; SQLite says OperationalError
PUT_IN = "put in"  # notes of rows past the session, which are not there once that is undone
AWAY = OperationalError, InterfaceError, PoolTimeout  # down, full, overloaded: nobody typed wrong


class Model(DeclarativeBase):
    """Base of every table."""


db = SQLAlchemy(
    model_class=Model,
    session_options={"expire_on_commit": False},
    engine_options={"hide_parameters": True},  # values of a failed statement must not reach a log
)


def init_app(app: Flask) -> None:
    """Connects `app` to its database; an SQLite file's folder is made when missing."""
    with app.app_context():
        url = _url(setting("DATABASE_URL"))
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            (Path(app.instance_path) / url.database).parent.mkdir(parents=True, exist_ok=True)
        db.init_app(app)
        Migrate(app, db, directory="migrations", compare_type=True)
        connections.care_for(db.engine)


def _url(text: str) -> URL:
    try:
        return make_url(text)
    except ArgumentError:
        cure = "Give it like postgresql://name@host/database, mariadb://... or sqlite:////path/to/file.db."
        raise Refused(f"DATABASE_URL: is no address of a database. {cure}") from None


def before_commit(call: Callable[[], object]) -> None:
    """Run `call` as the last thing of the open transaction, once however often it is asked for.

    What is asked for again after it ran, by another such call, runs again.
    """
    last = db.session().info["last"]
    if call not in last:
        last.append(call)


def is_last() -> bool:
    """Whether nothing else waits for its turn before the commit."""
    return not db.session().info["last"]


def notes() -> dict[str, Any]:
    """What somebody wants to remember until the open transaction ends, one way or the other."""
    return cast(dict[str, Any], db.session().info["notes"])


def after_commit(call: Callable[[], object]) -> None:
    """Run `call` once the open transaction has been kept; forget it when it is undone."""
    db.session().info["then"].append(call)


@contextmanager
def transaction(lasting: bool = True) -> Iterator[Session]:
    """Everything inside happens, or nothing does.  Never nested: one story, one block at a time.

    Not `lasting`: a crash of the database's machine within a second may undo it.
    """
    session = db.session()
    if "then" in session.info:
        raise RuntimeError("A story called another story.")
    if session.in_transaction():
        session.commit()  # ends the guards' reads: nobody queues with a connection in his hands
    with _one_writer(), _kept(session, lasting) as then:
        yield session
    for call in then:
        _afterwards(call)


def _afterwards(call: Callable[[], object]) -> None:
    """What was kept stays kept: trouble now is for the log, not for whoever asked."""
    try:
        call()
    except Exception as err:  # noqa: BLE001
        log.error("after the commit: %s", type(err).__name__)


@contextmanager
def _kept(session: Session, lasting: bool) -> Iterator[list[Callable[[], object]]]:
    at_hand = session.connection()
    connections.begin(at_hand, lasting)
    of_this: dict[str, Any] = {"then": [], "last": [], "notes": {}, "line": at_hand}
    session.info.update(of_this)
    try:
        yield of_this["then"]
        while of_this["last"]:  # one may ask for another, or for one that has run, once more
            of_this["last"].pop(0)()
        session.commit()
    except BaseException:
        _undo(session, of_this["notes"].get(PUT_IN, ()))
        raise
    finally:
        for name in of_this:
            del session.info[name]


def _undo(session: Session, put_in: Iterable[Model]) -> None:
    session.rollback()
    for row in filter(session.__contains__, put_in):
        session.expunge(row)


def _one_writer() -> AbstractContextManager[object]:
    """SQLite has one write lock, and whoever finds it taken sleeps; our own threads queue."""
    return _writers if db.engine.dialect.name == "sqlite" else nullcontext()


def line(session: Session) -> Connection:
    """The connection of the open transaction, which is at hand; a savepoint has to be told of."""
    if "line" in session.info and session.is_active and not session.in_nested_transaction():
        return cast(Connection, session.info["line"])
    return session.connection()


def at_once(statement: Executable) -> int:
    """One statement, kept whatever follows.  -> how many rows it changed."""
    with transaction() as session:
        return changed(session, statement)


def changed(session: Session, statement: Executable) -> int:
    """Runs it inside the open transaction.  -> how many rows it changed."""
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def after_fork(app: Flask) -> None:
    """A child must neither use its parent's connections nor wait for its parent's threads."""
    global _writers
    _writers = threading.Lock()
    with app.app_context():
        db.engine.dispose(close=False)


def trouble(err: Exception) -> str:
    """What is wrong with the database, in its own code: its words may repeat what was stored."""
    cause = err.orig if isinstance(err, DBAPIError) else None
    names = [getattr(cause, each, None) for each in ("sqlite_errorname", "sqlstate")]
    names += [str(each) for each in getattr(cause, "args", ())[:1] if isinstance(each, int)]
    return next((name for name in names if name), type(cause or err).__name__)


def lacks_table(err: Exception) -> bool:
    """Whether what was asked for is not there: code that is newer than the tables, or older."""
    return trouble(err) in NO_TABLE


def release() -> None:
    """Gives the connection back while something slow goes on outside the database."""
    db.session().commit()
