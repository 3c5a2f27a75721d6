"""Workers die at any moment: every message arrives, and the code in its last copy alone works.

A failure names the seed of its chance; KILL_SEED=... repeats it, as far as processes repeat at all.
"""

import logging
import os
import random  # noqa: TID251 - chance that can be repeated
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from portal import create_app
from portal.codes import terms
from portal.core.audit import By
from portal.core.db import db
from portal.core.errors import Rejected
from portal.delivery import broker, queue
from portal.recovery import service as recovery
from tests.rigs import crowd, postgres
from tests.rigs.post_office import Accepted, PostOffice
from tests.rigs.server import Server
from tests.rigs.workers import CeleryWorker, DeliverWorker, ServeWorker, Worker

pytestmark = pytest.mark.endurance

log = logging.getLogger("latchkey.tests")
Kill = Callable[[], None]

KILLS = int(os.environ.get("KILLS") or 8)  # KILLS=40 once in a while, and after each change here
MESSAGES = 10 * KILLS
LATENCY = 0.15  # seconds that the mail server takes to accept
WHILE_BUSY = 0.5  # a kill comes so many seconds after new work, at most
MOST_TWICE = KILLS  # whoever dies between hand-over and its note leaves one that goes out again
IN_THE_MIDDLE = KILLS // 5  # so many kills at least interrupt a message, or the test shows nothing
WORKERS, AT_WORK = 4, 3  # so many are up, at least, when one of them is killed
WHOLE_EVERY = 10  # every so many kills, Celery's worker dies with its pool and its beat
AT_THE_END = 3  # seconds that the message under way may take, and the end of a process
PATIENCE = 45  # seconds for what dead workers held: a lease, a sweep, and a busy machine
EARLIER = 2  # copies before the last whose codes are tried: three tries a code, one for the last
BY = By(network="192.0.2.1", device="A browser")


@dataclass
class Ground:
    """An application on the workers' database: people, what they asked for, what became of it."""

    environment: dict[str, str]
    flows: dict[str, str] = field(default_factory=dict)  # address -> flow

    def __post_init__(self) -> None:
        self.app = create_app(self.environment)
        self.addresses = crowd.settle(self.app, MESSAGES)

    def ask(self, count: int) -> None:
        """So many more of the people ask to get back in, and workers are told as servers do."""
        with self.app.app_context():
            conditions = terms.api("/recover/link/{token}")
            for address in self.addresses[len(self.flows) :][:count]:
                self.flows[address] = recovery.start(address, None, conditions, BY)
                if url := self.environment["REDIS_URL"]:
                    queue.publish(broker.application(url), 1)

    def works(self, address: str, code: str) -> bool:
        """Whether the portal takes this code now.  One that works is used up."""
        with self.app.app_context():
            try:
                return bool(recovery.confirm_code(self.flows[address], code, BY))
            except Rejected:
                return False

    def number(self, statement: str) -> int:
        """What the database counts."""
        with self.app.app_context():
            return int(db.session.scalar(text(statement)) or 0)

    def close(self) -> None:
        with self.app.app_context():
            db.engine.dispose()


@pytest.fixture
def seed() -> str:
    return os.environ.get("KILL_SEED") or secrets.token_hex(4)


@pytest.fixture
def chance(seed) -> random.Random:
    return random.Random(seed)  # noqa: S311 - chance that can be repeated


@pytest.fixture
def post(tmp_path):
    with PostOffice(tmp_path, latency=LATENCY) as office:
        yield office


@pytest.fixture
def prepare(tmp_path, post):
    """prepare(REDIS_URL=...) -> a migrated database with people in it."""
    made = []

    def ground(**settings: str) -> Ground:
        own = {"THROTTLES": "off", "PUBLIC_URL": "http://127.0.0.1:8000"}
        server = Server(tmp_path, **post.settings(), **own, **settings)
        server.migrate()
        made.append(Ground(server.environment))
        return made[-1]

    yield ground
    for each in made:
        each.close()


