"""Rows that are put in, changed and asked for past the session's own way of doing so.

By statements that are put together once; where nobody asks what came of them, without a wait.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Insert, Table, bindparam, insert, update
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from portal.core.db import PUT_IN, Model, db, line, notes
from portal.core.worded import Values, Worded

Row = TypeVar("Row", bound=Model)
WHICH = "this_row"
NO_VALUES: Values = {}
TOLD_BY_ANSWER = "postgresql"  # the key of a new row; elsewhere the cursor knows it


def unheard(session: Session, statement: Worded, values: Values = NO_VALUES) -> None:
    """Like `heard`, where nobody asks what came of it: without a wait, where that can be.

    For nothing that may be refused: what fails is told by what is asked next, a savepoint that
    others may take for their own, or by the commit.
    """
    session.flush()
    statement.say(line(session), values)


def heard(session: Session, statement: Worded, values: Values = NO_VALUES) -> int:
    """Like `db.changed`, past the objects that this session has read: a fourth of the price.

    For the busiest statements, on rows that nobody holds as objects or that are read afresh.
    -> how many rows it changed.
    """
    session.flush()
    return statement.change(line(session), values)


def asked(session: Session, question: Worded, values: Values = NO_VALUES) -> list[Sequence[Any]]:
    """The rows of an answer, in the open transaction, as they stand after all that was done."""
    session.flush()
    return question.every(line(session), values)


def send(kind: type[Model], values: Mapping[str, object]) -> None:
    """Puts in a row; its other columns get what the database gives.  A step of a transaction.

    For what nothing in the database can refuse, see `unheard`.
    """
    unheard(db.session(), _sending(kind, tuple(values)), values)


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
    at_hand = line(session)
    telling = _telling(kind, tuple(values), at_hand.dialect.name == TOLD_BY_ANSWER)
    return telling.put_in(at_hand, values)


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
def _sending(kind: type[Model], names: tuple[str, ...]) -> Worded:
    return Worded(_putting(kind, names))


@cache
def _telling(kind: type[Model], names: tuple[str, ...], returning: bool) -> Worded:
    putting = _putting(kind, names)
    return Worded(putting.returning(_table(kind).columns["id"]) if returning else putting)


def _putting(kind: type[Model], names: Iterable[str]) -> Insert:
    return insert(_table(kind)).inline().values({name: bindparam(name) for name in names})


@cache
def _changing(kind: type[Model], key: str, names: tuple[str, ...]) -> Worded:
    table = _table(kind)
    mine = update(table).where(table.columns[key] == bindparam(WHICH))
    return Worded(mine.values({name: bindparam(name) for name in names}))


def _table(kind: type[Model]) -> Table:
    return cast(Table, cast(Any, kind).__table__)
