"""The only place that asks what time it is.

Call it as `clock.now()`, so that tests can move it.
"""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


def after(seconds: int) -> datetime:
    """The moment `seconds` from now."""
    return now() + timedelta(seconds=seconds)


def seconds_until(moment: datetime | None) -> int:
    """Whole seconds from now, rounded up; 0 when it has passed or never comes."""
    if moment is None:
        return 0
    return max(0, -int((now() - moment).total_seconds() // 1))
