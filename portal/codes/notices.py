"""The "Not you?" link of a notice: made when the notice is written, good once, for some days.

It is kept among the challenges under the notice's own number, so that notices have links side by
side; a notice with another thing to press has another purpose.  Nothing here looks at `closed_at`:
what ends a person's wishes, a password that a thief has changed, say, must not end the way to stop
the thief.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, select, update

from portal.codes.models import EMAIL, PAGE, Challenge
from portal.core import clock, crypto
from portal.core.db import db
from portal.core.rows import heard, unheard
from portal.core.settings import hand_over_seconds, setting
from portal.core.upserts import Upsert
from portal.core.worded import Worded

PURPOSE = "not_you"
DAY = 86_400


@dataclass(frozen=True)
class Link:
    """A link for one copy of a notice, and what to do with what came of handing it over."""

    url: str
    accepted: Callable[[datetime], None]
    refused: Callable[[], None]


def seconds() -> int:
    """How long a link lives from hand-over."""
    return int(setting("NOTICE_LINK_LIFETIME_DAYS")) * DAY


def write(number: int, user_id: int, path: str, purpose: str = PURPOSE) -> Link:
    """The link of the notice `number`, at `path` with `{token}`; an earlier copy's link dies."""
    token, key, lives = crypto.new_token(), f"{purpose} {number}", seconds()
    hashed = crypto.digest(token)
    link = {"link_hash": hashed, "link_until": clock.after(lives + hand_over_seconds())}
    _COPY.write(db.session(), [_EMPTY | _new(key, user_id, path, lives) | link])
    this = {"notice": key, "link": hashed}

    def accepted(now: datetime) -> None:
        unheard(db.session(), _RUNNING, this | {"until": now + timedelta(seconds=lives)})

    def refused() -> None:
        unheard(db.session(), _DEAD, this)

    return Link(setting("PUBLIC_URL") + path.format(token=token), accepted, refused)


def of_link(token: str, purpose: str = PURPOSE) -> Challenge | None:
    """The notice whose newest copy carried this link, whatever became of it."""
    mine = (Challenge.link_hash == crypto.digest(token), Challenge.purpose == purpose)
    found = select(Challenge).where(*mine, Challenge.opened_at <= clock.latest())
    return db.session.scalar(found.execution_options(populate_existing=True))


def number(notice: Challenge) -> int:
    """Under which number it was written."""
    return int(notice.id.rpartition(" ")[2])


def is_good(notice: Challenge) -> bool:
    """False once its link was used or has run out."""
    in_time = notice.link_until is not None and notice.link_until > clock.now()
    return in_time and notice.proven_at is None


def use(notice: Challenge) -> bool:
    """The link was pressed, and dies.  True for exactly one of those who try."""
    return heard(db.session(), _USE, {"notice": notice.id, "now": clock.now()}) == 1


def _new(key: str, user_id: int, path: str, lives: int) -> dict[str, object]:
    return {
        "id": key,
        "purpose": key.partition(" ")[0],
        "channel": EMAIL,
        "door": PAGE,
        "user_id": user_id,
        "typed_hash": "",
        "device": "",
        "code_seconds": 0,
        "max_attempts": 0,
        "link_seconds": lives,
        "link_path": path,
        "opened_at": clock.now(),
    }


# Run for each notice, so put together once.
_TABLE = cast(Table, Challenge.__table__)
_MINE = Challenge.id == bindparam("notice"), Challenge.link_hash == bindparam("link")
_RUNNING = Worded(update(_TABLE).where(*_MINE).values(link_until=bindparam("until")))
_DEAD = Worded(update(_TABLE).where(*_MINE).values(link_hash=None))
_LINK = "link_seconds", "link_hash", "link_until"  # what a later copy brings anew
_UNUSED = Challenge.proven_at.is_(None), Challenge.link_until > bindparam("now")
_ONCE = update(_TABLE).where(Challenge.id == bindparam("notice"), *_UNUSED)
_USE = Worded(_ONCE.values(proven_at=bindparam("now")))
_COPY = Upsert(_TABLE, lambda new: {name: new[name] for name in _LINK})
_EMPTY = dict.fromkeys(_TABLE.columns.keys())
