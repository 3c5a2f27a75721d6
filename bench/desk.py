"""What pages of the helpdesk cost where much has happened, beside /healthz of the same server.

    python -m bench.desk [--people 200000] [--events 1000000] [--rounds 60]

Fills an SQLite database, serves it as `make run` does, and asks for each page in turn over one kept
connection, signed in as an agent.  Goals for the 95th percentile: search 100 ms, a person's page
150 ms, numbers 300 ms.
"""

import argparse
import http.client
import logging
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from flask import Flask

import config
from bench import town
from bench.delivery import machine, say
from portal import create_app
from portal.accounts import people
from portal.accounts.service import staffing
from portal.core import keyring
from portal.core.audit import OPERATOR
from tests.conftest import Post, open_account, sign_in
from tests.rigs import authenticator
from tests.rigs.server import Server
from tests.rigs.visitor import Visitor

AGENT = "ruth.lund@example.org"
SEARCH, PERSON, NUMBERS = 100, 150, 300  # milliseconds
FIRST = 1_000
COOKIE = "latchkey"


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
        return FIRST + number * 7919 % people_there

    def number_of(number: int) -> str:
        found = somebody(number)
        return str(town.phone(found - found % 3))

    return [
        Sight("/healthz", float("inf"), lambda _number: "/healthz"),
        Sight("first name", SEARCH, _search(lambda number: town.FIRST[number % 5])),
        Sight("one letter", SEARCH, _search(lambda number: "amosr"[number % 5])),
        Sight("surname", SEARCH, _search(lambda number: town.surname(somebody(number)))),
        Sight(
            "two words",
            SEARCH,
            _search(lambda n: f"{town.first_name(somebody(n))} {town.surname(somebody(n))[:4]}"),
        ),
        Sight("two common", SEARCH, _search(lambda n: f"{town.FIRST[n % 5]} {town.FIRST[0]}")),
        Sight("address", SEARCH, _search(lambda number: town.address(somebody(number)))),
        Sight("phone", SEARCH, _search(number_of)),
        Sight("nobody", SEARCH, _search(lambda number: f"xq{number} zz")),
        Sight("person", PERSON, lambda n: f"/admin/people/{UUID(int=somebody(n))}"),
        Sight("busy person", PERSON, lambda _n: f"/admin/people/{UUID(int=FIRST + town.BUSY)}"),
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
    keyring.make(Path(portal.environment["SIGNING_KEYS_FILE"]))
    known = {each.name for each in config.SETTINGS}
    own = {name: value for name, value in portal.environment.items() if name in known and value}
    app = create_app(own | {"PUBLIC_URL": portal.url})
    cookie = _signed_in(app)
    with app.app_context():
        town.fill(given.people, given.events)
    with closing(sqlite3.connect(portal.folder / "portal.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return cookie


def _signed_in(app: Flask) -> str:
    browser = Visitor(app)
    open_account(browser, AGENT, "Ruth Lund")
    browser.follow()
    browser.submit("/sign-up/code", code=Post(app).newest(AGENT).code)
    browser.get("/profile")
    browser.submit("/sign-out")
    with app.app_context():
        staffing.change_role(people.find(AGENT), "support", None, OPERATOR)
    sign_in(browser, AGENT)
    authenticator.set_up(browser)
    return f"{COOKIE}={browser.cookie(COOKIE)}"


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
