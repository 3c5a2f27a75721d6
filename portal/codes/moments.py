"""How far a wish came, and when: each moment written down once.  Steps of a transaction."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute

from portal.codes.models import Challenge
from portal.core import clock
from portal.core.db import db, straight


def seen(challenge: Challenge) -> bool:
    """Its link was opened or its code typed, a right one or not.  True the first time alone."""
    return _once(challenge, Challenge.seen_at, clock.now())


def finished(challenge: Challenge) -> bool:
    """What it was for is done.  True the first time alone."""
    return _once(challenge, Challenge.finished_at, clock.now())


def _once(
    challenge: Challenge, moment: InstrumentedAttribute[datetime | None], now: datetime
) -> bool:
    still = update(Challenge).where(Challenge.id == challenge.id, moment.is_(None))
    return straight(db.session(), still.values({moment: now})) == 1
