"""LOG-02: no code, link, password, number or full address where somebody else may read it.

The whole product at work, served, with Celery on Redis, a mail server that first refuses in words
that repeat the address, and an SMS gateway.  Everything that passes through Redis is overheard.
"""

import re
import socket
import sqlite3
import threading
import time

import pytest

from tests.rigs.caller import Caller
from tests.rigs.gateway import Gateway
from tests.rigs.server import Server
from tests.rigs.smtp import SmtpServer
from tests.rigs.workers import CeleryWorker

EMAIL, PHONE = "canary.bird@example.org", "+447400123456"
PASSWORD, NEXT, WRONG = "copper lantern tuesday", "wooden planet friday", "Wr0ng-secret-of-mine!"
TEN_SECONDS = 10
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
LINK = re.compile(r"https?://[^\s\"<>]+/(?:link|not-you)/([A-Za-z0-9_-]{43})")


class Overheard:
    """All that goes in and out of a Redis."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port))
        self._line.sendall(b"MONITOR\r\n")
        self.text = ""
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()

    def stop(self) -> str:
        self._line.shutdown(socket.SHUT_RDWR)
        self._ear.join(TEN_SECONDS)
        self._line.close()
        return self.text

    def _listen(self) -> None:
        while heard := self._line.recv(65536):
            self.text += heard.decode(errors="replace")


def until(smtp: SmtpServer, what: str, count: int = 1) -> str:
    """-> the newest message whose subject has these words, once there are so many of them."""
    end = time.monotonic() + 3 * TEN_SECONDS
    while True:
        found = [each for each in list(smtp.received) if what in each.subject]
        if len(found) >= count:
            return found[-1].text
        assert time.monotonic() < end, f"{len(found)} of {count}: {what}"
        time.sleep(0.05)


def code_in(text: str) -> str:
    found = CODE.search(text)
    assert found
    return found[0]


def a_life(portal: Server, smtp: SmtpServer, gateway: Gateway) -> tuple[set[str], list[str]]:
    """-> every secret that there was, and every page that was shown on the way."""
    pages: list[str] = []

    def step(path: str, **fields: str) -> str:
        canary.open(path)
        answer = canary.send(path, **fields)
        pages.append(answer.text)
        return answer.location or ""

    canary = Caller(portal.url)
    both = {"password": PASSWORD, "confirm_password": PASSWORD}
    smtp.refuse(f"450 4.2.1 <{EMAIL}> is busy, said <{EMAIL}>", "RCPT", times=2)
    step("/sign-up", full_name="Canary Bird", email=EMAIL, **both)
    proof = until(smtp, "Confirm your email")
    step("/sign-up/code", code=code_in(proof))
    step("/security/phone", phone=PHONE)
    gateway.wait_for(1, 3 * TEN_SECONDS)
    step("/security/phone/code", code=code_in(gateway.posted[-1].body["text"]))
    canary = Caller(portal.url)
    step("/sign-in", email=EMAIL, password=WRONG)
    step("/recover", identifier=EMAIL)
    recovery = until(smtp, "Get back into")
    step("/recover/code", code="000000")
    assert step("/recover/code", code=code_in(recovery)) == "/auth/password-reset"
    new = {"password": NEXT, "confirm_password": NEXT}
    assert step("/auth/password-reset", **new) == "/sign-in"
    changed = until(smtp, "password is changed")
    assert step("/sign-in", email=EMAIL, password=NEXT) == "/profile"
    device = until(smtp, "New sign-in")
    canary = Caller(portal.url)
    gateway.answer(503, times=1)
    step("/recover", identifier=PHONE)
    gateway.wait_for(3, 3 * TEN_SECONDS)
    sms = gateway.posted[-1].body["text"]
    for path in ("/recover/link/" + "x" * 43, "/nothing-here", "/security/messages"):
        pages.append(canary.open(path).text)
    secrets = {code_in(text) for text in (proof, recovery, sms)}
    secrets |= {code_in(each.body["text"]) for each in gateway.posted}
    links = [
        match[1] for text in (proof, recovery, changed, device) for match in LINK.finditer(text)
    ]
    assert len(links) >= 4
    return secrets | set(links) | {PASSWORD, NEXT, WRONG}, pages


def tables(file: str) -> dict[str, str]:
    """What each table holds, as text."""
    with sqlite3.connect(file) as database:
        names = [
            n for (n,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        return {name: str(database.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names}  # noqa: S608


@pytest.fixture
def remains(tmp_path, redis_server):
    """-> the secrets, and all places where traces of them could be."""
    settings = {"REDIS_URL": redis_server.url, "EMAIL_TIMEOUT_SECONDS": "2"}
    with SmtpServer() as smtp, Gateway() as gateway:
        settings |= smtp.settings() | gateway.sms_settings() | {"SSL_CERT_FILE": smtp.ca_file}
        ear = Overheard(redis_server.port)
        with Server(tmp_path, **settings) as portal:
            worker = CeleryWorker(portal.environment, tmp_path / "worker.log")
            with worker:
                secrets, pages = a_life(portal, smtp, gateway)
                time.sleep(1)  # the last rows are written down
                worker.stop()
            portal.stop()
        places = {"web log": portal.log(), "worker log": worker.log(), "Redis": ear.stop()}
        kept = {f"table {name}": text for name, text in tables(str(tmp_path / "portal.db")).items()}
        shown = {f"page {number}": text for number, text in enumerate(pages)}
    return secrets, places, kept, shown


def test_log_02_canary_no_secret_is_where_it_could_be_read(remains):
    secrets, places, kept, shown = remains
    assert "latchkey.deliver" in places["Redis"]
    assert "later 450 4.2.1" in places["worker log"]
    assert "GET /recover/link/<string:token>" in places["web log"]
    found = [
        f"{name}: a secret of {len(secret)} characters"
        for name, text in (places | kept | shown).items()
        for secret in secrets
        if re.search(rf"(?<![0-9]){re.escape(secret)}(?![0-9])", text)
    ]
    assert found == []
    readable = places | {"table outbox": kept["table outbox"], "table event": kept["table event"]}
    personal = [EMAIL, PHONE, EMAIL.partition("@")[0]]
    assert [
        (name, each) for name, text in readable.items() for each in personal if each in text
    ] == []
    assert EMAIL in kept["table person"]
