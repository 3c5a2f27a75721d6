"""Rows for whoever only looks: asked of the driver itself, at a fifth of the ORM's price.

No objects of the session: nothing can be changed by them, and nothing more is ever loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any

from sqlalchemy import Dialect, Engine, Select

from portal.core.db import Model, db

Values = dict[str, Any]


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


class Look:
    """A question that reads one row of each of these models; put together once, asked often."""

    def __init__(self, models: Sequence[type[Model]], question: Select[Any]) -> None:
        columns = [each.__table__.columns for each in models]
        ends = list(accumulate(map(len, columns)))
        self._parts = list(zip([each.keys() for each in columns], [0, *ends], ends, strict=False))
        self._question = question.with_only_columns(*(each for some in columns for each in some))
        self._worded: dict[str, _Worded] = {}

    def first(self, values: Mapping[str, object]) -> list[Values | None] | None:
        """What the first answer has in the columns of each model; None where there is none.

        None stands for the row of a model, too, where the answer has none (an outer join).
        """
        engine = db.engine
        if (worded := self._worded.get(engine.name)) is None:
            worded = self._worded[engine.name] = _Worded(self._question, engine.dialect)
        try:
            row = worded.first(engine, values)
        except engine.dialect.loaded_dbapi.Error:  # SQLAlchemy tries again, or tells what is wrong
            with engine.connect() as line:
                row = line.execute(self._question, values).first()
        if row is None:
            return None
        return [
            None if row[start] is None else dict(zip(names, row[start:end], strict=True))
            for names, start, end in self._parts  # a model's first column is never empty
        ]


class _Worded:
    """A question in the words of one kind of database, and how what goes in and out is read."""

    def __init__(self, question: Select[Any], dialect: Dialect) -> None:
        compiled = question.compile(dialect=dialect)
        self._words, self._order = compiled.string, compiled.positiontup
        given = {name: each.type for name, each in compiled.binds.items()}
        self._given = {
            name: each.dialect_impl(dialect).bind_processor(dialect) for name, each in given.items()
        }
        kept = [each.type.dialect_impl(dialect) for each in question.selected_columns]
        readers = [each.result_processor(dialect, None) for each in kept]
        self._readers = [(at, read) for at, read in enumerate(readers) if read]

    def first(self, engine: Engine, values: Mapping[str, object]) -> Sequence[Any] | None:
        """The first row of the answer.  Raises what the driver raises."""
        line = engine.raw_connection()
        try:
            cursor = line.cursor()
            cursor.execute(self._words, self._read(values))
            found = cursor.fetchone()
            cursor.close()
        except BaseException:
            line.invalidate()
            raise
        finally:
            line.close()
        if found is None:
            return None
        row = list(found)
        for at, read in self._readers:
            row[at] = read(row[at])
        return row

    def _read(self, values: Mapping[str, object]) -> Any:
        given = {
            name: values[name] if read is None else read(values[name])
            for name, read in self._given.items()
        }
        return given if self._order is None else [given[name] for name in self._order]
