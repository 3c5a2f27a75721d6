"""What whoever asked may know of the wish, and nothing of what became of it elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.codes import challenges
from portal.codes.models import API, EMAIL, NOBODY, Challenge
from portal.core import clock
from portal.core.db import db
from portal.core.settings import hand_over_seconds, setting


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


def of_program(purpose: str, typed: str) -> Challenge | None:
    """What a program asked for last for the address or number `typed` (its key), open or not.

    Known or not makes no difference.
    """
    mine = (Challenge.typed_hash == challenges.typed_hash(typed), Challenge.purpose == purpose)
    wanted = select(Challenge).where(*mine, Challenge.door == API)
    newest_first = wanted.order_by(Challenge.opened_at.desc()).limit(1)
    return db.session.scalar(newest_first.execution_options(populate_existing=True))


def nobodys(purpose: str, typed: str) -> Challenge:
    """Stands for what nobody asked for by this key: codes typed for it are counted like any."""
    hashed = challenges.typed_hash(typed)
    return Challenge(
        purpose=purpose, channel=EMAIL, user_id=NOBODY, typed_hash=hashed, link_path="/"
    )


def latest(challenge: Challenge) -> Challenge:
    """The wish itself, or the last of those that asked for the same again."""
    wanted = select(Challenge).where(Challenge.follows == challenge.id)
    again = db.session.scalar(wanted.order_by(Challenge.opened_at.desc()).limit(1))
    return latest(again) if again else challenge


def line(challenge: Challenge) -> set[str]:
    """The wish's id, and those of all that it asked for again."""
    before = challenges.of_id(challenge.follows or "")
    return {challenge.id} | (line(before) if before else set())


def recent(purpose: str, user_id: int) -> list[Challenge]:
    """A person's wishes whose link could live still, whatever became of them."""
    mine = (Challenge.user_id == user_id, Challenge.purpose == purpose)
    found = db.session.scalars(select(Challenge).where(*mine))
    return [each for each in found if not is_over(each)]


def is_over(challenge: Challenge) -> bool:
    """True once even its link could not live any more, had the message left at once.

    A message without a link is waited for as long.
    """
    return challenge.opened_at + timedelta(seconds=challenge.link_seconds) <= clock.now()


def is_past(challenge: Challenge) -> bool:
    """True once nothing of it can be good: its message left late, its link showed a code late."""
    longest = 2 * challenge.link_seconds + challenge.code_seconds + hand_over_seconds()
    return challenge.opened_at + timedelta(seconds=longest) <= clock.now()


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
