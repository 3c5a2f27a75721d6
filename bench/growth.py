"""What a portal's answers cost at 1,000, 100,000 and 1,000,000 people: nothing may grow with them.

    python -m bench.growth [--sizes 1000 100000 1000000] [--databases sqlite postgresql]
                           [--requests 300] [--markdown FILE]

On each kind of database all sizes are filled, then served beside each other as `make run` does, and
asked in turn over one kept connection each, every time for somebody else: what disturbs one size
disturbs all.  Passwords have the cheapest hash and PostgreSQL does not sync, so that nothing which
costs the same everywhere hides what grows.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

from bench.delivery import say
from bench.errands import CALM, ERRANDS, SENT
from bench.grown import EVENTS_EACH, Grown
from bench.sheet import begin, tell
from tests.rigs import postgres
from tests.rigs.postgres import QUICK, Postgres

GOAL = 1.3
SIZES, DATABASES = (1_000, 100_000, 1_000_000), ("sqlite", "postgresql")
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
WARM_UP = 10  # requests of each kind that do not count
A_PERSON = 6_000  # bytes on the disk, at most
BENCH = QUICK | {"autovacuum": "off", "max_wal_size": "256MB", "shared_buffers": "512MB"}
Times = dict[str, dict[int, list[float]]]  # errand -> people -> ms
HEADING = "## Growth: the same requests, however many people there are"
NOTES = f"""
Each person has sign-ins with their secrets, a known device, search terms, a message, {EVENTS_EACH}
events; some a profile, an earlier password, a program, counts, a wish for a way back with its code.
`flask serve`, one process a size; all sizes in turn, over one kept connection each, every request
for another person; throttles off, bcrypt of cost 4, PostgreSQL with 512 MB of buffers, without
syncing, and vacuumed before: what costs the same at every size would hide what grows. What was
filled a moment before is mostly in the machine's memory still. Pages that write (sign-in, recover;
profile pages and programs note that they were there) include that. "{SENT}": from the request to
the moment when nothing waits in the outbox. Times in ms; a ratio is that of medians to the smallest
size, goal {GOAL:.1f}; `{CALM}` asks nobody, and shows how quiet the machine was.
"""


def main() -> None:
    """Prints a table a database.  Raises RuntimeError when an answer was not what it should be."""
    given = _arguments()
    head = begin()
    lines: list[str] = []
    for name in given.databases:
        lines += _database(name, sorted(given.sizes), given.requests)
    tell(head, HEADING, lines, given.markdown, NOTES)


def _database(name: str, sizes: list[int], requests: int) -> list[str]:
    if name == "postgresql" and (lack := postgres.missing()):
        return ["", f"PostgreSQL is left out: {lack}"]
    with tempfile.TemporaryDirectory(prefix="latchkey-growth-") as folder, ExitStack() as stack:
        _check_room(Path(folder), sum(sizes))
        fresh = (
            stack.enter_context(Postgres(BENCH)).fresh_database if name == "postgresql" else None
        )
        towns = [_filled(Path(folder), size, fresh) for size in sizes]
        for each in towns:
            stack.enter_context(each.served())
        facts = [f"{each.people:,} people {each.megabytes():,.0f} MB" for each in towns]
        times = _measured(towns, requests)
    heading = ["", f"### {NAMES[name]}: {', '.join(facts)}, {requests} requests of each kind", ""]
    return [*heading, *_aligned(list(_rows(times, sizes)))]


def _check_room(folder: Path, people: int) -> None:
    free, wanted = shutil.disk_usage(folder).free, people * A_PERSON
    if free < wanted:
        sys.exit(f"{folder} has {free / 1e9:.1f} GB free, not {wanted / 1e9:.1f}; set TMPDIR.")


def _filled(folder: Path, people: int, fresh: Callable[[], str] | None) -> Grown:
    own, began = folder / str(people), time.monotonic()
    own.mkdir()
    grown = Grown(own, fresh() if fresh else f"sqlite:///{own / 'portal.db'}", people)
    grown.fill()
    say(f"{people:,} people in {time.monotonic() - began:.0f} s")
    return grown


def _measured(towns: list[Grown], requests: int) -> Times:
    times: Times = defaultdict(lambda: defaultdict(list))
    whole = WARM_UP + requests
    drawn = {(one, to): one.whom(to.people, whole) for one, to in product(ERRANDS, towns)}
    for number in range(whole):
        if number == WARM_UP:
            times.clear()
        for errand, each in product(ERRANDS, _turned(towns, number)):
            took = errand.run(each, drawn[errand, each][number])
            times[errand.name][each.people].append(took)
            if errand.sends:
                times[SENT][each.people].append(took + 1000 * each.quiet())
    return times


def _turned(towns: list[Grown], number: int) -> list[Grown]:
    """Another one first each time."""
    first = number % len(towns)
    return towns[first:] + towns[:first]


def _rows(times: Times, sizes: list[int]) -> Iterator[tuple[str, ...]]:
    yield (
        "request",
        *(f"{size:,}: p50, p95" for size in sizes),
        *(f"{size:,}" for size in sizes[1:]),
        "goal met",
    )
    for name, of in times.items():
        medians = {size: statistics.median(of[size]) for size in sizes}
        shown = [f"{medians[size]:.2f}, {_p95(of[size]):.2f}" for size in sizes]
        ratios = [medians[size] / medians[sizes[0]] for size in sizes[1:]]
        more = [medians[size] - medians[sizes[0]] for size in sizes[1:]]
        told = [f"{ratio:.2f} ({by:+.2f} ms)" for ratio, by in zip(ratios, more, strict=True)]
        met = "" if name == CALM or not ratios else "yes" if max(ratios) <= GOAL else "NO"
        yield name, *shown, *told, met


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """A Markdown table whose columns also line up for whoever reads it as text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(map(str.ljust, row, widths)) for row in rows]
    rule = " | ".join("-" * width for width in widths)
    return [f"| {line} |" for line in (lines[0], rule, *lines[1:])]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    parser.add_argument("--requests", type=int, default=300, help="of each kind")
    parser.add_argument("--markdown", type=Path, help="where the tables go as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
