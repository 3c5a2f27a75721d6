"""A connection beside the pool, for whoever watches; and whether the tables are those we expect.

Own and short: a look must neither take a request's connection nor wait as long as a request would.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from portal.core.db import db

SECONDS = 2  # for each of connecting, asking, and waiting for a word on the line
OK, BEHIND, AHEAD = "ok", "behind", "ahead"
MIGRATIONS = Path(__file__).parents[2] / "migrations"
PATIENCE: dict[str, dict[str, Any]] = {
    "sqlite": {"timeout": SECONDS},
    "postgresql": {"connect_timeout": SECONDS, "tcp_user_timeout": 1000 * SECONDS},
    "mysql": {"connect_timeout": SECONDS, "read_timeout": SECONDS},
}
PATIENCE["mariadb"] = PATIENCE["mysql"]


@contextmanager
def aside() -> Iterator[Connection]:
    """A connection of its own, to look and not to change."""
    with _engine(db.engine.url).connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL statement_timeout = {1000 * SECONDS}"))
        yield connection


def standing() -> str:
    """OK, or what the tables are: BEHIND this code, or AHEAD of it, as while others are renewed.

    Raises what the database does when it cannot be asked.
    """
    with aside() as connection:
        connection.execute(text("SELECT 1"))
        try:
            now = connection.scalar(text("SELECT version_num FROM alembic_version"))
        except DatabaseError:  # no such table: nobody has made any
            return BEHIND
    if now == head():
        return OK
    return BEHIND if now is None or now in _known() else AHEAD


@cache
def head() -> str:
    """The newest of our migrations."""
    return str(_scripts().get_current_head())


@cache
def _known() -> frozenset[str]:
    return frozenset(each.revision for each in _scripts().walk_revisions())


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


@cache
def _engine(url: Any) -> Engine:
    return create_engine(
        url,
        poolclass=NullPool,
        connect_args=PATIENCE.get(url.get_backend_name(), {}),
        hide_parameters=True,
    )
