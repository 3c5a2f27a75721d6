"""Mail over a real SMTP server: what arrives, where its links lead, and that no crash loses it."""

import http.client
import re
import sqlite3
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from portal.core import clock
from tests.journeys import steps
from tests.journeys.steps import Mouse
from tests.rigs.server import Server
from tests.rigs.smtp import SmtpServer

pytestmark = pytest.mark.journey

PASSWORD, NEXT_PASSWORD = "copper lantern tuesday", "wooden planet friday"
FROM = "portal@latchkey.example"
SIX_DIGITS = re.compile(r"(?<!\d)\d{6}(?!\d)")
ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
PATIENCE = 30  # seconds a message may take on a busy machine
LATER = "451 4.3.0 Try again later"


class Eavesdropper(SmtpServer):
    """Also remembers what it was given and refused."""

    def __init__(self) -> None:
        super().__init__()
        self.overheard: list[str] = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.overheard.append(envelope.content.decode())
        return await super().handle_DATA(server, session, envelope)


@contextmanager
def _portal(folder, smtp, **more):
    settings = smtp.settings() | {"SSL_CERT_FILE": smtp.ca_file, "EMAIL_FROM": FROM}
    with Server(folder, **settings | more) as portal:
        yield portal


def test_the_main_job_over_smtp_with_tls_and_a_password(chromium_browser, tmp_path):
    email = "sana@example.org"
    with SmtpServer() as smtp, _portal(tmp_path, smtp) as portal:
        with chromium_browser.open(portal.url) as tab:
            sana = Mouse(tab)
            steps.sign_up(sana, "Sana Iqbal", email, PASSWORD)
            (proof,) = smtp.wait_for(1, PATIENCE)
            steps.type_code(sana, _code(proof))
            sana.sees("Your profile")
            steps.ask_to_get_back_in(sana, email)
            letter = smtp.wait_for(2, PATIENCE)[1]
            steps.type_code(sana, _code(letter))
            sana.sees("Choose a new password")
            steps.choose_password(sana, NEXT_PASSWORD)
            notice = smtp.wait_for(3, PATIENCE)[2]
        for received, secret in ((proof, True), (letter, True), (notice, False)):
            assert (received.sender, received.to, received.tls) == (FROM, (email,), "implicit")
            assert received.user == smtp.user
            _is_well_made(received, portal.url, secret)
        assert len({received.message["Message-ID"] for received in smtp.received}) == 3
        _leaves_no_trace(portal, [_code(proof), _code(letter), *_tokens(proof), *_tokens(letter)])


def _is_well_made(received, site, secret):
    message = received.message
    assert message.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert abs(parsedate_to_datetime(message["Date"]) - clock.now()).total_seconds() < 120
    assert re.fullmatch(r"<\S+@\S+>", message["Message-ID"])
    assert not [name for name, text in message.items() if SIX_DIGITS.search(text)]
    links = {link.rstrip(".,") for link in ADDRESS.findall(received.text + received.html)}
    assert {link for link in links if not (link == site or link.startswith(f"{site}/"))} == set()
    assert len(SIX_DIGITS.findall(received.text)) == (1 if secret else 0)
    on_lines = [line for line in received.text.splitlines() if "://" in line]
    assert on_lines
    assert all(ADDRESS.fullmatch(line) for line in on_lines)


def _leaves_no_trace(portal, secrets):
    """Neither in what the process printed nor in any file of the database."""
    files = [portal.log().encode(), *(file.read_bytes() for file in portal.folder.glob("*.db*"))]
    assert not [secret for secret in secrets for file in files if secret.encode() in file]


@pytest.mark.parametrize("tls", ["starttls", "none"])
def test_other_ways_to_a_mail_server(chromium_browser, tmp_path, tls):
    with SmtpServer(tls, auth=tls != "none") as smtp, _portal(tmp_path, smtp) as portal:
        with chromium_browser.open(portal.url) as tab:
            steps.sign_up(Mouse(tab), "Sana Iqbal", "sana@example.org", PASSWORD)
            (proof,) = smtp.wait_for(1, PATIENCE)
            steps.type_code(Mouse(tab), _code(proof))
            Mouse(tab).sees("Your profile")
        assert proof.tls == (tls if tls == "starttls" else None)


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_mail_server_that_cannot_prove_its_name_gets_nothing(chromium_browser, tmp_path, tls):
    with SmtpServer(tls) as smtp, _portal(tmp_path, smtp, SSL_CERT_FILE="") as portal:
        with chromium_browser.open(portal.url) as tab:
            steps.sign_up(Mouse(tab), "Sana Iqbal", "sana@example.org", PASSWORD)
            _until(lambda: ": certificate;" in portal.log())
        assert (smtp.received, smtp.commands) == ([], [])


def test_a_foreign_host_name_is_refused_and_a_claimed_one_changes_nothing(
    chromium_browser, tmp_path
):
    with (
        SmtpServer() as smtp,
        _portal(tmp_path, smtp) as portal,
        chromium_browser.open(portal.url) as tab,
    ):
        steps.sign_up(Mouse(tab), "Sana Iqbal", "sana@example.org", PASSWORD)
        smtp.wait_for(1, PATIENCE)
        tab.goto("/recover")
        before = _rows(portal)
        assert _ask(tab, portal, {"Host": "evil.example"}) == (400, None)
        assert _rows(portal) == before
        claims = {"X-Forwarded-Host": "evil.example", "X-Original-Host": "evil.example"}
        claims |= {"Forwarded": "host=evil.example;proto=https", "X-Forwarded-Proto": "https"}
        assert _ask(tab, portal, claims) == (303, "/recover/code")
        letter = smtp.wait_for(2, PATIENCE)[1]
        assert [link for link in ADDRESS.findall(letter.text) if portal.url not in link] == []
        assert b"evil" not in letter.raw
        assert len(smtp.received) == 2


