"""Rows for whoever only looks: read past the ORM, at a third of its price.

No objects of the session: nothing can be changed by them, and nothing more is ever loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from typing import Any

from sqlalchemy import Select

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

    def first(self, values: Mapping[str, object]) -> list[Values | None] | None:
        """What the first answer has in the columns of each model; None where there is none.

        None stands for the row of a model, too, where the answer has none (an outer join).
        """
        with db.engine.connect() as line:
            row = line.execute(self._question, values).first()
        if row is None:
            return None
        return [
            None if row[start] is None else dict(zip(names, row[start:end], strict=True))
            for names, start, end in self._parts  # a model's first column is never empty
        ]
