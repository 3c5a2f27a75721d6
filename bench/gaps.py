"""Does the time of an answer tell whether an address has an account?

One visitor asks for known and unknown addresses in random order, each time with a fresh form.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import SystemRandom

from bench.browser import Browser
from bench.rivals import Rival
from bench.ways import Expected
from bench.works import CALLERS, check, nobody, person

DRAWS, CERTAINTY = 2000, 0.99
NARROW = 0.25  # of the median: a wider interval says nothing
chance = SystemRandom()


@dataclass(frozen=True)
class Gap:
    """Medians in ms, and where their difference lies with 99 % certainty (bootstrap)."""

    known: float
    unknown: float
    low: float
    high: float
    pairs: int

    @property
    def tells(self) -> bool:
        """Whether a patient stranger can tell."""
        return not self.low <= 0 <= self.high

    @property
    def is_vague(self) -> bool:
        """Whether it was too noisy, or asked too seldom, to say that nobody can."""
        return max(-self.low, self.high) > NARROW * self.known


Times = tuple[list[float], list[float]]


def ask(rival: Rival, pairs: int) -> Times:
    """Milliseconds of so many requests for known and for unknown addresses, well mixed."""
    times: Times = ([], [])
    order = [kind for kind in (0, 1) for _each in range(pairs)]
    chance.shuffle(order)
    browser = Browser(rival.port)
    for kind in order:
        number = chance.choice(CALLERS)
        browser.open(rival.ways.recover)
        address = (person, nobody)[kind](number)
        answer = browser.send(rival.ways.recover, **{rival.ways.identifier: address})
        expected: Expected = (rival.ways.asked, rival.ways.unknown)[kind]
        check(rival, answer, expected)
        times[kind].append(answer.seconds * 1000)
    browser.close()
    return times


def gap(times: Times) -> Gap:
    """What the times of all rounds tell."""
    known, unknown = times
    drawn = sorted(_again(known) - _again(unknown) for _draw in range(DRAWS))
    edge = int(DRAWS * (1 - CERTAINTY) / 2)
    medians = statistics.median(known), statistics.median(unknown)
    return Gap(*medians, drawn[edge], drawn[-1 - edge], len(known))


def _again(times: Sequence[float]) -> float:
    return statistics.median(chance.choices(times, k=len(times)))
