"""Until when an account is blocked: what is typed, what is kept of it, and how it is told."""

from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from portal.accounts.models import Person
from portal.core import clock
from portal.core.errors import Rejected

FIELD = "until"
LONGEST = timedelta(days=5 * 365 + 2)  # a longer one has no end date
NO, YES, UNTIL, TO, APART = "no", "yes", "until ", " to ", ", "


def until(typed: str | None) -> datetime | None:
    """When the block ends by itself: a date (its first moment) or a moment, UTC unless it says so.

    None when nothing was typed.  Raises Rejected for what is none, past, or years away.
    """
    text = (typed or "").strip()
    if not text:
        return None
    end = _moment(text)
    if end is None:
        raise Rejected(FIELD, "format", _("Enter a date like 2027-01-31"))
    if end <= clock.now():
        raise Rejected(FIELD, "past", _("Choose a day after today, or leave this empty"))
    if end > clock.now() + LONGEST:
        words = _("Choose a day within 5 years, or leave this empty")
        raise Rejected(FIELD, "far", words)
    return end


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def state(person: Person) -> str:
    """Whether and until when, for the history of acts: "no", "yes" or "until ...": one moment."""
    if not person.is_blocked:
        return NO
    return UNTIL + clock.stamp(person.blocked_until) if person.blocked_until else YES


def change(before: str, person: Person) -> str:
    """What an event keeps of it."""
    return f"blocked: {before}{TO}{state(person)}"


def end_told(detail: str) -> datetime | None:
    """When the block ends that an event tells of, as `change` put it; None when it has no end."""
    after = detail.partition(TO)[2].partition(APART)[0]
    return _moment(after.removeprefix(UNTIL)) if after.startswith(UNTIL) else None
