"""What happened in an invented town in a year, as events and as the sums of each day."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from bench.bulk import Row
from bench.lives import DAYS, DEVICES, NETWORK
from bench.townsfolk import BEGIN, whom
from portal.core import clock
from portal.core.tally import DAYS_BY_DOMAIN, MOST_PARTS
from portal.recovery import funnel

KINDS = (
    *["sign-in:begun"] * 9, *["sign-in:ended"] * 4, *["sign-in:refused"] * 3, "profile:changed",
    "recovery:asked", "recovery:code-used", "recovery:finished", "password:changed",
)  # fmt: skip
DESK = "recovery:sent-by-support", "account:throttles-cleared", "account:blocked"
STEPS = funnel.ASKED, funnel.ACCEPTED, funnel.OPENED, funnel.USED, funnel.FINISHED
FUNNEL_A_DAY = 40  # of each step and channel


def happened(ids: range, count: int) -> Iterator[Row]:
    """Their places are those of a chain, their marks are invented: `audit verify` would tell."""
    now = clock.now()
    for number in range(BEGIN, BEGIN + count):
        desk = number % 50 == 0
        yield {
            "id": number,
            "kind": _kind(number),
            "person_id": whom(number, ids),
            "actor_id": 1 if desk else whom(number, ids),
            "desk": desk,
            "network": NETWORK,
            "device": DEVICES[number % len(DEVICES)],
            "verified_by": "",
            "reason": "Locked out before a shift" if desk else "",
            "ticket": f"HD-{number}" if desk else "",
            "detail": "",
            "request": f"{number:016x}",
            "at": _when(now, number - BEGIN, count),
            "place": number,
            "mark": f"{number:064x}",
        }


def _kind(number: int) -> str:
    kinds = KINDS if number % 50 else DESK
    return kinds[number // 50 % len(kinds)] if number % 50 == 0 else kinds[number % len(kinds)]


def _when(now: datetime, number: int, count: int) -> datetime:
    return now - timedelta(days=DAYS) * (1 - number / count)


def sums(count: int) -> Iterator[Row]:
    """Of so many events, and of every step of recovery; as many however many people there are."""
    now = clock.now()
    today = now.date()
    begun = today - timedelta(days=1)  # what whoever runs the benchmark did is counted from here on
    every = range(BEGIN, BEGIN + count)
    kinds = Counter((_kind(each), _when(now, each - BEGIN, count).date()) for each in every)
    for (kind, day), number in kinds.items():
        if day < begun:
            yield _sum(kind, day, "", number)
    for back in range(1, DAYS):
        yield from _funnel(today - timedelta(days=back))
    for back in range(1, DAYS_BY_DOMAIN):
        yield from _domains(today - timedelta(days=back))


def _funnel(day: date) -> Iterator[Row]:
    for lost, name in enumerate(STEPS):
        for part in ("email", "sms"):
            yield _sum(name, day, part, FUNNEL_A_DAY - 4 * lost)
    for seconds in range(10, 400, 8):
        yield _sum(funnel.TOOK, day, f"email {seconds}", 1 + seconds % 7)


def _domains(day: date) -> Iterator[Row]:
    """As many as a day can have."""
    for name in map(funnel.by_domain, STEPS):
        for number in range(MOST_PARTS):
            yield _sum(name, day, f"mail{number}.example", 1 + number % 9)


def _sum(name: str, day: date, part: str, count: int) -> Row:
    return {"name": name, "day": day, "part": part, "count": count}
