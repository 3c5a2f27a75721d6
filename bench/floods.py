"""Pages for a client while fifty people sign in at once, and beside sixty slow clients."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.delivery import say
from bench.pace import Pace
from bench.plans import Kind, Sent, Steady
from bench.site import COUNTS, Site, launch
from bench.steady import percent, troubles
from bench.tables import Table, table
from bench.works import ENTER
from bench.wrk import Work
from tests.rigs.server import Server
from tests.rigs.slow import SlowClients

PER_SECOND = 20  # pages
CROWD, SLOW = 50, 60
QUIET, ROUND = 4.0, 18.0  # seconds of a round before the crowd comes, and in all
SLOW_SECONDS = 9.0  # nginx hangs up on an unfinished head after ten
P95_GOAL = 100  # ms


@dataclass(frozen=True)
class Beside:
    """Pages without and with others; what those did, in words; how long sign-ins took."""

    name: str
    alone: list[Sent]
    during: list[Sent]
    others: str
    failed: int = 0  # of the others' requests, where those should be answered

    @property
    def p95(self) -> float:
        """Of the pages beside others, in ms."""
        return percent([each.took for each in self.during], 95)

    @property
    def met(self) -> bool:
        return self.p95 < P95_GOAL


def crowds(
    pace: Pace, pages: tuple[Kind, ...], every: tuple[Kind, ...], rounds: int
) -> list[Beside]:
    """Fifty sign-ins at the same moment, so often."""
    whole = next(each.work for each in every if each.name == ENTER)
    return [_crowd(pace, pages, whole, number) for number in range(rounds)]


def _crowd(pace: Pace, pages: tuple[Kind, ...], whole: Work, number: int) -> Beside:
    some = whole.requests[number * CROWD : (number + 1) * CROWD]
    crowd = Kind(ENTER, 0, Work(whole.method, some, whole.expected))
    heard = pace.run(Steady(pages, ROUND, PER_SECOND, once=(crowd,), at=QUIET))
    entered = heard.of(ENTER)
    came, went = entered[0].due, max(each.done for each in entered)
    seen = [each for each in heard.all if each.kind != ENTER]
    alone = [each for each in seen if each.due < came]
    during = [each for each in seen if came <= each.due < went]
    failed = len(troubles(entered))
    others = (
        f"{len(entered) - failed} of {len(entered)} signed in, the last after {went - came:.1f} s"
    )
    say(f"{CROWD} sign-ins at once: {others}")
    return Beside(f"{CROWD} sign-ins at once, {number + 1}", alone, during, others, failed)


def slow(site: Site, pages: tuple[Kind, ...]) -> list[Beside]:
    """Sixty clients that never come to an end, through nginx and without it."""
    found = [
        _slow("nginx", site.port, pages),
        _slow("gunicorn alone", site.portals[0].port, pages),
    ]
    with _waitress(site) as waitress:
        return [*found, _slow("waitress alone", waitress.port, pages)]


def _slow(name: str, port: int, pages: tuple[Kind, ...]) -> Beside:
    plan = Steady(pages, SLOW_SECONDS, PER_SECOND)
    with Pace(port) as pace:
        alone = pace.run(plan).all
        with SlowClients(port, SLOW) as others:
            during = pace.run(plan).all
            left = others.waiting()
    words = f"{left} of {SLOW} still at it after {SLOW_SECONDS:.0f} s"
    say(f"{SLOW} slow clients, {name}: {words}")
    return Beside(f"{SLOW} slow clients, {name}", alone, during, words)


@contextmanager
def _waitress(site: Site) -> Iterator[Server]:
    """`flask serve` on the same database."""
    folder = site.front.folder / "waitress"
    folder.mkdir()
    server = Server(Path(folder))
    own = {name: value for name, value in site.environment.items() if name != COUNTS}
    server.environment = own | {"PORT": str(server.port)}
    with ExitStack() as stack:
        launch(stack, server)
        yield server


def told(found: list[Beside]) -> list[str]:
    """A table of all."""
    rows: Table = [
        ("beside", "pages", "errors", "p50", "p95", "slowest", "p95 alone", "met", "others")
    ]
    for each in found:
        times = [page.took for page in each.during]
        alone = percent([page.took for page in each.alone], 95)
        cuts = percent(times, 50), each.p95, 1000 * max(times, default=0), alone
        counts = str(len(times)), str(len(troubles(each.during)))
        shown = [f"{cut:.1f}" for cut in cuts]
        rows.append((each.name, *counts, *shown, "yes" if each.met else "NO", each.others))
    goal = (
        f"{PER_SECOND} pages a second, ms from when a page was due; goal: p95 under {P95_GOAL} ms"
    )
    return table(goal, rows)


def errors(found: list[Beside]) -> int:
    """How many answers were not as they should be."""
    return sum(len(troubles([*each.alone, *each.during])) + each.failed for each in found)


def missed(found: list[Beside]) -> list[str]:
    """The goals that were not met, in words."""
    return [f"{each.name}: p95 {each.p95:.0f} ms" for each in found if not each.met]
