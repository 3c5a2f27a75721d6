"""What mail needs goes away and comes back: nobody learns more, nothing is lost, nobody restarts.

The served product in its own process, real parts around it; each fault begins, lasts and ends.
"""

import re
import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from portal import create_app
from portal.core.db import db
from tests.rigs import crowd
from tests.rigs.caller import Answer, Caller
from tests.rigs.post_office import PostOffice
from tests.rigs.server import Server
from tests.rigs.smtp import SmtpServer
from tests.rigs.workers import CeleryWorker

pytestmark = pytest.mark.endurance

LASTS = 4.0  # seconds of a fault, from the first request in it
AFTERWARDS = 10  # seconds until what waited has arrived
QUICK = 1.0  # seconds that a request may take while something behind it is away
APART = 2.0  # seconds between known and unknown that the engine's own rhythm explains
SLOW = 1.5  # seconds that a busy mail server looks into a letter before it takes it
NOBODY = "nobody@example.org"
LAX = {"THROTTLES": "off"}
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
TOKEN = re.compile(r"/link/([\w=\r\n-]+)")
OUR_503 = "We cannot do this at the moment"
LEFT_OVER = """
    SELECT count(*) FROM outbox o JOIN challenge c ON c.id = o.about
    LEFT JOIN otp ON otp.id = c.otp_id
    WHERE o.done_at IS NULL AND o.lease IS NULL AND o.tries > 0
    AND (c.link_hash IS NOT NULL OR (otp.id IS NOT NULL AND otp.consumed_at IS NULL))"""
TRIED = "SELECT count(*) FROM outbox WHERE done_at IS NULL AND lease IS NULL AND tries > 0"


class Eavesdropper(SmtpServer):
    """Remembers what it was given, whether it took it or not."""

    def __init__(self) -> None:
        super().__init__()
        self.overheard: list[str] = []
        self.is_up = False

    def start(self) -> None:
        super().start()
        self.is_up = True

    def stop(self) -> None:
        super().stop()
        self.is_up = False

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.overheard.append(envelope.content.decode())
        return await super().handle_DATA(server, session, envelope)


@dataclass
class Scene:
    """A served portal, its mail server, and people who have not asked yet."""

    portal: Server
    smtp: Eavesdropper
    people: Iterator[str]
    trusted: Path
    strangers: Iterator[str] = field(
        default_factory=lambda: iter(f"nobody{number}@example.org" for number in range(100))
    )

    def database(self, statement: str) -> int:
        with closing(sqlite3.connect(self.portal.folder / "portal.db", timeout=20)) as database:
            return int(database.execute(statement).fetchone()[0])

    def hang_up(self) -> None:
        """The line that is kept from the message before ends, so that the next meets the fault."""
        if self.smtp.is_up:
            self.smtp.hang_up()

    def trust(self, file: str | Path) -> None:
        """Certificates of this authority are believed, from the next connection on."""
        self.trusted.write_bytes(Path(file).read_bytes())


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    trusted = folder / "trusted.pem"
    with Eavesdropper() as smtp:
        own = {"SSL_CERT_FILE": str(trusted), "EMAIL_TIMEOUT_SECONDS": "1", "THROTTLES": "off"}
        trusted.write_bytes(Path(smtp.ca_file).read_bytes())
        with Server(folder, **smtp.settings(), **own) as portal:
            yield Scene(portal, smtp, iter(_settle(portal, 100)), trusted)


def _settle(portal: Server, count: int) -> list[str]:
    app = create_app(portal.environment)
    addresses = crowd.settle(app, count)
    with app.app_context():
        db.engine.dispose()
    return addresses


@dataclass(frozen=True)
class Fault:
    """How it begins and ends; what the log says of it."""

    begin: Callable[[Scene], object]
    says: str
    end: Callable[[Scene], object] = lambda scene: scene.smtp.clear()


def _believes_another(scene: Scene) -> None:
    with trustme.CA().cert_pem.tempfile() as other:
        scene.trust(other)


