"""Each of two web processes and two Celery workers is killed under load, and webs are reloaded.

    python -m bench.machines [--seconds 8] [--per-second 60] [--markdown FILE]

Two gunicorns on two ports behind nginx, by the files in deploy/; two `celery worker`, one `celery
beat`, one PostgreSQL, one Redis, and a mail server with TLS.  Seven times: a steady load of pages
and requests for recovery from a process of its own, and in its midst something happens.  A request
that fails must have been sent to nginx and not answered when a process was killed; whoever was led
on to the page of the code is owed a message.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.browser import Browser
from bench.delivery import say
from bench.load import drained, settle
from bench.outages import Happening, Seen, told
from bench.pace import Pace
from bench.plans import Kind, Steady
from bench.rivals import DURABLE, OURS, Rival
from bench.sheet import begin, tell
from bench.site import Site
from bench.ways import OUR_WAYS, Expected
from bench.works import KNOWN, PAGE, PROFILE, signed_in
from bench.wrk import Request, Work
from portal.core import clock
from tests.rigs import nginx, postgres, redis
from tests.rigs.gunicorn import Gunicorn
from tests.rigs.post_office import PostOffice
from tests.rigs.postgres import Postgres
from tests.rigs.redis import Redis
from tests.rigs.workers import CeleryBeat, CeleryWorker

LATENCY = 0.05  # seconds that the mail server takes to accept
AWAY = 3.0  # seconds until what was killed is started again
LONGEST = 90.0  # seconds of load: then something hangs
ASKING = 250  # requests for recovery among a thousand
HEADING = "## Two of each, and each killed under load"
NOTES = """
Two gunicorns behind nginx, two Celery workers and a beat, one PostgreSQL, one Redis, one mail
server, all on this machine; a steady load, sent by a process on the same machine. A kill is SIGKILL
of the whole tree of processes. "Under way" are requests that had been sent to nginx and not
answered when it came, on either of the two.
"""


def main() -> None:
    """Prints the tables.  Exits with 1 when a request failed that should not, or mail was lost."""
    given = _arguments()
    if lack := postgres.missing() or redis.missing() or nginx.missing():
        sys.exit(f"The load cannot run: {lack}")
    head = begin()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        lines, bad = _measure(stack, Path(name), given)
    tell(head, HEADING, lines, given.markdown, NOTES)
    sys.exit(bad)


def _measure(stack: ExitStack, folder: Path, given: argparse.Namespace) -> tuple[list[str], bool]:
    """-> what there is to tell, and whether something failed that should not have."""
    post = stack.enter_context(PostOffice(folder, latency=LATENCY))
    database = stack.enter_context(Postgres(DURABLE)).fresh_database()
    parts = {"REDIS_URL": stack.enter_context(Redis()).url, "DATABASE_URL": database}
    site = Site(folder, (1, 1), **post.settings(), **parts)
    site.flask("db", "upgrade")
    todo = _todo(stack, folder, site)
    some = -(-round(LONGEST * given.per_second) // 1000) * ASKING
    *people, viewer = settle(site.portals[0], some * len(todo) + 1)
    stack.enter_context(site)
    pace, seen = stack.enter_context(Pace(site.port)), []
    for number, what in enumerate(todo):
        mine = people[number * some : (number + 1) * some]
        seen.append(_happened(pace, what, _kinds(site, mine, viewer), given, mine))
    return told(seen, drained(database), post.accepted())


def _todo(stack: ExitStack, folder: Path, site: Site) -> list[Happening]:
    """Everything that happens; starts what sends."""
    own = site.environment
    senders = [CeleryWorker(own, folder / f"celery{n}", sweeps=False) for n in (1, 2)]
    for each in *senders, CeleryBeat(own, folder / "beat"):
        stack.callback(each.kill)
        each.start()
    one, two = site.portals
    return [
        *(_killed(f"web {n} killed", web) for n, web in ((1, one), (2, two))),
        *(
            Happening(f"worker {n} killed", each.kill, each.start)
            for n, each in enumerate(senders, 1)
        ),
        Happening("web 1 reloaded", one.reload),
        Happening("web 2 reloaded", two.reload),
        Happening("both reloaded", lambda: (one.reload(), two.reload())),
    ]


def _killed(name: str, web: Gunicorn) -> Happening:
    return Happening(name, web.kill, web.start, kills=True)


def _kinds(site: Site, people: list[str], viewer: str) -> tuple[Kind, ...]:
    rival, browser = Rival(OURS, OUR_WAYS, site, ""), Browser(site.port)
    browser.open("/recover")
    headers = browser.headers()
    asked = tuple(Request("/recover", browser.body(identifier=each), headers) for each in people)
    seen = Request("/profile", headers=signed_in(rival, viewer).cookies())
    form = Expected(200, words="<form")
    return (
        Kind(PAGE, 400, Work("GET", (Request("/sign-in"),), form)),
        Kind(PROFILE, 350, Work("GET", (seen,), form)),
        Kind(KNOWN, ASKING, Work("POST", asked, rival.ways.asked)),
    )


def _happened(
    pace: Pace,
    what: Happening,
    kinds: tuple[Kind, ...],
    given: argparse.Namespace,
    people: list[str],
) -> Seen:
    """One load, and what happens in its midst.  Raises RuntimeError when the load ends first."""
    say(f"{what.name} ...")
    start = pace.begin(Steady(kinds, LONGEST, given.per_second))
    time.sleep(start + given.seconds - time.monotonic())
    begun, done = _act(what)
    time.sleep(given.seconds)
    if time.monotonic() > start + LONGEST:
        raise RuntimeError(f"{what.name}: it took longer than {LONGEST} s.")
    pace.stop()
    sent = pace.end().all
    wall = clock.now().timestamp() - time.monotonic()
    right = [each for each in sent if each.kind == KNOWN and not each.trouble]
    return Seen(what, sent, begun, done, {people[r.number]: (KNOWN, wall + r.sent) for r in right})


def _act(what: Happening) -> tuple[float, float]:
    """-> between which moments it happened; what came back afterwards is not counted."""
    begun = time.monotonic()
    what.act()
    done = time.monotonic()
    if what.back:
        time.sleep(AWAY)
        what.back()
    return begun, done


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8, help="of load before each, and after")
    parser.add_argument("--per-second", type=float, default=60, help="requests")
    parser.add_argument("--markdown", type=Path, help="where the tables go as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
