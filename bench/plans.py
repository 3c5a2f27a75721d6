"""What is sent and when, as it is planned and as it went: for `bench.pace`."""

from dataclasses import dataclass
from typing import NamedTuple

from bench.wrk import Work


@dataclass(frozen=True)
class Kind:
    """One sort of request, and how many of a thousand are of it."""

    name: str
    share: int
    work: Work


@dataclass(frozen=True)
class Steady:
    """So many a second for so long; without a rate as many as `clients` get answers for.

    `once` are sent besides, all at the same moment, `at` seconds after the beginning.
    """

    kinds: tuple[Kind, ...]
    seconds: float
    per_second: float = 0
    clients: int = 0
    once: tuple[Kind, ...] = ()
    at: float = 0


class Sent(NamedTuple):
    """A request of a kind, the `number`th of it: when it was due, sent and answered.

    `trouble` says what was wrong with the answer; nothing when it was as expected.
    """

    kind: str
    number: int
    due: float
    sent: float
    done: float
    trouble: str

    @property
    def took(self) -> float:
        """Seconds, from when it should have been sent."""
        return self.done - self.due


@dataclass(frozen=True)
class Heard:
    """Everything that was sent, and what sending cost: seconds of a core, and of the clock."""

    all: list[Sent]
    spent: float
    took: float

    def of(self, *names: str) -> list[Sent]:
        """Those of these kinds; of every kind without a name."""
        return [each for each in self.all if not names or each.kind in names]

    @property
    def share(self) -> float:
        """Of one core."""
        return self.spent / self.took
