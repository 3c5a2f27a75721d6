"""What was counted in a period, read from the tally and from nothing else: it costs the same
however much has happened."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from sqlalchemy import ColumnElement, Select, func, select

from portal.accounts import sending
from portal.accounts.messages import BLOCKED as BLOCKED
from portal.codes import guesses
from portal.codes.models import EMAIL, SMS
from portal.core import clock, shared
from portal.core.db import db
from portal.core.tally import DAYS_BY_DOMAIN, OTHER, Tally
from portal.recovery import funnel
from portal.security import factors

PERIODS, USUAL = (7, 30, DAYS_BY_DOMAIN), 30
CHANNELS = EMAIL, SMS
STEPS = (
    (funnel.ASKED, funnel.BY_SUPPORT),
    (funnel.ACCEPTED,),
    (funnel.OPENED,),
    (funnel.USED,),
    (funnel.FINISHED,),
)
SIGN_INS, REFUSED, KEPT_OUT = "sign-in:begun", "sign-in:refused", "sign-in:kept-out"
SECOND_STEP = "second-step:refused"
TWO_STEP_ON, TWO_STEP_OFF = "two-step:on", ("two-step:off", "two-step:cleared")
CODES, SENDS, STEPPED = guesses.THROTTLED, sending.THROTTLED, factors.THROTTLED
WAITED = KEPT_OUT, CODES, SENDS, STEPPED
ACCESS = SIGN_INS, REFUSED, SECOND_STEP, *WAITED, BLOCKED, TWO_STEP_ON, *TWO_STEP_OFF
DAILY = *(name for names in STEPS for name in names), *ACCESS
MOST_DOMAINS, SHOWN_DOMAINS = 50, 10
EVERYONE_SECONDS = 60
NO_DOMAIN = funnel.NOBODYS, funnel.OTHER_WAY, OTHER


@dataclass(frozen=True)
class Span:
    """Which days (UTC), how many and up to which, and which channel of recovery ("": every)."""

    days: int
    channel: str
    last: date

    @property
    def channels(self) -> Sequence[str]:
        """The channels that it takes in."""
        return [self.channel] if self.channel else CHANNELS

    @property
    def dates(self) -> list[date]:
        """Its days in order."""
        return [self.last - timedelta(days=back) for back in reversed(range(self.days))]


@dataclass(frozen=True)
class Domain:
    """How far those came whose address is there."""

    name: str
    asked: int
    accepted: int
    opened: int
    used: int
    finished: int


def span(days: str | None, channel: str | None) -> Span:
    """What was asked for by links; whatever else stands there means the nearest, or the usual."""
    wanted = int(days) if days and re.fullmatch("[0-9]{1,4}", days) else USUAL
    nearest = min(PERIODS, key=lambda each: abs(each - wanted))
    return Span(nearest, channel if channel in CHANNELS else "", clock.now().date())


class Sums:
    """The sums of a span, in three or four questions to the database."""

    def __init__(self, of: Span) -> None:
        self.span = of
        self._totals = _totals(of)

    @cached_property
    def _daily(self) -> dict[date, Counter[tuple[str, str]]]:
        return _daily(self.span)

    def total(self, *names: str, parts: Iterable[str] = ("",)) -> int:
        """How many in all."""
        return sum(self._totals[name, part] for name in names for part in parts)

    def steps(self) -> list[int]:
        """How many came as far as each step of recovery."""
        return [self.total(*names, parts=self.span.channels) for names in STEPS]

    def of_channels(self, name: str, what: str) -> int:
        """How many of what is counted by channel and one thing more."""
        return self.total(name, parts=[f"{each} {what}" for each in self.span.channels])

    def took(self) -> Counter[int]:
        """How many got back in after so many seconds, in buckets."""
        found: Counter[int] = Counter()
        for (name, part), count in self._totals.items():
            channel, _space, seconds = part.partition(" ")
            if name == funnel.TOOK and channel in self.span.channels and seconds.isdecimal():
                found[int(seconds)] += count
        return found

    def days(self, *names: str, parts: Iterable[str] = ("",)) -> dict[date, int]:
        """How many on each day."""
        keys = [(name, part) for name in names for part in parts]
        return {day: sum(self._daily[day][key] for key in keys) for day in self.span.dates}

    def domains(self) -> list[Domain]:
        """The mail domains from which most was asked, most first."""
        asked = _most_asked(self.span)
        names = [funnel.by_domain(name) for (name,) in STEPS[1:]]
        wanted = _grouped(self.span, Tally.name.in_(names), Tally.part.in_(asked))
        rest = {(name, part): int(count) for name, part, count in db.session.execute(wanted)}
        return [
            Domain(name, count, *(rest.get((each, name), 0) for each in names))
            for name, count in asked.items()
        ]


def everyone() -> list[float | None]:
    """The share of all who asked in the usual period that came as far as each step.

    Stands on the page of each person, and is a minute old at most.
    """
    return shared.remembered("numbers of everyone", EVERYONE_SECONDS, _everyone)


def _everyone() -> list[float | None]:
    counts = Sums(Span(USUAL, "", clock.now().date())).steps()
    return [min(1.0, each / counts[0]) if counts[0] else None for each in counts]


def _totals(of: Span) -> Counter[tuple[str, str]]:
    names = [funnel.TOOK, funnel.REFUSED, *DAILY]
    found = db.session.execute(_grouped(of, Tally.name.in_(names)))
    return Counter({(name, part): int(count) for name, part, count in found})


def _daily(of: Span) -> dict[date, Counter[tuple[str, str]]]:
    mine = Tally.name.in_(DAILY), _during(of), Tally.part.in_(["", *CHANNELS])
    found: dict[date, Counter[tuple[str, str]]] = defaultdict(Counter)
    for name, day, part, count in db.session.execute(
        select(Tally.name, Tally.day, Tally.part, Tally.count).where(*mine)
    ):
        found[day][name, part] = count
    return found


def _most_asked(of: Span) -> dict[str, int]:
    name = funnel.by_domain(funnel.ASKED)
    wanted = _grouped(of, Tally.name == name, Tally.part.not_in(["", *NO_DOMAIN]))
    most = wanted.order_by(func.sum(Tally.count).desc(), Tally.part).limit(MOST_DOMAINS)
    return {part: int(count) for _name, part, count in db.session.execute(most)}


def _grouped(of: Span, *which: ColumnElement[bool]) -> Select[str, str, int]:
    wanted = select(Tally.name, Tally.part, func.sum(Tally.count))
    return wanted.where(*which, _during(of)).group_by(Tally.name, Tally.part)


def _during(of: Span) -> ColumnElement[bool]:
    return Tally.day.between(of.dates[0], of.last)
