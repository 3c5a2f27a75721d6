"""What came of a load in whose midst something happened: which requests failed, and which may have.

A request may fail when it had been sent to nginx and was not answered when a process was killed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.load import Owed, lost, twice
from bench.plans import Sent
from bench.steady import percent, troubles
from bench.tables import Table, table
from tests.rigs.post_office import Accepted

HEAD = (
    "what", "requests", "under way", "failed of these", "failed beyond", "p99", "slowest", "owed",
    "longest wait",
)  # fmt: skip
TITLE = "Requests (times in ms) and messages (in s, from request to acceptance)"


@dataclass(frozen=True)
class Happening:
    """What is done in the midst of a load; `kills` when requests under way may fail by it."""

    name: str
    act: Callable[[], object]
    back: Callable[[], object] | None = None
    kills: bool = False


@dataclass(frozen=True)
class Seen:
    """What came of one load; the moments between which it happened, by time.monotonic()."""

    what: Happening
    sent: list[Sent]
    begun: float
    done: float
    owed: Owed

    @property
    def under_way(self) -> list[Sent]:
        """Sent, and not answered when it happened."""
        until = self.done if self.what.kills else self.begun
        return [each for each in self.sent if each.sent <= until and each.done >= self.begun]

    @property
    def beyond(self) -> list[Sent]:
        """Failed, and not by having been under way on what was killed."""
        excused = set(self.under_way) if self.what.kills else set()
        return [each for each in troubles(self.sent) if each not in excused]


def told(seen: list[Seen], waiting: int, accepted: list[Accepted]) -> tuple[list[str], bool]:
    """-> a table of all, and whether something failed that should not have."""
    at = {letter.to: letter.at for letter in reversed(accepted)}  # the first of each
    rows: Table = [HEAD, *(_row(each, at) for each in seen)]
    owed = {who: since for each in seen for who, since in each.owed.items()}
    gone, failed = lost(owed, accepted), [line for each in seen for line in _failures(each)]
    mail = f"{len(owed)} messages owed, {len(accepted)} accepted, {len(gone)} lost (goal: 0), "
    again = f"{twice(accepted)} accepted twice, {waiting} still waiting."
    return [*table(TITLE, rows), "", mail + again, *failed[:20]], bool(gone or failed or waiting)


def _failures(seen: Seen) -> list[str]:
    """A line for each that nothing excuses, with its moment in seconds since it happened."""
    return [
        f"Failed beyond, {seen.what.name}: {each.kind}: {each.trouble}, sent at "
        f"{each.sent - seen.done:+.3f}, answered at {each.done - seen.done:+.3f} s"
        for each in seen.beyond
    ]


def _row(seen: Seen, at: dict[str, float]) -> tuple[str, ...]:
    times = [each.took for each in seen.sent]
    waits = [at[who] - since for who, (_kind, since) in seen.owed.items() if who in at]
    excused = len(troubles(seen.sent)) - len(seen.beyond)
    counts = len(seen.sent), len(seen.under_way), excused, len(seen.beyond)
    slow = f"{percent(times, 99):.0f}", f"{1000 * max(times):.0f}"
    return (
        seen.what.name,
        *map(str, counts),
        *slow,
        str(len(seen.owed)),
        f"{max(waits, default=0):.1f}",
    )
