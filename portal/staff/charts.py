"""Numbers into geometry, and a share into words.  Pure: nothing is looked up here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from math import ceil, floor
from statistics import median

from flask_babel import format_date, format_decimal, format_percent, get_locale
from flask_babel import gettext as _

from portal.core import phrases

WIDTH, FEW = 340, 10  # of a funnel; numbers under ten are said as they are
BARS_WIDTH, BARS_HEIGHT, GAP = 600, 120, 0.25
ROUND = 2, 4, 6, 8, 10  # a scale ends there, times a power of ten: half of it is a number too
STANDS_OUT = 2  # times what is usual


@dataclass(frozen=True)
class Step:
    """How many came as far as this, of how many at first.

    `everyone` is the share of everybody else (0 to 1), where there is one to compare with;
    `is_drop` marks the one step to notice.
    """

    label: str
    count: int
    of: int
    everyone: float | None = None
    is_drop: bool = False

    @property
    def bar(self) -> float:
        """How long its bar is."""
        return round(WIDTH * min(1.0, self.count / self.of), 1) if self.of else 0.0

    @property
    def mark(self) -> float | None:
        """Where everybody else's mark stands; kept inside the picture with all of its edge."""
        if self.everyone is None:
            return None
        return round(min(max(WIDTH * self.everyone, 3), WIDTH - 3), 1)

    @property
    def amount(self) -> str:
        """The count, as it is written."""
        return number(self.count)

    @property
    def said(self) -> str:
        """As a share, in words."""
        return share(self.count, self.of)

    @property
    def everyone_said(self) -> str:
        """The share of everybody else, in words."""
        return "" if self.everyone is None else _percent(self.everyone)


@dataclass(frozen=True)
class Bar:
    """One day."""

    day: date
    count: int
    x: float
    y: float
    width: float
    height: float
    stands_out: bool

    @property
    def amount(self) -> str:
        """The count, as it is written."""
        return number(self.count)

    @property
    def said(self) -> str:
        """Which day, in words."""
        return phrases.day(self.day)


@dataclass(frozen=True)
class Bars:
    """Days side by side; `top` is the number at the upper line, half of it at the other."""

    bars: Sequence[Bar]
    top: int

    @property
    def total(self) -> int:
        """Of all days together."""
        return sum(each.count for each in self.bars)

    @property
    def lines(self) -> list[str]:
        """What is written at the lines, from above."""
        return [number(each) for each in (self.top, self.top // 2, 0)]

    @property
    def ends(self) -> list[str]:
        """The days that are named beneath: first, middle, last."""
        days = [each.day for each in self.bars]
        named = days[0], days[len(days) // 2], days[-1]
        return [str(format_date(each, "d MMM")) for each in named]

    @property
    def peak(self) -> Bar | None:
        """The day that stands out, if one does."""
        return next((each for each in self.bars if each.stands_out), None)


def steps(
    counts: Sequence[tuple[str, int]], everyone: Sequence[float | None] | None = None
) -> list[Step]:
    """A funnel: (label, count) of each step, the first of which all others are shares of."""
    numbers = [count for _label, count in counts]
    of, drop = (numbers[0] if numbers else 0), biggest_loss(numbers)
    others = everyone or [None] * len(numbers)
    return [
        Step(label, count, of, other, number == drop)
        for number, ((label, count), other) in enumerate(zip(counts, others, strict=True))
    ]


def biggest_loss(numbers: Sequence[int]) -> int | None:
    """Which step loses most of those who came as far as the one before; None: nobody is lost."""
    lost = [max(0, before - after) for before, after in pairwise(numbers)]
    return lost.index(max(lost)) + 1 if any(lost) else None


def bars(days: Mapping[date, int], most: int = 0) -> Bars:
    """A bar for each day, in the order given; the scale ends at `most` at least."""
    top, wide = scale(max([most, *days.values()])), BARS_WIDTH / max(1, len(days))
    peak = outstanding(list(days.values()))
    return Bars(
        [
            Bar(
                day,
                count,
                x=round(wide * (number + GAP / 2), 2),
                y=round(BARS_HEIGHT * (1 - count / top), 2),
                width=round(wide * (1 - GAP), 2),
                height=round(BARS_HEIGHT * count / top, 2),
                stands_out=number == peak,
            )
            for number, (day, count) in enumerate(days.items())
        ],
        top,
    )


def scale(most: int) -> int:
    """The round number that a scale for up to `most` ends at."""
    power = 1
    while most > ROUND[-1] * power:
        power *= ROUND[-1]
    return next(each * power for each in ROUND if most <= each * power)


def outstanding(numbers: Sequence[int]) -> int | None:
    """Which one is more than twice what is usual, and not few; None: no day is."""
    most = max(numbers, default=0)
    if most < FEW or most <= STANDS_OUT * median(numbers):
        return None
    return numbers.index(most)


def share(count: int, of: int) -> str:
    """ "82%"; as soon as one of the numbers is under ten, "4 of 5".  "None" of nothing."""
    if min(count, of) < FEW:
        return str(_("%(count)s of %(of)s", count=number(count), of=number(of)))
    return _percent(count / of)


def number(count: int) -> str:
    """ "1,234", in the reader's language."""
    return _number(count, str(get_locale()))


@lru_cache(5000)
def _number(count: int, _locale: str) -> str:
    """A page has a thousand of them, mostly the same."""
    return str(format_decimal(count))


def _percent(part: float) -> str:
    """Whole percents; never all and never nothing while it is not quite that."""
    whole = floor(100 * part + 0.5)
    if part < 1:
        whole = min(whole, 99)
    if part > 0:
        whole = max(whole, ceil(min(part, 0.01)))
    return str(format_percent(whole / 100))