FAULTS = {
    "is down": Fault(lambda s: s.smtp.stop(), "unreachable", lambda s: s.smtp.start()),
    "shows a bad certificate": Fault(
        _believes_another, "certificate", lambda s: s.trust(s.smtp.ca_file)
    ),
    "lets nobody in": Fault(lambda s: s.smtp.refuse("535 5.7.8 Go away", at="AUTH"), "sign-in 535"),
    "does not greet": Fault(lambda s: s.smtp.hang(3, at="CONNECT", times=9), "unreachable"),
    "takes nothing for now": Fault(
        lambda s: s.smtp.refuse("451 4.3.0 Later", at="MAIL"), "later 451"
    ),
    "greylists": Fault(lambda s: s.smtp.refuse("451 4.7.1 Later", at="RCPT"), "later 451"),
    "refuses people": Fault(lambda s: s.smtp.refuse("550 5.1.1 Unknown", at="RCPT"), "refused 550"),
    "refuses letters": Fault(lambda s: s.smtp.refuse("554 5.7.1 Spam", at="DATA"), "refused 554"),
    "takes too long": Fault(lambda s: s.smtp.hang(3, at="DATA", times=9), "dropped"),
    "drops the line after the letter": Fault(lambda s: s.smtp.drop(times=99), "dropped"),
    "drops it and keeps the letter": Fault(lambda s: s.smtp.drop(times=99, keep=True), "dropped"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_mail_server_comes_back(scene, name):
    fault, known, unknown = FAULTS[name], next(scene.people), next(scene.strangers)
    said_before = len(scene.portal.log())
    scene.smtp.clear()
    scene.smtp.overheard.clear()
    fault.begin(scene)
    scene.hang_up()
    try:
        _nobody_can_tell(scene.portal.url, known, unknown)
        _nothing_is_left(scene)
    finally:
        ends = time.monotonic()
        fault.end(scene)
    _arrives(scene.smtp, known, ends)
    assert not [each for each in scene.smtp.received if unknown in each.to]
    said = scene.portal.log()[said_before:]
    assert re.search(rf"message \d+ \(recovery\): {fault.says}", said), said
    _tells_no_secret(said, scene.smtp, known, unknown)


def test_nobody_can_tell_while_the_mail_server_is_slow(tmp_path):
    with SmtpServer(latency=SLOW) as smtp:
        own = {**smtp.settings(), "SSL_CERT_FILE": smtp.ca_file}
        with Server(tmp_path, **own, **LAX) as portal:
            another, *known = _settle(portal, 4)
            _sent_after(portal.url, another)  # the first connection is made
            unknown = [f"nobody{number}@example.org" for number in range(len(known))]
            pairs = list(zip(known, unknown, strict=True))
            took = [[_sent_after(portal.url, each) for each in pair] for pair in pairs]
            least = [min(each) for each in zip(*took, strict=True)]  # a busy machine adds to any
            assert max(least) - min(least) < SLOW / 2, f"known and unknown wait {took} s"


def _sent_after(url: str, address: str) -> float:
    """-> how long the page of whoever asked says that the message waits."""
    browser = Caller(url)
    _ask(browser, address)
    began = time.monotonic()
    _until(lambda: browser.open("/recover/status").json["state"] == "sent")
    return time.monotonic() - began


def _nobody_can_tell(url: str, known: str, unknown: str) -> None:
    """Both are answered alike, and both pages see the same, at the same time."""
    browsers = Caller(url), Caller(url)
    answers = [_ask(each, who) for each, who in zip(browsers, (known, unknown), strict=True)]
    assert [each.location for each in answers] == ["/recover/code"] * 2
    seen, since = [["waiting"], ["waiting"]], [[0.0], [0.0]]
    end = time.monotonic() + LASTS
    while time.monotonic() < end:
        for browser, states, moments in zip(browsers, seen, since, strict=True):
            state = browser.open("/recover/status").json["state"]
            if state != states[-1]:
                states.append(state)
                moments.append(time.monotonic())
        time.sleep(0.1)
    assert seen[0] == seen[1], f"known {seen[0]}, unknown {seen[1]}"
    apart = max(abs(one - other) for one, other in zip(*since, strict=True))
    assert apart < APART, f"known and unknown change {apart:.1f} s apart"


def _ask(browser: Caller, address: str) -> Answer:
    browser.open("/recover")
    return browser.send("/recover", identifier=address)


def _nothing_is_left(scene: Scene) -> None:
    """Of a message that was tried and did not leave, neither code nor link can be used."""
    _until(lambda: scene.database(TRIED) > 0)
    assert scene.database(LEFT_OVER) == 0


def _arrives(smtp: SmtpServer, address: str, since: float) -> None:
    """After the fault, a message comes that did not come during it."""
    _until(lambda: [each for each in smtp.received if address in each.to and each.at > since])


def _tells_no_secret(said: str, smtp: Eavesdropper, *addresses: str) -> None:
    letters = [*smtp.overheard, *(each.raw.decode() for each in smtp.received)]
    texts = [letter.partition("\r\n\r\n")[2].replace("=\r\n", "") for letter in letters]
    assert texts
    codes = {code for text in texts for code in CODE.findall(text)}
    tokens = {token[:20] for text in texts for token in TOKEN.findall(text)}
    assert tokens
    told = [secret for secret in {*codes, *tokens, *addresses} if secret in said]
    assert not told, f"{len(told)} secrets in the log"


def test_redis_dies_and_comes_back(redis_server, tmp_path):
    with PostOffice(tmp_path) as post:
        own = {"REDIS_URL": redis_server.url, "THROTTLES": "off"}
        with Server(tmp_path, **post.settings(), **own) as portal:
            people = _settle(portal, 5)
            with CeleryWorker(portal.environment, tmp_path / "celery.log"):
                _ask(Caller(portal.url), people[0])
                post.wait_for(1, AFTERWARDS)
                redis_server.kill()
                slowest = max(_quickly(portal.url, each) for each in people[1:4])
                time.sleep(LASTS)
                redis_server.start()
                post.wait_for(4, AFTERWARDS)
                _quickly(portal.url, people[4])
                assert {each.to for each in post.wait_for(5, AFTERWARDS)} == set(people)
                assert slowest < QUICK
                assert "Redis is away" in portal.log()


def _quickly(url: str, address: str) -> float:
    """-> how many seconds the answer took."""
    answer = _ask(Caller(url), address)
    assert answer.location == "/recover/code"
    return answer.seconds


def test_a_mail_server_comes_back_to_celery(redis_server, tmp_path):
    with Eavesdropper() as smtp:
        own = {"REDIS_URL": redis_server.url, "SSL_CERT_FILE": smtp.ca_file, "THROTTLES": "off"}
        with Server(tmp_path, **smtp.settings(), **own) as portal:
            known = _settle(portal, 1)[0]
            with CeleryWorker(portal.environment, tmp_path / "celery.log"):
                smtp.stop()
                _nobody_can_tell(portal.url, known, NOBODY)
                smtp.start()
                _arrives(smtp, known, 0)


def test_a_beat_that_died_keeps_no_message(redis_server, tmp_path):
    """Celery never replaces it, and nobody was told of this message."""
    with PostOffice(tmp_path) as post:
        own = {"REDIS_URL": redis_server.url, "THROTTLES": "off"}
        with Server(tmp_path, **post.settings(), **own) as portal:
            person = _settle(portal, 1)[0]
            with CeleryWorker(portal.environment, tmp_path / "celery.log") as worker:
                for beat in worker.beat():
                    worker.kill_one(beat)
                redis_server.kill()
                _ask(Caller(portal.url), person)
                post.wait_for(1, AFTERWARDS)


def test_postgresql_is_restarted(postgres_server, postgres_url, tmp_path):
    with PostOffice(tmp_path) as post:
        own = {"DATABASE_URL": postgres_url, "THROTTLES": "off"}
        with Server(tmp_path, **post.settings(), **own) as portal:
            people = _settle(portal, 3)
            browsers = [Caller(portal.url), Caller(portal.url)]
            _ask(browsers[0], people[0])
            post.wait_for(1, AFTERWARDS)
            postgres_server.stop()
            try:
                _is_sorry_alike(browsers, [people[1], NOBODY])
            finally:
                postgres_server.start()
            assert _ask(browsers[0], people[1]).location == "/recover/code"
            assert _ask(browsers[1], people[2]).location == "/recover/code"
            assert {each.to for each in post.wait_for(3, AFTERWARDS)} == set(people)
            assert "the database cannot be used" in portal.log()
            assert not [each for each in (*people, NOBODY) if each in portal.log()]


def test_postgresql_dies_while_many_ask(postgres_server, postgres_url, tmp_path):
    """Wherever each of them is: before its first question, in its transaction, at its commit."""
    own = {"DATABASE_URL": postgres_url, "THROTTLES": "off"}
    with Server(tmp_path, **own) as portal:
        people, over = _settle(portal, 6), threading.Event()
        with ThreadPoolExecutor() as pool:
            asking = [pool.submit(_ask_until, over, portal.url, each) for each in people]
            try:
                for end in (postgres_server.kill, postgres_server.stop) * 2:
                    time.sleep(1)
                    end()
                    postgres_server.start()
            finally:
                over.set()
        statuses = {status for each in asking for status in each.result()}
    assert statuses == {303, 503}


def _ask_until(over: threading.Event, url: str, address: str) -> set[int]:
    browser, statuses = Caller(url), set()
    while not over.is_set():
        statuses.add(_ask(browser, address).status)
    return statuses


def _is_sorry_alike(browsers: list[Caller], addresses: list[str]) -> None:
    """The portal's own page, the same for everybody."""
    answers = [_ask(each, who) for each, who in zip(browsers, addresses, strict=True)]
    assert [each.status for each in answers] == [503, 503]
    assert OUR_503 in answers[0].text
    assert answers[0].body == answers[1].body
    assert all(each.headers["Retry-After"] for each in answers)


def test_the_disk_is_full_for_a_while(tmp_path):
    with PostOffice(tmp_path) as post, Server(tmp_path, **post.settings(), **LAX) as portal:
        browsers = [Caller(portal.url), Caller(portal.url)]
        with _reader(portal):
            people = _settle(portal, 100)
            with _no_room(portal):
                _is_sorry_alike(browsers, [people[0], NOBODY])
                assert browsers[0].open("/sign-in").status == 200
        for browser, who in zip(browsers, people, strict=False):
            assert _ask(browser, who).location == "/recover/code"
        assert {each.to for each in post.wait_for(2, AFTERWARDS)} == set(people[:2])
        assert "the database cannot be used" in portal.log()
        assert not [each for each in (*people, NOBODY) if each in portal.log()]


@contextmanager
def _reader(portal: Server) -> Iterator[None]:
    """As long as it reads, SQLite's log of changes grows: no part of it may be written again."""
    reader = sqlite3.connect(portal.folder / "portal.db", isolation_level=None)
    with closing(reader):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM person").fetchone()
        yield


@contextmanager
def _no_room(portal: Server) -> Iterator[None]:
    """No file of the process may grow beyond the largest of them.

    Python ignores the signal that comes with it, so that writing fails, as on a disk that is full.
    """
    process, full = portal.process.pid, resource.RLIMIT_FSIZE
    size = (portal.folder / "portal.db-wal").stat().st_size
    assert size > 20_000 + len(portal.log()), "What it prints needs room."
    resource.prlimit(process, full, (size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(process, full, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _until(fact: Callable[[], object]) -> None:
    end = time.monotonic() + AFTERWARDS
    while not fact():
        assert time.monotonic() < end, f"It did not come to that in {AFTERWARDS} s."
        time.sleep(0.05)