def test_embedded_workers_may_be_killed_at_any_moment(prepare, post, tmp_path, seed, chance):
    ground = prepare()
    kinds = [DeliverWorker, DeliverWorker, DeliverWorker, ServeWorker]
    workers = [kind(ground.environment, tmp_path / f"{at}.log") for at, kind in enumerate(kinds)]

    def aim(_number: int) -> Kill:
        _until(lambda: sum(each.is_ready() for each in workers) >= AT_WORK)
        victim = chance.choice([each for each in workers if each.is_ready()])
        return lambda: _again(victim)

    try:
        for each in workers:
            each.launch()
        _kill(ground, aim, chance)
        _everything_arrived(ground, post, seed)
    finally:
        for each in workers:
            each.kill()


def test_celery_workers_may_be_killed_at_any_moment(
    request, prepare, post, redis_server, tmp_path, seed, chance
):
    there = {} if postgres.missing() else {"DATABASE_URL": request.getfixturevalue("postgres_url")}
    ground = prepare(REDIS_URL=redis_server.url, **there)

    def aim(number: int) -> Kill:
        _until(lambda: worker.is_ready() and len(worker.pool()) >= AT_WORK)
        if number % WHOLE_EVERY == WHOLE_EVERY - 1:
            return lambda: _again(worker)
        victim = chance.choice(worker.pool())
        return lambda: worker.kill_one(victim)

    with CeleryWorker(ground.environment, tmp_path / "celery.log", WORKERS) as worker:
        _kill(ground, aim, chance)
        _everything_arrived(ground, post, seed)


@pytest.mark.parametrize("kind", [DeliverWorker, ServeWorker])
def test_a_worker_that_is_told_to_end_finishes_its_message_and_no_more(
    prepare, post, tmp_path, kind
):
    """At an update, say, while others wait: nothing is sent twice because of it."""
    ground = prepare()
    ground.ask(100)
    with kind(ground.environment, tmp_path / "worker.log") as worker:
        _until(lambda: len(post.accepted()) > 2)
        began = time.monotonic()
        assert worker.stop() == 0
        took = time.monotonic() - began
    done = ground.number("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL")
    held = ground.number("SELECT count(*) FROM outbox WHERE leased_until IS NOT NULL")
    assert took < AT_THE_END, f"It took {took:.1f} s."
    assert (len(post.accepted()), held) == (done, 0)


def _again(worker: Worker) -> None:
    worker.kill()
    worker.launch()


def _kill(ground: Ground, aim: Callable[[int], Kill], chance: random.Random) -> None:
    """Kills at random moments while there is work."""
    for number in range(KILLS):
        kill = aim(number)
        ground.ask(MESSAGES * (number + 1) // KILLS - len(ground.flows))
        time.sleep(chance.uniform(0, WHILE_BUSY))
        kill()


def _everything_arrived(ground: Ground, post: PostOffice, seed: str) -> None:
    waits = "SELECT count(*) FROM outbox WHERE done_at IS NULL"
    until = time.monotonic() + PATIENCE
    while ground.number(waits) and time.monotonic() < until:
        time.sleep(0.2)
    middle = ground.number("SELECT count(*) FROM outbox WHERE tries > 1")
    copies = defaultdict(list)
    for letter in post.accepted():
        copies[letter.to].append(letter)
    lost, twice = MESSAGES - len(copies), sum(map(len, copies.values())) - len(copies)
    said = f"KILL_SEED={seed}: {KILLS} kills, {middle} in the middle; {lost} lost, {twice} twice"
    log.warning(said)
    assert (lost, ground.number(waits)) == (0, 0), said
    assert twice <= MOST_TWICE, said
    assert middle >= IN_THE_MIDDLE, said
    assert {len({letter.id for letter in each}) for each in copies.values()} == {1}, said
    wrong = [to for to, letters in copies.items() if not _only_the_last(ground, to, letters)]
    assert wrong == [], f"{said}; {len(wrong)} whose last code alone does not work"


def _only_the_last(ground: Ground, to: str, letters: list[Accepted]) -> bool:
    """Whether the codes of earlier copies are refused and the last one's is taken."""
    *earlier, last = [letter.code or "" for letter in letters]
    refused = not any(ground.works(to, code) for code in earlier[-EARLIER:] if code != last)
    return refused and ground.works(to, last)


def _until(fact: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, "It did not come to that."
        time.sleep(0.01)