def _ask(tab, portal, headers):
    """The form that the tab shows, sent with these headers.  -> status and Location."""
    form = {"identifier": "sana@example.org"}
    form["csrf_token"] = tab.page.locator("[name=csrf_token]").first.input_value()
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in tab.page.context.cookies())
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookies}
    line = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=PATIENCE)
    line.request("POST", "/recover", urlencode(form), {**kind, **headers})
    answer = line.getresponse()
    line.close()
    return answer.status, answer.headers.get("Location")


def _rows(portal):
    with _database(portal) as database:
        names = "outbox", "challenge", "otp", "event", "throttle"
        return [database.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names]  # noqa: S608


@contextmanager
def _database(portal):
    database = sqlite3.connect(portal.folder / "portal.db", timeout=PATIENCE)
    try:
        with database:
            yield database
    finally:
        database.close()


def test_a_message_outlives_a_crash_while_the_mail_server_refuses(chromium_browser, tmp_path):
    with (
        SmtpServer() as smtp,
        _portal(tmp_path, smtp) as portal,
        chromium_browser.open(portal.url) as tab,
    ):
        sana = _with_an_account(tab, smtp)
        smtp.refuse(LATER, at="MAIL")
        steps.ask_to_get_back_in(sana, "sana@example.org")
        _until(lambda: sum(each.startswith("MAIL") for each in smtp.commands) > 1)
        assert _status(tab)["state"] == "waiting"
        _crashes(portal, tab)
        smtp.clear()
        portal.start()
        _arrives_and_works(sana, smtp)


def test_a_message_outlives_a_crash_in_the_middle_of_its_hand_over(chromium_browser, tmp_path):
    with (
        SmtpServer() as smtp,
        _portal(tmp_path, smtp) as portal,
        chromium_browser.open(portal.url) as tab,
    ):
        sana = _with_an_account(tab, smtp)
        smtp.hang(5, at="MAIL")
        steps.ask_to_get_back_in(sana, "sana@example.org")
        _until(lambda: any(each.startswith("MAIL") for each in smtp.commands))
        _crashes(portal, tab)
        smtp.clear()
        portal.start()
        _arrives_and_works(sana, smtp)


def _crashes(portal, tab):
    """While nobody looks: a page that asks whether the message has left would miss the answer."""
    tab.page.goto("about:blank")
    portal.kill()


def _arrives_and_works(sana, smtp):
    (letter,) = smtp.wait_for(1, PATIENCE)
    sana.tab.goto("/recover/code")
    expect(sana.page.locator(".count")).to_be_visible()
    since = time.monotonic() - letter.at
    assert _status(sana.tab)["seconds_left"] == pytest.approx(30 - since, abs=2)
    steps.type_code(sana, _code(letter))
    sana.sees("Choose a new password")
    assert len(smtp.received) == 1


def test_the_code_of_a_refused_message_is_worth_nothing(chromium_browser, tmp_path):
    with (
        Eavesdropper() as smtp,
        _portal(tmp_path, smtp) as portal,
        chromium_browser.open(portal.url) as tab,
    ):
        sana = _with_an_account(tab, smtp)
        smtp.refuse(LATER, at="DATA")
        steps.ask_to_get_back_in(sana, "sana@example.org")
        _until(lambda: "later 451" in portal.log())
        code = SIX_DIGITS.search(smtp.overheard[1].partition("\n\n")[2] or smtp.overheard[1])
        steps.type_code(sana, code[0])
        sana.sees("Check your email")
        expect(tab.page.locator("#code-error")).to_contain_text("That code is not right.")
        smtp.clear()
        (letter,) = smtp.wait_for(1, PATIENCE)
        steps.type_code(sana, _code(letter))
        sana.sees("Choose a new password")


def test_an_address_without_an_account_waits_as_long_and_gets_nothing(chromium_browser, tmp_path):
    with (
        SmtpServer() as smtp,
        _portal(tmp_path, smtp) as portal,
        chromium_browser.open(portal.url) as tab,
    ):
        smtp.refuse(LATER, at="NOOP")
        steps.ask_to_get_back_in(Mouse(tab), "nobody@example.org")
        _until(lambda: "later 451" in portal.log())
        assert _status(tab)["state"] == "waiting"
        assert tab.axe() == []
        smtp.clear()
        expect(tab.page.locator(".count")).to_be_visible(timeout=PATIENCE * 1000)
        assert _status(tab)["state"] == "sent"
        assert smtp.received == []


def _with_an_account(tab, smtp):
    """Somebody whose address is proven, at the desk of a mail server that has forgotten it."""
    hands = Mouse(tab)
    steps.sign_up(hands, "Sana Iqbal", "sana@example.org", PASSWORD)
    steps.type_code(hands, _code(smtp.wait_for(1, PATIENCE)[0]))
    hands.sees("Your profile")
    hands.send("Sign out")
    return hands


def _status(tab):
    return tab.page.request.get(f"{tab.site}/recover/status").json()


def _code(received):
    return SIX_DIGITS.findall(received.text)[0]


def _tokens(received):
    return re.findall(r"/link/(\S+)", received.text)


def _until(fact):
    """Returns once it is one.  Raises AssertionError when that takes too long."""
    end = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < end, "It did not come to that."
        time.sleep(0.05)
