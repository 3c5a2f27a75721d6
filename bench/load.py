"""Ten minutes of everything, while Redis and PostgreSQL are restarted: is any message lost?

    python -m bench.load [--minutes 10] [--per-second 6]

The served product, Celery's worker, Redis, PostgreSQL and a mail server with TLS, each a process.
Every address is asked about in one flow only; a flow whose last request was answered with the
redirect that promises a message is owed one that the mail server accepts after that request began.
"""

import argparse
import logging
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from pathlib import Path

import psycopg

from bench.delivery import machine, say
from portal import create_app
from portal.accounts import hashing
from portal.core import clock
from portal.core.db import db
from tests.rigs import crowd
from tests.rigs.caller import Answer, Caller
from tests.rigs.post_office import Accepted, PostOffice
from tests.rigs.postgres import Postgres
from tests.rigs.redis import Redis
from tests.rigs.server import Server
from tests.rigs.workers import CeleryWorker

HANDS = 12  # visitors at the same time
LATENCY = 0.05  # seconds that the mail server takes to accept
AWAY = 3.0  # seconds between the end of a part and its return
REDIS_AT, POSTGRES_AT = 0.4, 0.7  # of the whole time
DRAIN_SECONDS = 90
PASSWORD, NEXT_PASSWORD = "copper lantern tuesday", "wooden planet friday"
SETTINGS = {"THROTTLES": "off", "BCRYPT_COST": "4"}


Owed = dict[str, tuple[str, float]]  # address -> kind, since when, in seconds of Unix time


@dataclass
class Ledger:
    """What was answered, and what is owed for it."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    owed: Owed = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, address: str, answer: Answer | None) -> None:
        """The end of a flow; whoever was not answered is owed nothing."""
        since = clock.now().timestamp() - (answer.seconds if answer else 0)
        status = f"{answer.status // 100}xx" if answer else "no answer"
        with self.lock:
            self.answers[kind, status] += 1
            if answer:
                self.times.append(answer.seconds)
            if answer and kind in OWED and answer.location == OWED[kind]:
                self.owed[address] = kind, since


@dataclass
class Town:
    """Whom visitors are, and where they go."""

    url: str
    people: Iterator[str]
    number: Iterator[int] = field(default_factory=count)

    def recover(self, address: str) -> Answer:
        return self._form("/recover", identifier=address)

    def resend(self, address: str) -> Answer:
        """Asks, and asks again while the first message may be under way."""
        browser = Caller(self.url)
        browser.open("/recover")
        browser.send("/recover", identifier=address)
        browser.open("/recover/code")
        return browser.send("/recover/resend")

    def sign_up(self, address: str) -> Answer:
        both = {"password": PASSWORD, "confirm_password": PASSWORD}
        return self._form("/sign-up", full_name="Ann Miller", email=address, **both)

    def sign_in(self, address: str) -> Answer:
        return self._form("/sign-in", email=address, password=PASSWORD)

    def mistype(self, address: str) -> Answer:
        return self._form("/sign-in", email=address, password=NEXT_PASSWORD)

    def change(self, address: str) -> Answer:
        """Signs in and changes the password; a notice follows."""
        browser = Caller(self.url)
        browser.open("/sign-in")
        browser.send("/sign-in", email=address, password=PASSWORD)
        browser.open("/security/password")
        both = {"password": NEXT_PASSWORD, "confirm_password": NEXT_PASSWORD}
        return browser.send("/security/password", old_password=PASSWORD, **both)

    def somebody(self) -> str:
        return next(self.people)

    def nobody(self) -> str:
        return f"nobody{next(self.number)}@example.org"

    def _form(self, path: str, **fields: str) -> Answer:
        browser = Caller(self.url)
        browser.open(path)
        return browser.send(path, **fields)


KINDS: dict[str, tuple[Callable[[Town], str], Callable[[Town, str], Answer]]] = {
    "recover, known": (Town.somebody, Town.recover),
    "recover, unknown": (Town.nobody, Town.recover),
    "recover, resend": (Town.somebody, Town.resend),
    "sign-up": (Town.nobody, Town.sign_up),
    "sign-up, taken": (Town.somebody, Town.sign_up),
    "sign-in, right": (Town.somebody, Town.sign_in),
    "sign-in, wrong": (Town.somebody, Town.mistype),
    "password change": (Town.somebody, Town.change),
}
OWED = {  # where an answer leads that promises a message
    "recover, known": "/recover/code",
    "recover, resend": "/recover/code",
    "sign-up": "/sign-up/code",
    "sign-up, taken": "/sign-up/code",
    "password change": "/security/password",
}
ORDER = ["recover, known", *KINDS, "recover, known", "recover, resend", "recover, unknown"]


def main() -> None:
    """Prints what happened; ends with 1 when a message was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.load")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--per-second", type=float, default=6)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    say(f"{machine()}; {given.minutes} minutes, {given.per_second} flows a second")
    with ExitStack() as stack:
        sys.exit(_run(stack, 60 * given.minutes, given.per_second))


