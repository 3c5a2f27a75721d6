"""How many there were of what, day by day: the sums that pages of numbers read.

Added to by `audit`, which lets one transaction do so after the other, and by the try-out, where
nobody else is.  A family's own mail domain says who they are: what is counted by domain is kept as
long as a page shows it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from sqlalchemy import BigInteger, Date, String, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Model, changed, db, straight
from portal.core.texts import storable

LONGEST_PART = 120
BY_DOMAIN = " by domain"  # so end the names of what is counted by mail domain
DAYS_BY_DOMAIN = 90  # it is kept for so long, and no page shows more
MOST_PARTS, OTHER = 200, "other"  # of one name on one day: pages cost the same whatever comes
Key = tuple[str, date, str]  # name, day, part
Count = tuple[str, date, tuple[str, ...]]


class Tally(Model):
    """How many of a kind there were on a day (UTC); `part`: of those, or "" for all."""

    __tablename__ = "tally"
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    part: Mapped[str] = mapped_column(String(LONGEST_PART), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


def add(counts: Iterable[Count]) -> None:
    """Each name and day once for all of it, and once for each part.  A step of a transaction."""
    for key, more in sorted(_sums(counts).items()):
        _raise(key, more)


def purge(before: date) -> int:
    """Removes what was counted by mail domain before this day.  -> how many rows."""
    by_domain = Tally.name.endswith(BY_DOMAIN, autoescape=True)
    return changed(db.session(), delete(Tally).where(by_domain, Tally.day < before))


def _sums(counts: Iterable[Count]) -> Counter[Key]:
    found: Counter[Key] = Counter()
    for name, day, parts in counts:
        found.update((name, day, storable(each)[:LONGEST_PART]) for each in {"", *parts})
    return found


def _raise(what: Key, more: int) -> None:
    """Once a name has very many parts on a day, those that are new are counted as one."""
    if _found(what, more):
        return
    name, day, part = what
    if part and _is_full(name, day):
        if _found((name, day, OTHER), more):
            return
        part = OTHER
    straight(db.session(), insert(Tally).values(name=name, day=day, part=part, count=more))


def _found(what: Key, more: int) -> bool:
    name, day, part = what
    mine = (Tally.name == name, Tally.day == day, Tally.part == part)
    return straight(db.session(), update(Tally).where(*mine).values(count=Tally.count + more)) == 1


def _is_full(name: str, day: date) -> bool:
    there = select(Tally.part).where(Tally.name == name, Tally.day == day).limit(MOST_PARTS)
    return db.session.scalar(select(func.count()).select_from(there.subquery())) == MOST_PARTS
