"""Rows for whoever only looks: asked past the ORM, outside a transaction of the driver itself.

No objects of the session: nothing can be changed by them, and nothing more is ever loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.engine.interfaces import DBAPICursor

from portal.core.db import Model, db, line

Values = dict[str, Any]
Row = TypeVar("Row", bound=Model)


class Seen:
    """A row as it was read, with the properties of its model.  Changing it is an AttributeError."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: this row was only looked at.")


@cache
def kind(model: type[Model]) -> type[Seen]:
    """What rows of this model are seen as."""
    own = {name: each for name, each in vars(model).items() if isinstance(each, property)}
    return type(f"Seen{model.__name__}", (Seen,), own)


def seen(model: type[Row], values: Values | None) -> Row | None:
    """The row of these values, typed as what it looks like; None where there is none."""
    return None if values is None else cast(Row, kind(model)(values))


class Look:
    """A question that reads one row of each of these models; put together once, asked often."""

    def __init__(self, models: Sequence[type[Model]], question: Select[Any]) -> None:
        columns = [each.__table__.columns for each in models]
        ends = list(accumulate(map(len, columns)))
        self._parts = list(zip([each.keys() for each in columns], [0, *ends], ends, strict=False))
        self._question = question.with_only_columns(*(each for some in columns for each in some))
        self._worded: WeakKeyDictionary[Dialect, _Worded] = WeakKeyDictionary()

    def first(self, values: Mapping[str, object]) -> list[Values | None] | None:
        """What the first answer has in the columns of each model; None where there is none.

        None stands for the row of a model, too, where the answer has none (an outer join).
        """
        with db.engine.connect() as own:  # a dialect knows its server from the first one on
            return self._parted(self._asked(own, values))

    def here(self, values: Mapping[str, object]) -> list[Values | None] | None:
        """The same, asked in the open transaction: as it stands after all that was done in it."""
        session = db.session()
        session.flush()
        at_hand = line(session)
        return self._parted(self._in_words_of(at_hand.dialect).told(at_hand, values))

    def only(self, values: Mapping[str, object]) -> Values:
        """The same of the first model alone.  Raises LookupError where there is none."""
        match self.first(values):
            case [dict(found), *_]:
                return found
        raise LookupError(self._parts[0][0])

    def _asked(self, own: Connection, values: Mapping[str, object]) -> Sequence[Any] | None:
        try:
            return self._in_words_of(own.dialect).first(own.connection.cursor(), values)
        except own.dialect.loaded_dbapi.Error:  # SQLAlchemy tries again, or tells what is wrong
            return own.execute(self._question, values).first()

    def _in_words_of(self, dialect: Dialect) -> _Worded:
        worded = self._worded.get(dialect)
        if worded is None:
            worded = self._worded[dialect] = _Worded(self._question, dialect)
        return worded

    def _parted(self, row: Sequence[Any] | None) -> list[Values | None] | None:
        if row is None:
            return None
        return [
            None if row[start] is None else dict(zip(names, row[start:end], strict=True))
            for names, start, end in self._parts  # a model's first column is never empty
        ]


class _Worded:
    """A question in the words of one database, and how what goes in and out is read.

    Raises ValueError for one whose words depend on what is asked (an IN over a list).
    """

    def __init__(self, question: Select[Any], dialect: Dialect) -> None:
        compiled = question.compile(dialect=dialect)
        self._words, self._order = compiled.string, compiled.positiontup
        if any(each.expanding or each.literal_execute for each in compiled.binds.values()):
            raise ValueError(self._words)
        self._own = {n: each.value for n, each in compiled.binds.items() if not each.required}
        self._given = {
            name: each.type.dialect_impl(dialect).bind_processor(dialect)
            for name, each in compiled.binds.items()
        }
        kept = [each.type.dialect_impl(dialect) for each in question.selected_columns]
        readers = [each.result_processor(dialect, None) for each in kept]
        self._readers = [(at, read) for at, read in enumerate(readers) if read]

    def first(self, cursor: DBAPICursor, values: Mapping[str, object]) -> Sequence[Any] | None:
        """The first row of the answer.  Raises what the driver raises."""
        cursor.execute(self._words, self._read(values))
        found = cursor.fetchone()
        cursor.close()
        return self._row(found)

    def told(self, at_hand: Connection, values: Mapping[str, object]) -> Sequence[Any] | None:
        """The same by SQLAlchemy, which says what is wrong, and knows what was not heard of yet."""
        return self._row(at_hand.exec_driver_sql(self._words, self._read(values)).first())

    def _row(self, found: Sequence[Any] | None) -> Sequence[Any] | None:
        if found is None:
            return None
        row = list(found)
        for at, read in self._readers:
            row[at] = read(row[at])
        return row

    def _read(self, values: Mapping[str, object]) -> Any:
        asked = {**self._own, **values}
        given = {
            name: asked[name] if read is None else read(asked[name])
            for name, read in self._given.items()
        }
        return given if self._order is None else tuple(given[name] for name in self._order)
