"""Times and spans in words, the same on pages and in messages."""

from datetime import date, datetime

from flask_babel import format_date, ngettext


def duration(seconds: int) -> str:
    """A time span: "30 seconds", "15 minutes", "24 hours", "3 days"."""
    if seconds < 60 or (seconds < 120 and seconds % 60):
        words = ngettext("%(num)d second", "%(num)d seconds", seconds)
    elif seconds <= 59 * 60:  # a minute more is said as an hour
        words = ngettext("%(num)d minute", "%(num)d minutes", -(-seconds // 60))
    elif seconds < 172_800:
        words = ngettext("%(num)d hour", "%(num)d hours", -(-seconds // 3600))
    else:
        words = ngettext("%(num)d day", "%(num)d days", -(-seconds // 86_400))
    return str(words)


def day(at: date) -> str:
    """ "20 November 2025", in the reader's language."""
    return str(format_date(at, "d MMMM y", rebase=False))


def moment(at: datetime) -> str:
    """ "20 November 2025, 14:32 UTC"."""
    return f"{day(at)}, {hour(at)}"


def hour(at: datetime) -> str:
    """ "14:32 UTC"."""
    return f"{at:%H:%M} UTC"
