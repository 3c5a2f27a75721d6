"""Which messages a person was sent, or was to be sent, and for how long that is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from portal.core import clock
from portal.core.db import at_once, db
from portal.core.settings import setting
from portal.delivery.models import Outgoing


@dataclass(frozen=True)
class Leaf:
    """One of `pages` pages of messages, newest first; `total` on all of them."""

    rows: Sequence[Outgoing]
    page: int
    pages: int
    total: int


def of_person(person_id: int, since: datetime, page: int, most: int) -> Leaf:
    """Those asked for since then, `most` on a page; pages count from 1, the nearest is taken."""
    mine = (Outgoing.person_id == person_id, Outgoing.created_at >= since)
    total = db.session.scalar(select(func.count()).select_from(Outgoing).where(*mine)) or 0
    pages = max(1, -(-total // most))
    page = min(max(page, 1), pages)
    wanted = select(Outgoing).where(*mine).order_by(Outgoing.id.desc())
    rows = db.session.scalars(wanted.offset((page - 1) * most).limit(most)).all()
    return Leaf(rows, page, pages, total)


def purge() -> int:
    """Removes messages that ended more than CODE_RETENTION_DAYS ago.  -> how many."""
    before = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    return at_once(delete(Outgoing).where(Outgoing.done_at < before))
