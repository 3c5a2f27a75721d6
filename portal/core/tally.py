"""How many there were of what, day by day: the sums that pages of numbers read.

Added to by `audit`, as the last thing of a transaction and in one order, and by the try-out, where
nobody else is.  A family's own mail domain says who they are: what is counted by domain is kept as
long as a page shows it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Date, Engine, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Model, changed, db
from portal.core.texts import storable
from portal.core.upserts import Upsert

LONGEST_PART = 120
BY_DOMAIN = " by domain"  # so end the names of what is counted by mail domain
DAYS_BY_DOMAIN = 90  # it is kept for so long, and no page shows more
MOST_PARTS, OTHER = 200, "other"  # of one name on one day: pages cost the same whatever comes
Key = tuple[str, date, str]  # name, day, part
Count = tuple[str, date, tuple[str, ...]]
Row = dict[str, str | date | int]
KEY = "name", "day", "part", "count"
# The parts of a name on a day that this process has seen.
_known: WeakKeyDictionary[Engine, dict[tuple[str, date], set[str]]] = WeakKeyDictionary()


class Tally(Model):
    """How many of a kind there were on a day (UTC); `part`: of those, or "" for all."""

    __tablename__ = "tally"
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    part: Mapped[str] = mapped_column(String(LONGEST_PART), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


_MORE = Upsert(Tally.__table__, lambda new: {"count": Tally.count + new.count})


def add(counts: Iterable[Count]) -> None:
    """Each name and day once for all of it, and once for each part.  A step of a transaction."""
    put(rows(counts))


def rows(counts: Iterable[Count]) -> list[Row]:
    """What `put` will add.  A step of a transaction: it may have to ask."""
    sums: Counter[Key] = Counter()
    for (name, day, part), more in _sums(counts).items():
        sums[name, day, _bounded(name, day, part)] += more
    return [dict(zip(KEY, (*key, sums[key]), strict=True)) for key in sorted(sums)]


def put(added: Sequence[Row]) -> None:
    """Adds them, and asks nothing.  A step of a transaction.

    One statement, whatever is counted: nobody's costs as much as somebody's.
    """
    if added:
        _MORE.write(db.session(), added)


def purge(before: date) -> int:
    """Removes what was counted by mail domain before this day.  -> how many rows."""
    by_domain = Tally.name.endswith(BY_DOMAIN, autoescape=True)
    return changed(db.session(), delete(Tally).where(by_domain, Tally.day < before))


def _sums(counts: Iterable[Count]) -> Counter[Key]:
    found: Counter[Key] = Counter()
    for name, day, parts in counts:
        found.update((name, day, storable(each)[:LONGEST_PART]) for each in {"", *parts})
    return found


def _bounded(name: str, day: date, part: str) -> str:
    """Once a name has very many parts on a day, those that are new are counted as one."""
    known = _known.setdefault(db.engine, {})
    parts = known.get((name, day))
    if parts is None:
        for old in [each for each in list(known) if each[1] != day]:
            known.pop(old, None)
        there = select(Tally.part).where(Tally.name == name, Tally.day == day).limit(MOST_PARTS)
        parts = known.setdefault((name, day), set(db.session.scalars(there)))
    if part and part not in parts and len(parts) >= MOST_PARTS:
        return OTHER
    parts.add(part)
    return part
