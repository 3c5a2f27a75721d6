"""Rows that are put in and changed without a wait, where nobody asks what came of it.

By statements that are put together once, and past the session's own way of writing.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Insert, Table, Update, bindparam, insert, update
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlalchemy.sql.base import Executable

from portal.core import pipelines
from portal.core.db import PUT_IN, Model, db, line, notes

Row = TypeVar("Row", bound=Model)
WHICH = "this_row"


def unheard(
    session: Session, statement: Executable, values: Mapping[str, object] | None = None
) -> None:
    """Like `db.straight`, where nobody asks what came of it: without a wait, where that can be.

    For nothing that may be refused: what fails is told by what is asked next, a savepoint that
    others may take for their own, or by the commit.
    """
    session.flush()
    line(session).execute(statement, values, execution_options=pipelines.UNHEARD)


def send(kind: type[Model], values: Mapping[str, object]) -> None:
    """Puts in a row; its other columns get what the database gives.  A step of a transaction.

    For what nothing in the database can refuse, see `unheard`.
    """
    unheard(db.session(), _putting(kind), values)


def put(kind: type[Row], /, **values: object) -> Row:
    """The same for a row whose key is among the values.  -> the row, as if it had been read.

    What is not given is NULL, whatever the model would put there.
    """
    full = dict.fromkeys(_table(kind).columns.keys()) | values
    send(kind, full)
    return _held(kind, full)


def begin(kind: type[Row], /, **values: object) -> Row:
    """The same for a row whose key the database gives, which is waited for."""
    full = dict.fromkeys(_table(kind).columns.keys()) | values
    del full["id"]
    return _held(kind, full | {"id": numbered(kind, full)})


def numbered(kind: type[Model], values: Mapping[str, object]) -> int:
    """Puts in a row.  -> the key that it got."""
    session = db.session()
    session.flush()
    key = line(session).execute(_numbered(kind), values).inserted_primary_key
    return int(cast(Sequence[int], key)[0])


def change(kind: type[Model], key: object, /, **values: object) -> None:
    """Writes these columns of the row of this key, also where it is held as an object."""
    [name] = _table(kind).primary_key.columns.keys()
    unheard(db.session(), _changing(kind, name, tuple(values)), values | {WHICH: key})
    row = db.session.identity_map.get(identity_key(kind, key))
    if row is not None:
        _set(row, values)


def _held(kind: type[Row], values: Mapping[str, object]) -> Row:
    row = kind()
    _set(row, values)
    make_transient_to_detached(row)
    db.session.add(row)
    notes().setdefault(PUT_IN, []).append(row)
    return row


def _set(row: Model, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        set_committed_value(row, name, value)


@cache
def _putting(kind: type[Model]) -> Insert:
    return insert(_table(kind)).inline()


@cache
def _numbered(kind: type[Model]) -> Insert:
    return insert(_table(kind))


@cache
def _changing(kind: type[Model], key: str, names: tuple[str, ...]) -> Update:
    table = _table(kind)
    mine = update(table).where(table.columns[key] == bindparam(WHICH))
    return mine.values({name: bindparam(name) for name in names})


def _table(kind: type[Model]) -> Table:
    return cast(Table, cast(Any, kind).__table__)
