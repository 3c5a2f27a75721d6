"""What the browser that asked may know of its wish, and nothing of what became of it elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.codes import challenges
from portal.codes.models import Challenge
from portal.core import clock
from portal.core.settings import setting


@dataclass(frozen=True)
class Flow:
    """What the browser that asked may know; the same for an address that nobody has.

    `link_seconds` is 0 when the message has no link.
    """

    id: str
    channel: str
    state: str  # waiting | sent
    seconds_left: int
    total: int
    resend_in: int
    attempts: int
    link_seconds: int
    link_until: datetime | None


def of_browser(purpose: str, challenge_id: str | None) -> Challenge | None:
    """What this browser asked for, whatever became of it elsewhere, while its link could live."""
    challenge = challenges.of_id(challenge_id or "")
    if challenge is None or challenge.purpose != purpose:
        return None
    return None if is_over(challenge) else challenge


def is_over(challenge: Challenge) -> bool:
    """True once even its link could not live any more, had the message left at once.

    A message without a link is waited for as long.
    """
    return challenge.opened_at + timedelta(seconds=challenge.link_seconds) <= clock.now()


def face(challenge: Challenge) -> Flow:
    """Its public face."""
    resend_at = challenge.opened_at + timedelta(seconds=setting("SEND_COOLDOWN_SECONDS"))
    return Flow(
        id=challenge.id,
        channel=challenge.channel,
        state="sent" if challenge.code_until else "waiting",
        seconds_left=min(challenge.code_seconds, clock.seconds_until(challenge.code_until)),
        total=challenge.code_seconds,
        resend_in=clock.seconds_until(resend_at),
        attempts=challenge.max_attempts,
        link_seconds=challenge.link_seconds if challenge.link_path else 0,
        link_until=_link_until(challenge),
    )


def _link_until(challenge: Challenge) -> datetime | None:
    """As the browser that asked may know it: counted like the code's public end."""
    if challenge.code_until is None or not challenge.link_path:
        return None
    return challenge.code_until + timedelta(seconds=challenge.link_seconds - challenge.code_seconds)
