"""What calls of the API cost: how many a second, and how long each takes, beside /healthz.

    python -m bench.api [--seconds 5] [--cost 12]

The served product (`flask serve`, one process), its database on SQLite and on PostgreSQL, and
1, 8 and 32 clients with kept connections in a process of their own, on the same machine.  "Beside"
is a page of the same server that asks nobody: what is left is ours.
"""

import argparse
import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from bench.delivery import machine, say
from tests.rigs import postgres
from tests.rigs.postgres import Postgres
from tests.rigs.program import PASSWORD, Somebody, somebody
from tests.rigs.server import Server

CLIENTS = 1, 8, 32
WARM_UP = 0.5  # seconds before anything counts
PEOPLE = 32  # one a client: nobody waits for somebody else's row
PROFILE, BIO, TOKEN = "/api/v1/profile", "/api/v1/profile/bio", "/api/v1/auth/token"
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Call:
    """One kind of request, made again and again."""

    name: str
    method: str
    path: str
    expected: int
    body: Callable[[Somebody, int], object] | None = None
    secured: bool = False

    def request(self, who: Somebody, number: int) -> tuple[str, str, bytes | None, dict[str, str]]:
        """As http.client takes it."""
        headers = {"Authorization": f"Bearer {who.access}"} if self.secured else {}
        if self.body is None:
            return self.method, self.path, None, headers
        raw = json.dumps(self.body(who, number)).encode()
        return self.method, self.path, raw, headers | JSON


def _bio(_who: Somebody, number: int) -> object:
    return {"bio": f"Baker number {number}."}


def _password(who: Somebody, _number: int) -> object:
    return {"email": who.email, "password": PASSWORD}


CALLS = (
    Call("/healthz", "GET", "/healthz", 200),
    Call("GET profile", "GET", PROFILE, 200, secured=True),
    Call("PUT bio", "PUT", BIO, 200, _bio, secured=True),
    Call("token", "POST", TOKEN, 200, _password),
)


@dataclass(frozen=True)
class Result:
    """What came of one kind of call: how many a second, and their times in seconds."""

    per_second: float
    times: list[float]
    failed: int

    def p(self, percent: int) -> float:
        """The time that so many percent stay below, in ms."""
        return statistics.quantiles(self.times, n=100)[percent - 1] * 1000


def main() -> None:
    """Prints one table a database."""
    arguments = _arguments()
    say(machine())
    with ExitStack() as stack:
        for name, url in _databases(stack):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            settings = {"THROTTLES": "off", "BCRYPT_COST": str(arguments.cost), "DATABASE_URL": url}
            own = {key: value for key, value in settings.items() if value}
            portal = stack.enter_context(Server(folder, **own))
            _table(name, portal, arguments.seconds)
            portal.stop()


def _table(name: str, portal: Server, seconds: float) -> None:
    people = [somebody(portal) for _number in range(PEOPLE)]
    head = f"{'call':12} {'clients':>7} {'per second':>10} {'p50 ms':>8} {'p99 ms':>8}  beside"
    say(f"\n{name}\n{head}")
    for clients in CLIENTS:
        bare = 0.0
        for call in CALLS:
            result = _measured(portal.port, call, people[:clients], seconds)
            bare = bare or result.per_second
            line = f"{call.name:12} {clients:7} {result.per_second:10.1f} {result.p(50):8.1f}"
            wrong = f"  {result.failed} FAILED" if result.failed else ""
            say(f"{line} {result.p(99):8.1f}  {result.per_second / bare:5.2f}{wrong}")


def _measured(port: int, call: Call, people: list[Somebody], seconds: float) -> Result:
    """In a process of its own: the client's interpreter must not wait for ours."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_clients, args=(theirs, port, call.name, people, seconds))
    process.start()
    times, failed, took = ours.recv()
    process.join()
    return Result(len(times) / took, times, failed)


def _clients(pipe, port: int, name: str, people: list[Somebody], seconds: float) -> None:
    call = next(each for each in CALLS if each.name == name)
    times: list[float] = []
    failed: list[int] = []
    start = time.monotonic() + WARM_UP
    threads = [
        threading.Thread(target=_client, args=(port, call, who, start, seconds, times, failed))
        for who in people
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    pipe.send((times, len(failed), time.monotonic() - start))


def _client(  # noqa: PLR0913 - a thread's target takes what it needs one by one
    port: int, call: Call, who: Somebody, start: float, seconds: float, times: list, failed: list
) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    number = 0
    while (begun := time.monotonic()) < start + seconds:
        number += 1
        line.request(*call.request(who, number))
        answer = line.getresponse()
        answer.read()
        if begun >= start:
            times.append(time.monotonic() - begun)
            if answer.status != call.expected:
                failed.append(answer.status)


def _databases(stack: ExitStack) -> Iterator[tuple[str, str]]:
    yield "SQLite", ""
    if reason := postgres.missing():
        say(f"\nPostgreSQL is left out: {reason}")
        return
    server = stack.enter_context(Postgres())
    yield "PostgreSQL", server.fresh_database()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5, help="for each line of the table")
    parser.add_argument("--cost", type=int, default=12, help="of bcrypt, which token pays")
    return parser.parse_args()


if __name__ == "__main__":
    main()
