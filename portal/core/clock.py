"""The only place that asks what time it is.

Call it as `clock.now()`, so that tests can move it.
"""

from datetime import UTC, datetime, timedelta

SLACK = timedelta(seconds=60)


def now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


def latest() -> datetime:
    """What was noted as the present is never later, unless the clock has been set back since.

    Clocks of servers beside each other may differ by as much as is left here.
    """
    return now() + SLACK


def after(seconds: int) -> datetime:
    """The moment `seconds` from now."""
    return now() + timedelta(seconds=seconds)


def seconds_until(moment: datetime | None) -> int:
    """Whole seconds from now, rounded up; 0 when it has passed or never comes."""
    if moment is None:
        return 0
    return max(0, -int((now() - moment).total_seconds() // 1))


def stamp(moment: datetime) -> str:
    """For programs: in UTC, to the second (RFC 3339)."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
