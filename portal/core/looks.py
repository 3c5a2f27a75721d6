"""Rows for whoever only looks: asked past the ORM, outside a transaction of the driver itself.

No objects of the session: nothing can be changed by them, and nothing more is ever loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Select

from portal.core.db import Model, db, line
from portal.core.worded import Worded

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
        self._worded = Worded(self._question)

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
        return self._parted(self._worded.first(line(session), values))

    def only(self, values: Mapping[str, object]) -> Values:
        """The same of the first model alone.  Raises LookupError where there is none."""
        match self.first(values):
            case [dict(found), *_]:
                return found
        raise LookupError(self._parts[0][0])

    def _asked(self, own: Connection, values: Mapping[str, object]) -> Sequence[Any] | None:
        words = self._worded.to(own.dialect)
        try:
            cursor = own.connection.cursor()
            cursor.execute(words.text, words.given(values))
            return words.first(cursor)
        except own.dialect.loaded_dbapi.Error:  # SQLAlchemy tries again, or tells what is wrong
            return own.execute(self._question, values).first()

    def _parted(self, row: Sequence[Any] | None) -> list[Values | None] | None:
        if row is None:
            return None
        return [
            None if row[start] is None else dict(zip(names, row[start:end], strict=True))
            for names, start, end in self._parts  # a model's first column is never empty
        ]
