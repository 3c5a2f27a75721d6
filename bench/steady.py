"""The mix of a day at a steady rate: what each request took, and what the processes weigh."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.delivery import say
from bench.pace import Pace
from bench.plans import Heard, Kind, Sent, Steady
from bench.site import Memory, Site
from bench.tables import Table, table
from bench.works import ENTER

STEPS = 4, 8, 16, 32  # clients of the ramp
COMING, FINER = 60, 5  # seconds of each rate that is tried after that, and per cent between them
LATE = 0.5  # seconds: who is so far behind after this time does not keep up
SHARE = 0.8  # of the capacity
P99_GOAL = 250  # ms, of everything that does not hash
GROWTH_GOAL = 0.05  # of the memory, after the first fifth
LOOKS = 60  # at the memory


@dataclass(frozen=True)
class Run:
    """What was sent at which rate, of which capacity (`in_turns`: of clients that wait).

    `memory`: (second, memory) as it went on.
    """

    capacity: float
    in_turns: float
    per_second: float
    heard: Heard
    memory: list[tuple[float, Memory]]

    @property
    def growth(self) -> float:
        """Of PSS, from the end of the first fifth to the end, as a share."""
        return self.at(1).pss / self.at(1 / 5).pss - 1

    def at(self, part: float) -> Memory:
        """After this part of the time."""
        wanted = part * self.memory[-1][0]
        return min(self.memory, key=lambda each: abs(each[0] - wanted))[1]


def capacity(
    pace: Pace, kinds: tuple[Kind, ...], seconds: float, settle: Callable[[], object]
) -> tuple[float, float]:
    """-> how many requests a second may come at fixed times; how many clients in turns get at best.

    The second is more: a client that waits for its answer sends nothing meanwhile, and so makes no
    queue.  People do not wait for each other.
    """
    best = max(_full(pace, kinds, clients, seconds, settle) for clients in STEPS)
    for part in range(100, 0, -FINER):
        rate = best * part / 100
        heard = pace.run(Steady(kinds, COMING, rate))
        settle()
        behind = _behind(heard.all)
        say(f"coming at {rate:6.1f} a second, {COMING} s: {behind:.2f} s behind at the end")
        if behind < LATE:
            return rate, best
    raise SystemExit("Nothing is answered in time.")


def _behind(every: list[Sent]) -> float:
    """Seconds that most of the requests of the last tenth had to wait; hashes always take some."""
    found = sorted((e for e in every if e.kind != ENTER), key=lambda each: each.due)
    return statistics.median(each.took for each in found[-len(found) // 10 :])


def _full(
    pace: Pace, kinds: tuple[Kind, ...], clients: int, seconds: float, settle: Callable[[], object]
) -> float:
    """Lasts until `settle` returns: what was put off until it was over counts as well."""
    began = time.monotonic()
    heard = pace.run(Steady(kinds, seconds, clients=clients))
    settle()
    rate = len(heard.all) / (time.monotonic() - began)
    took = f"the sender takes {heard.share:.0%} of a core"
    say(f"{clients:4} clients, {seconds:2.0f} s: {rate:6.1f} a second; {took}")
    return rate


def run(
    pace: Pace, site: Site, kinds: tuple[Kind, ...], most: tuple[float, float], seconds: float
) -> Run:
    """The load at its share of the capacity, the first of `most`."""
    per_second = SHARE * most[0]
    start = pace.begin(Steady(kinds, seconds, per_second))
    memory = []
    for look in range(LOOKS + 1):
        time.sleep(max(0, start + seconds * look / LOOKS - time.monotonic()))
        memory.append((time.monotonic() - start, site.memory()))
    return Run(*most, per_second, pace.end(), memory)


def told(run: Run) -> list[str]:
    """Tables of times and of memory."""
    every, heard = run.heard.all, run.heard
    late = percent([each.sent - each.due for each in every], 99)
    length = run.memory[-1][0]
    clients = f"{STEPS[0]} to {STEPS[-1]} clients"
    lines = [
        f"{run.per_second:.0f} a second, {SHARE:.0%} of {run.capacity:.0f}: as many may come at",
        f"fixed times and are answered without a growing queue. ({clients}, each asking",
        f"again at once, got {run.in_turns:.0f} at best.)",
        f"for {length:.0f} s: {len(every)} requests, {len(troubles(every))} errors.",
        f"The sender itself took {heard.share:.0%} of a core, and sent 99 of 100 less than",
        f"{late:.0f} ms late.",
    ]
    weight = f"PSS {run.growth:+.1%} in the last four fifths (goal: under {GROWTH_GOAL:.0%})."
    return [
        "",
        *lines,
        *table("Times of a steady load, ms from when a request was due", _times(every)),
        *table("Memory of all web processes, MB", _memory(run)),
        "",
        weight,
        *_wrong(every),
    ]


def missed(run: Run) -> list[str]:
    """The goals that were not met, in words."""
    found = [f"{len(troubles(run.heard.all))} errors"] if troubles(run.heard.all) else []
    for name, sent in by_kind(run.heard.all).items():
        slow = percent([each.took for each in sent], 99)
        if name != ENTER and slow >= P99_GOAL:
            found.append(f"{name}: p99 {slow:.0f} ms")
    if run.growth >= GROWTH_GOAL:
        found.append(f"memory grew by {run.growth:.1%}")
    return found


def percent(times: list[float], part: int) -> float:
    """What so many percent of the times stay below, in ms."""
    if len(times) < 2:
        return 1000 * sum(times)
    return 1000 * statistics.quantiles(times, n=100, method="inclusive")[part - 1]


def by_kind(every: list[Sent]) -> dict[str, list[Sent]]:
    """In the order of their names' first sight."""
    found: dict[str, list[Sent]] = {}
    for each in every:
        found.setdefault(each.kind, []).append(each)
    return found


def troubles(every: list[Sent]) -> list[Sent]:
    """Those whose answers were not as expected."""
    return [each for each in every if each.trouble]


def _times(every: list[Sent]) -> Table:
    rows: Table = [("what", "sent", "errors", "p50", "p95", "p99", "slowest", "p99 under 250")]
    kinds = by_kind(every)
    for name in sorted(kinds, key=lambda name: -len(kinds[name])):
        times = [each.took for each in kinds[name]]
        cuts = [percent(times, part) for part in (50, 95, 99)]
        met = "it hashes" if name == ENTER else ("yes" if cuts[-1] < P99_GOAL else "NO")
        shown = [f"{each:.1f}" for each in (*cuts, 1000 * max(times))]
        counts = str(len(times)), str(len(troubles(kinds[name])))
        rows.append((name, *counts, *shown, met))
    return rows


def _memory(run: Run) -> Table:
    rows: Table = [("when", "RSS", "PSS")]
    for when, part in ("start", 0), ("after a fifth", 1 / 5), ("middle", 1 / 2), ("end", 1):
        now = run.at(part)
        rows.append((when, f"{now.rss:.1f}", f"{now.pss:.1f}"))
    return rows


def _wrong(every: list[Sent]) -> list[str]:
    return [f"Error: {each.kind}: {each.trouble}" for each in troubles(every)[:10]]
