"""What pages of the helpdesk cost where much has happened, beside /healthz of the same server.

    python -m bench.desk [--people 200000] [--events 1000000] [--rounds 60]

Fills an SQLite database, serves it as `make run` does, and asks for each page in turn over one kept
connection, signed in as an agent.  Goals for the 95th percentile: search 100 ms, a person's page
150 ms, numbers 300 ms.
"""

import argparse
import http.client
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from bench import agents, town, townsfolk
from bench.delivery import machine, say
from tests.rigs.server import Server

SEARCH, PERSON, NUMBERS = 100, 150, 300  # milliseconds


@dataclass(frozen=True)
class Sight:
    """One kind of page: its path for each round, and under how many ms it should stay."""

    name: str
    goal: float
    path: Callable[[int], str]


def _search(words: Callable[[int], str]) -> Callable[[int], str]:
    return lambda number: f"/admin/people?q={quote(words(number))}"


def _sights(people_there: int) -> list[Sight]:
    def somebody(number: int) -> int:
        return townsfolk.BEGIN + number * 7919 % people_there

    def number_of(number: int) -> str:
        found = somebody(number)
        return str(townsfolk.phone(found - found % 3))

    return [
        Sight("/healthz", float("inf"), lambda _number: "/healthz"),
        Sight("first name", SEARCH, _search(lambda number: townsfolk.FIRST[number % 5])),
        Sight("one letter", SEARCH, _search(lambda number: "amosr"[number % 5])),
        Sight("surname", SEARCH, _search(lambda number: townsfolk.surname(somebody(number)))),
        Sight(
            "two words",
            SEARCH,
            _search(
                lambda n: (
                    f"{townsfolk.first_name(somebody(n))} {townsfolk.surname(somebody(n))[:4]}"
                )
            ),
        ),
        Sight(
            "two common",
            SEARCH,
            _search(lambda n: f"{townsfolk.FIRST[n % 5]} {townsfolk.FIRST[0]}"),
        ),
        Sight("address", SEARCH, _search(lambda number: townsfolk.address(somebody(number)))),
        Sight("phone", SEARCH, _search(number_of)),
        Sight("nobody", SEARCH, _search(lambda number: f"xq{number} zz")),
        Sight("person", PERSON, lambda n: f"/admin/people/{UUID(int=somebody(n))}"),
        Sight(
            "busy person",
            PERSON,
            lambda _n: f"/admin/people/{UUID(int=townsfolk.BEGIN + townsfolk.BUSY)}",
        ),
        Sight("numbers, 30 days", NUMBERS, lambda _number: "/admin"),
        Sight("numbers, 90 days", NUMBERS, lambda _number: "/admin?days=90"),
        Sight("numbers, SMS", NUMBERS, lambda _number: "/admin?days=90&channel=sms"),
    ]


def main() -> int:
    """Prints a line a page.  -> 1 when one is slower than its goal."""
    given = _arguments()
    logging.disable(logging.CRITICAL)
    say(machine())
    with tempfile.TemporaryDirectory() as folder:
        portal = Server(Path(folder))
        portal.flask("db", "upgrade")
        began = time.monotonic()
        cookie = _prepared(portal, given)
        say(f"{given.people:,} people, {given.events:,} events in {time.monotonic() - began:.0f} s")
        portal.start()
        try:
            return _table(portal.port, cookie, _sights(given.people), given.rounds)
        finally:
            portal.stop()


def _prepared(portal: Server, given: argparse.Namespace) -> str:
    """-> the cookie of an agent who is signed in."""
    app = agents.application(portal)
    cookie = agents.signed_in(app)
    with app.app_context():
        town.fill(given.people, given.events)
    return cookie


def _table(port: int, cookie: str, sights: list[Sight], rounds: int) -> int:
    times = _measured(port, cookie, sights, rounds)
    say(f"\n{'page':18} {'p50 ms':>8} {'p95 ms':>8}  {'beside':>7}  {'goal':>5}")
    bare, slow = statistics.median(times[sights[0].name]), 0
    for each in sights:
        half, most = statistics.median(times[each.name]), _p95(times[each.name])
        goal = "" if each.goal == float("inf") else f"{each.goal:5.0f}"
        verdict = "" if most < each.goal else "  SLOW"
        slow += bool(verdict)
        say(f"{each.name:18} {half:8.1f} {most:8.1f}  {half / bare:6.1f}x  {goal}{verdict}")
    return 1 if slow else 0


def _measured(port: int, cookie: str, sights: list[Sight], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each page, all in turn; the first round counts too: so does a first call."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times: dict[str, list[float]] = {each.name: [] for each in sights}
    for number in range(rounds):
        for each in sights:
            began = time.monotonic()
            line.request("GET", each.path(number), headers={"Cookie": cookie})
            answer = line.getresponse()
            answer.read()
            times[each.name].append(1000 * (time.monotonic() - began))
            assert answer.status == 200, f"{each.path(number)}: {answer.status}"  # noqa: S101
    return times


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
