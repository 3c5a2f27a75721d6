"""How fast mail is handed over, beside a bare smtplib loop; how long a person waits for it.

    python -m bench.delivery [--messages 100] [--rounds 5] [--seconds 60]

Both send the same letters to the same server over implicit TLS and one kept connection, in turn;
speed is read from the server's own record of what it accepted and when.
"""

import argparse
import logging
import os
import platform
import smtplib
import ssl
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from flask import Flask

from portal import create_app
from portal.accounts import people
from portal.codes import challenges, terms
from portal.codes.models import PASSWORD_RESET
from portal.core import clock
from portal.core.db import db, transaction
from portal.delivery import letters, outbox
from portal.delivery.recipes import RECIPES
from portal.delivery.transports import mime
from portal.recovery import messages
from tests.rigs import crowd, postgres
from tests.rigs.caller import Caller
from tests.rigs.post_office import Accepted, PostOffice
from tests.rigs.postgres import Postgres
from tests.rigs.server import Server
from tests.rigs.workers import DeliverWorker

LATENCIES = 0, 0.02  # seconds that the mail server takes to accept
PER_SECOND = 20
CALLERS = 40  # browsers that ask, none more often than every two seconds
PATIENCE = 120
OWN = {"THROTTLES": "off", "PUBLIC_URL": "http://127.0.0.1:8000"}


def main() -> None:
    """Prints a line a measurement."""
    parser = argparse.ArgumentParser(prog="python -m bench.delivery")
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    say(machine())
    speeds(given.messages, given.rounds)
    waits(given.seconds)


def machine() -> str:
    """What was measured on, and when."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    python = platform.python_version()
    return f"{clock.now():%Y-%m-%d %H:%M} UTC, {os.cpu_count()} x {model}, Python {python}"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def speeds(count: int, rounds: int) -> None:
    """Hand-overs per second of one worker, on each database and at each latency."""
    with ExitStack() as stack:
        databases = {"SQLite": lambda: ""}
        if not postgres.missing():
            databases["PostgreSQL"] = stack.enter_context(Postgres()).fresh_database
        for name, fresh in databases.items():
            for latency in LATENCIES:
                ours, bare = _speed(fresh(), latency, count, rounds)
                what = f"{name}, server takes {1000 * latency:.0f} ms"
                both = f"worker {ours:6.1f}/s   bare loop {bare:6.1f}/s"
                say(f"{what:32} {both}   {ours / bare:5.2f} x")


def _speed(database: str, latency: float, count: int, rounds: int) -> tuple[float, float]:
    """Medians of the worker and of the bare loop, measured in turn."""
    with tempfile.TemporaryDirectory() as name, PostOffice(Path(name), latency=latency) as post:
        folder = Path(name)
        own = {"DATABASE_URL": database} if database else {}
        server = Server(folder, **post.settings(), **OWN, **own)
        server.flask("db", "upgrade")
        app = create_app(server.environment)
        addresses = crowd.settle(app, count)
        letters = _letters(app, addresses)
        pairs = []
        with DeliverWorker(server.environment, folder / "worker.log"):
            for _round in range(rounds + 1):
                pairs.append((_worker(app, addresses, post), _bare(letters, post)))
        with app.app_context():
            db.engine.dispose()
    ours, bare = zip(*pairs[1:], strict=True)  # the first warms up
    return statistics.median(ours), statistics.median(bare)


def _worker(app: Flask, addresses: list[str], post: PostOffice) -> float:
    before = len(post.accepted())
    with app.app_context(), transaction():
        for address in addresses:
            _put(address)
    return _rate(post, before, len(addresses))


def _put(address: str) -> str:
    """A recovery as if asked for; all of them become due with one commit."""
    person = people.find(address)
    conditions = terms.page("/recover/link/{token}")
    challenge = challenges.open_(PASSWORD_RESET, person.id, address, "Firefox", conditions)
    outbox.put(messages.recovery, challenge.id, person.id)
    return challenge.id


def _letters(app: Flask, addresses: list[str]) -> list[tuple[str, bytes]]:
    """What the worker will send, but for code and link.  Nothing of it is kept."""
    made = []
    try:
        with app.app_context(), transaction():
            for number, address in enumerate(addresses):
                letter = messages.recovery.write(_put(address))
                parcel = letters.compose(RECIPES["recovery"], letter, f"bench-{number}")
                made.append((address, mime.written(parcel)))
            raise Undone
    except Undone:
        return made


class Undone(Exception):
    """Ends a transaction without keeping it."""


def _bare(letters: list[tuple[str, bytes]], post: PostOffice) -> float:
    """The least that anybody would do: one connection, one message after the other."""
    settings, before = post.settings(), len(post.accepted())
    context = ssl.create_default_context(cafile=post.ca_file)
    with smtplib.SMTP_SSL(settings["EMAIL_HOST"], post.port, context=context) as line:
        for address, raw in letters:
            line.sendmail(settings["EMAIL_FROM"], [address], raw)
    return _rate(post, before, len(letters))


def _rate(post: PostOffice, before: int, count: int) -> float:
    """Per second, from the first that was accepted to the last."""
    moments = [letter.at for letter in post.wait_for(before + count, PATIENCE)[before:]]
    return (count - 1) / (moments[-1] - moments[0])


def waits(seconds: int) -> None:
    """From a person's request to the server's yes, at a steady rate."""
    with tempfile.TemporaryDirectory() as name, PostOffice(Path(name), latency=0.02) as post:
        with Server(Path(name), **post.settings(), THROTTLES="off") as portal:
            app = create_app(portal.environment)
            addresses = crowd.settle(app, PER_SECOND * seconds)
            asked = _ask(portal.url, addresses)
            accepted = post.wait_for(len(addresses), PATIENCE)
        with app.app_context():
            db.engine.dispose()
    _tell(asked, accepted)


def _ask(url: str, addresses: list[str]) -> dict[str, float]:
    """Everybody asks at their moment, whether the one before was answered or not.

    -> when each began, by the clock on the wall, as the mail server notes it.
    """
    browsers = threading.local()
    asked: dict[str, float] = {}
    start = time.monotonic() + 1

    def ask(number: int) -> None:
        if not hasattr(browsers, "caller"):
            browsers.caller = Caller(url)
            browsers.caller.open("/recover")
        time.sleep(max(0, start + CALLERS / PER_SECOND + number / PER_SECOND - time.monotonic()))
        asked[addresses[number]] = clock.now().timestamp()
        answer = browsers.caller.send("/recover", identifier=addresses[number])
        if answer.location != "/recover/code":
            raise RuntimeError(f"The portal answered {answer.status}.")

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(ask, range(len(addresses))))
    return asked


def _tell(asked: dict[str, float], accepted: list[Accepted]) -> None:
    took = sorted(1000 * (letter.at - asked[letter.to]) for letter in accepted)
    cuts = statistics.quantiles(took, n=100)
    middle, most, nearly_all = (f"{cuts[at - 1]:.0f} ms" for at in (50, 95, 99))
    rate = f"{PER_SECOND} requests/s, {len(took)} messages, server takes 20 ms"
    say(f"request to acceptance: median {middle}, p95 {most}, p99 {nearly_all} ({rate})")


if __name__ == "__main__":
    main()
