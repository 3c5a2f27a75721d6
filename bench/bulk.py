"""Very many rows at once, into an SQLite file or a PostgreSQL database where nobody else is.

with bulk.loading() as write:
    write(Person, rows)
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import chain
from typing import Any, cast

import psycopg
from sqlalchemy import Table, make_url

from portal.core.db import Model, UtcDateTime, db

Row = dict[str, object]
Write = Callable[[type[Model], Iterable[Row]], None]
MOMENTS = 10_000  # of which what they are for the driver is remembered
QUICK = "journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-262144"


@contextmanager
def loading() -> Iterator[Write]:
    """-> what writes rows of a model; all rows of one call have the same columns.

    No foreign key is looked at, and nothing can be undone: it is for a database that is made anew
    when this fails.  Afterwards PostgreSQL knows its tables as its autovacuum would have them know;
    SQLite is left as the portal leaves it, which never says ANALYZE.
    """
    db.session.remove()
    db.engine.dispose()
    postgres = db.engine.dialect.name == "postgresql"
    with _postgres() if postgres else _sqlite() as write:
        yield write
    db.engine.dispose()


@contextmanager
def _sqlite() -> Iterator[Write]:
    line = db.engine.raw_connection()
    try:
        cursor = line.cursor()
        for pragma in QUICK:
            cursor.execute(f"PRAGMA {pragma}")
        yield partial(_insert, cursor)
    finally:
        line.close()


def _insert(cursor: Any, model: type[Model], rows: Iterable[Row]) -> None:
    table = cast(Table, model.__table__)
    names, values = _values(table, rows)
    marks = ", ".join("?" * len(names))
    cursor.execute("BEGIN")
    cursor.executemany(f"INSERT INTO {table.name} ({_listed(names)}) VALUES ({marks})", values)  # noqa: S608 - names of our own
    cursor.execute("COMMIT")


@contextmanager
def _postgres() -> Iterator[Write]:
    url = make_url(db.engine.url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(False), autocommit=True) as line:
        line.execute("SET session_replication_role = replica")  # no foreign key is looked at
        yield partial(_copy, line)
        for table in db.metadata.sorted_tables:
            if "id" in table.columns and table.autoincrement_column is not None:
                line.execute(AFTERWARDS.format(table.name))
        line.execute("VACUUM (ANALYZE)")
        line.execute("CHECKPOINT")


AFTERWARDS = (
    "SELECT setval(pg_get_serial_sequence('{0}', 'id'), greatest(1, (SELECT max(id) FROM {0})))"
)


def _copy(line: psycopg.Connection, model: type[Model], rows: Iterable[Row]) -> None:
    table = cast(Table, model.__table__)
    names, values = _values(table, rows)
    with line.cursor().copy(f"COPY {table.name} ({_listed(names)}) FROM STDIN") as copy:
        for each in values:
            copy.write_row(each)


def _values(table: Table, rows: Iterable[Row]) -> tuple[list[str], Iterator[list[object]]]:
    """The names of the columns, and the rows as the driver of this database takes them."""
    every = iter(rows)
    first = next(every, None)
    names = list(first or {table.columns.keys()[0]: None})
    made = [_maker(table, name) for name in names]
    whole = chain([first], every) if first else iter(())
    pairs = list(zip(names, made, strict=True))
    return names, (
        [make(row[name]) if make else row[name] for name, make in pairs] for row in whole
    )


def _maker(table: Table, name: str) -> Callable[[object], object] | None:
    """What the driver is given in place of a value; the same few moments come again and again."""
    dialect, kind = db.engine.dialect, table.columns[name].type
    make = kind.dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(MOMENTS)(make) if make and isinstance(kind, UtcDateTime) else make


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
