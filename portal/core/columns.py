"""Kinds of columns that mean the same in every database.  Models take them from `db`."""

from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, TypeDecorator
from sqlalchemy.types import TypeEngine

BigId = BigInteger().with_variant(Integer, "sqlite")

# Compared byte by byte everywhere, whatever the language of the database: what begins alike stands
# together, and an index finds it.
# On MariaDB all texts are: see migrations/env.py.
ByteText = String(255).with_variant(String(255, collation="C"), "postgresql")

LARGEST_ID = 2**63 - 1  # of a row, in every database


def within(typed: int) -> int:
    """A number out of an address as an id that a database can compare with; 0 is nobody's."""
    return max(0, min(typed, LARGEST_ID))


class UtcDateTime(TypeDecorator[datetime]):
    """timestamptz where there is one; aware UTC in Python, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """MariaDB would drop the microseconds, and with them the seal on an event.

        Where that is not, its types are not loaded: that takes half as long as all of SQLAlchemy.
        """
        if dialect.name != "mysql":
            return dialect.type_descriptor(DateTime(timezone=True))
        from sqlalchemy.dialects.mysql import DATETIME  # noqa: PLC0415

        return dialect.type_descriptor(DATETIME(fsp=6))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return cast(datetime, value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
