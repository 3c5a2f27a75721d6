"""A day at 80 % of what the machine can do, a crowd at the door, and clients that take their time.

    python -m bench.mixed [--seconds 300] [--ramp 6] [--rounds 3] [--markdown FILE]

The served product (deploy/gunicorn.conf.py: two processes; nginx in front, by deploy/nginx.conf,
on loopback without TLS) on a PostgreSQL that syncs every commit, with bcrypt of cost 12, throttles
that count, and a mail server that takes everything.  Requests are sent at fixed times, whatever the
answers do, by a process of its own on the same machine: its work is a part of the load.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import floods, mix, steady
from bench.load import drained
from bench.pace import Pace
from bench.rivals import DURABLE, mail
from bench.sheet import begin, tell
from bench.sink import Sink
from bench.site import Site
from tests.rigs import nginx, postgres
from tests.rigs.postgres import Postgres

HEADING = "## A day at 80 % of capacity, crowds, and slow clients"
NOTES = """
Two gunicorn processes behind nginx, as they ship, on loopback without TLS; PostgreSQL that syncs
every commit; bcrypt of cost 12; throttles on, with limits that nobody reaches. Requests are sent at
fixed times by a process on the same machine, whose work is a part of the load; the status, the
place and the words of every answer are looked at.
"""
PEOPLE = 20_000  # whom the desk searches


def main() -> None:
    """Prints the tables.  Exits with 1 when an answer was not what it should be."""
    given = _arguments()
    if lack := postgres.missing() or nginx.missing():
        sys.exit(f"The load cannot run: {lack}")
    head = begin()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        lines, errors = _measure(stack, Path(name), given)
    tell(head, HEADING, lines, given.markdown, NOTES)
    if errors:
        sys.exit(f"{errors} ERRORS: times count for nothing.")


def _measure(stack: ExitStack, folder: Path, given: argparse.Namespace) -> tuple[list[str], int]:
    """-> what there is to tell, and how many answers were not as they should be."""
    sink = stack.enter_context(Sink(folder))
    database = stack.enter_context(Postgres(DURABLE)).fresh_database()
    site = Site(folder, (2,), DATABASE_URL=database, **mail(sink))
    cookie = mix.fill(site, given.people)
    stack.enter_context(site)
    pages = mix.pages(every := mix.kinds(site, cookie))
    with Pace(site.port) as pace:
        before = sink.count()
        most = steady.capacity(pace, every, given.ramp, lambda: drained(database))
        run = steady.run(pace, site, every, most, given.seconds)
        left = drained(database)
        sent = f"{sink.count() - before} messages were sent meanwhile; {left} still wait."
        found = floods.crowds(pace, pages, every, given.rounds)
    found += floods.slow(site, pages)
    lines = [*steady.told(run), "", sent, *floods.told(found), *_verdict(run, found)]
    return lines, len(steady.troubles(run.heard.all)) + floods.errors(found)


def _verdict(run: steady.Run, found: list[floods.Beside]) -> list[str]:
    missed = [*steady.missed(run), *floods.missed(found)]
    return ["", f"Goals missed: {'; '.join(missed) or 'none'}."]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300, help="of the steady load")
    parser.add_argument("--ramp", type=float, default=10, help="seconds of each of its four steps")
    parser.add_argument("--rounds", type=int, default=3, help="of fifty sign-ins at once")
    parser.add_argument("--people", type=int, default=PEOPLE, help="whom the desk searches")
    parser.add_argument("--markdown", type=Path, help="where the tables go as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
