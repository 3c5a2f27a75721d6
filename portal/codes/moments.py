"""How far a wish came, and when: each moment written down once.  Steps of a transaction."""

from typing import cast

from sqlalchemy import Table, bindparam, update

from portal.codes.models import Challenge
from portal.core import clock
from portal.core.db import db
from portal.core.rows import heard
from portal.core.worded import Worded


def seen(challenge: Challenge) -> bool:
    """Its link was opened or its code typed, a right one or not.  True the first time alone."""
    return _once(_SEEN, challenge)


def finished(challenge: Challenge) -> bool:
    """What it was for is done.  True the first time alone."""
    return _once(_FINISHED, challenge)


def _once(moment: Worded, challenge: Challenge) -> bool:
    return heard(db.session(), moment, {"wish": challenge.id, "now": clock.now()}) == 1


def _moment(name: str) -> Worded:
    table = cast(Table, Challenge.__table__)
    still = update(table).where(Challenge.id == bindparam("wish"), table.c[name].is_(None))
    return Worded(still.values({name: bindparam("now")}))


_SEEN, _FINISHED = map(_moment, ("seen_at", "finished_at"))
