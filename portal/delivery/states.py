"""What became of a message, from its row alone."""

from dataclasses import dataclass
from datetime import datetime

from portal.delivery.models import Outgoing
from portal.delivery.outcomes import IN_DOUBT as NO_ANSWER
from portal.delivery.outcomes import REFUSED as SAID_NO

WAITING, SENDING, ACCEPTED = "waiting", "sending", "accepted"
REFUSED, GIVEN_UP, IN_DOUBT, NOT_NEEDED = "refused", "given-up", "in-doubt", "not-needed"


@dataclass(frozen=True)
class State:
    """`at`: when it was reached; while it waits, when it is tried next (None: any moment now).

    `why` is a word of `outcomes` about the last try ("": it has not failed), `reply` the server's
    codes.
    """

    name: str
    at: datetime | None
    why: str = ""
    reply: str = ""


def of(row: Outgoing, now: datetime) -> State:
    """The state of this message at this moment."""
    if row.done_at is not None:
        return _ended(row, row.done_at)
    if row.leased_until is not None and row.leased_until > now:
        return State(SENDING, None)
    return State(WAITING, row.due_at if row.due_at > now else None, *_trouble(row))


def _ended(row: Outgoing, at: datetime) -> State:
    why, reply = _trouble(row)
    if row.accepted_at is not None:
        return State(ACCEPTED, row.accepted_at)
    if not why:
        return State(NOT_NEEDED, at)
    return State({SAID_NO: REFUSED, NO_ANSWER: IN_DOUBT}.get(why, GIVEN_UP), at, why, reply)


def _trouble(row: Outgoing) -> tuple[str, str]:
    why, _space, reply = row.trouble.partition(" ")
    return why, reply
