"""Messages of an invented past, in every state that a message can be in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.delivery.models import Outgoing
from portal.delivery.recipes import NOTICE

NOTHING = "0"  # what they are about: their recipes find nobody to write to
SOON = timedelta(minutes=10)


@dataclass(frozen=True)
class Past:
    """`ended`: this long after it was asked for; None while it waits."""

    recipe: str
    asked: timedelta  # ago
    ended: timedelta | None
    accepted: bool = False
    trouble: str = ""
    channel: str = "email"


MESSAGES = (
    Past("confirm_address", timedelta(days=29), timedelta(seconds=2), accepted=True),
    Past("recovery", timedelta(days=21, hours=3), timedelta(seconds=65)),
    Past("recovery", timedelta(days=21, hours=2), timedelta(seconds=1), accepted=True),
    Past("password_changed", timedelta(days=21, hours=2), timedelta(seconds=3), accepted=True),
    Past("new_device", timedelta(days=12), timedelta(hours=1), trouble="refused 550 5.1.1"),
    Past("recovery_sms", timedelta(days=6), timedelta(seconds=9), False, "in-doubt", "sms"),
    Past("many_wrong_passwords", timedelta(days=4), timedelta(days=1), trouble="unreachable"),
    Past("unlocked_by_support", timedelta(days=3), timedelta(seconds=2), accepted=True),
    Past("new_device", timedelta(minutes=3), None, trouble="later 451 4.7.1"),
)


def past(person_id: int, now: datetime) -> list[Outgoing]:
    """The rows that such a past has left."""
    return [_row(each, person_id, now) for each in MESSAGES]


def _row(each: Past, person_id: int, now: datetime) -> Outgoing:
    asked_at = now - each.asked
    done_at = asked_at + each.ended if each.ended else None
    return Outgoing(
        recipe=each.recipe,
        about=NOTHING,
        person_id=person_id,
        channel=each.channel,
        rank=NOTICE,
        created_at=asked_at,
        due_at=done_at or now + SOON,
        tries=1,
        accepted_at=done_at if each.accepted else None,
        done_at=done_at,
        trouble=each.trouble,
    )