def _run(stack: ExitStack, seconds: float, per_second: float) -> int:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    post = stack.enter_context(PostOffice(folder, latency=LATENCY))
    redis, postgres = stack.enter_context(Redis()), stack.enter_context(Postgres())
    database = postgres.fresh_database()
    parts = {"REDIS_URL": redis.url, "DATABASE_URL": database}
    portal = stack.enter_context(Server(folder, **post.settings(), **parts, **SETTINGS))
    stack.enter_context(CeleryWorker(portal.environment, folder / "celery.log"))
    town = Town(portal.url, iter(settle(portal, int(seconds * per_second))))
    for at, part in (REDIS_AT, redis), (POSTGRES_AT, postgres):
        timer = threading.Timer(at * seconds, _restart, [part])
        timer.start()
        stack.callback(timer.join)
    ledger = _load(town, seconds, per_second)
    waiting = drained(database)
    return _tell(ledger, post.accepted(), waiting)


def settle(portal: Server, number: int) -> list[str]:
    """-> the addresses of so many people with PASSWORD."""
    app = create_app(portal.environment)
    with app.app_context():
        known = hashing.make(PASSWORD)
    addresses = crowd.settle(app, number, known)
    with app.app_context():
        db.engine.dispose()
    return addresses


def _restart(part: Redis | Postgres) -> None:
    """Redis forgets what it held."""
    part.kill() if isinstance(part, Redis) else part.stop()
    say(f"{clock.now():%H:%M:%S} {type(part).__name__} is away for {AWAY:.0f} s")
    time.sleep(AWAY)
    part.start()


def _load(town: Town, seconds: float, per_second: float) -> Ledger:
    """One flow after the other begins at its moment, as long as there are hands."""
    ledger, start = Ledger(), time.monotonic()

    def visit(number: int) -> None:
        time.sleep(max(0, start + number / per_second - time.monotonic()))
        kind = ORDER[number % len(ORDER)]
        who, act = KINDS[kind]
        address = who(town)
        try:
            answer = act(town, address)
        except (OSError, HTTPException):
            answer = None
        ledger.note(kind, address, answer)

    with ThreadPoolExecutor(HANDS) as hands:
        list(hands.map(visit, range(int(seconds * per_second))))
    return ledger


def drained(database: str) -> int:
    """Returns when nothing waits any more, or too long.  -> how many messages still wait."""
    until = time.monotonic() + DRAIN_SECONDS
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        while True:
            found = connection.execute("SELECT count(*) FROM outbox WHERE done_at IS NULL")
            (waiting,) = found.fetchone() or (0,)
            if not waiting or time.monotonic() > until:
                return int(waiting)
            time.sleep(0.5)


def _tell(ledger: Ledger, accepted: list[Accepted], waiting: int) -> int:
    missing = lost(ledger.owed, accepted)
    for (kind, status), number in sorted(ledger.answers.items()):
        say(f"{number:6} {kind}: {status}")
    times = sorted(1000 * each for each in ledger.times)
    say(f"answers: median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms")
    again = f"{twice(accepted)} of them again"
    say(f"accepted: {len(accepted)} messages, {again}; still waiting: {waiting}")
    say(f"owed: {len(ledger.owed)} messages; lost: {len(missing)} {dict(Counter(missing)) or ''}")
    return 1 if missing or waiting else 0


def lost(owed: Owed, accepted: list[Accepted]) -> list[str]:
    """-> the kind of each flow whose message was not accepted after it was promised."""
    last = {letter.to: letter.at for letter in accepted}
    return [kind for who, (kind, since) in owed.items() if last.get(who, 0) < since]


def twice(accepted: list[Accepted]) -> int:
    """How many messages were accepted again."""
    return len(accepted) - len({letter.id for letter in accepted})


if __name__ == "__main__":
    main()
