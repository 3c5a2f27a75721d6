"""The mail server of the tests is a real one: smtplib gets what a provider would give it."""

import json
import smtplib
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from portal.core import clock
from tests.rigs.smtp import PASSWORD, USER, SmtpServer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server():
    with SmtpServer() as server:
        yield server


def letter():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = USER, "ann@example.org", "Hello"
    message.set_content("plain words\n")
    message.add_alternative("<p>words</p>", subtype="html")
    return message


def connect(server, timeout=5):
    trust = ssl.create_default_context(cafile=server.ca_file)
    return smtplib.SMTP_SSL("localhost", server.port, timeout=timeout, context=trust)


def plain(server):
    return smtplib.SMTP("localhost", server.port, timeout=5)


def signed_in(server, timeout=5):
    client = connect(server, timeout)
    client.login(USER, PASSWORD)
    return client


def test_a_message_arrives_over_tls_with_its_envelope(server):
    with signed_in(server) as client:
        client.send_message(letter())
    (got,) = server.wait_for(1)
    assert (got.sender, got.to, got.user, got.tls) == (USER, ("ann@example.org",), USER, "implicit")
    assert (got.subject, got.text, got.html) == ("Hello", "plain words\r\n", "<p>words</p>\r\n")


def test_a_wrong_password_is_refused_with_an_answer(server):
    with connect(server) as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(USER, "wrong")


def test_nothing_is_taken_without_signing_in(server):
    with connect(server) as client, pytest.raises(smtplib.SMTPSenderRefused, match="530"):
        client.send_message(letter())


def test_a_certificate_of_strangers_is_not_trusted(server):
    strict = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        smtplib.SMTP_SSL("localhost", server.port, timeout=5, context=strict)


def test_it_refuses_for_now_and_then_takes_the_message(server):
    server.refuse("451 4.3.0 Try again later", at="DATA", times=1)
    with signed_in(server) as client:
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            client.send_message(letter())
        client.send_message(letter())
    assert len(server.wait_for(1)) == 1


def test_it_refuses_a_person_for_good(server):
    server.refuse()
    with signed_in(server) as client:
        for _ in range(2):
            with pytest.raises(smtplib.SMTPRecipientsRefused, match="550"):
                client.send_message(letter())
    assert server.received == []


def test_it_hangs_as_long_as_told(server):
    server.hang(0.6, at="DATA")
    with signed_in(server, timeout=0.2) as client, pytest.raises(OSError, match="timed out"):
        client.send_message(letter())


def test_asking_without_a_message_is_seen(server):
    with signed_in(server) as client:
        client.noop()
    assert server.commands == ["NOOP"]
    assert server.connections == 1


def test_a_stopped_server_refuses_connections_and_comes_back(server):
    server.stop()
    with pytest.raises(OSError, match="refused"):
        connect(server)
    server.start()
    with signed_in(server) as client:
        client.send_message(letter())
    assert server.wait_for(1)


def test_starttls_is_demanded_before_anything_else():
    with SmtpServer("starttls") as server, plain(server) as client:
        with pytest.raises(smtplib.SMTPException, match="STARTTLS"):
            client.send_message(letter())
        client.starttls(context=ssl.create_default_context(cafile=server.ca_file))
        client.login(USER, PASSWORD)
        client.send_message(letter())
        assert server.wait_for(1)[0].tls == "starttls"


def test_aplain_server_without_accounts_takes_everything():
    with SmtpServer("none", auth=False) as server:
        with plain(server) as client:
            client.send_message(letter())
        assert server.wait_for(1)[0].user is None


def test_a_message_that_does_not_come_is_missed(server):
    start = time.monotonic()
    with pytest.raises(AssertionError, match="0 of 1"):
        server.wait_for(1, seconds=0.2)
    assert time.monotonic() - start < 2


@pytest.fixture
def open_server():
    """Without TLS and accounts: for moods, which know neither."""
    with SmtpServer("none", auth=False) as server:
        yield server


def sent(server, to="ann@example.org"):
    """Hands a message over and says nothing of what comes of it."""
    message = letter()
    message.replace_header("To", to)
    with plain(server) as client:
        client.send_message(message)


def test_it_drops_the_line_without_an_answer_and_without_the_message(open_server):
    open_server.drop()
    with pytest.raises(smtplib.SMTPServerDisconnected):
        sent(open_server)
    assert open_server.received == []
    sent(open_server)
    assert len(open_server.received) == 1


def test_it_keeps_a_message_and_drops_the_line(open_server):
    open_server.drop(keep=True)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        sent(open_server)
    assert len(open_server.received) == 1


def test_it_keeps_each_recipient_waiting_on_their_own(open_server):
    open_server.greylist(tries=1)
    for to in "ann@example.org", "bob@example.org":
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="451"):
            sent(open_server, to)
        sent(open_server, to)
    assert [message.to for message in open_server.received] == [
        ("ann@example.org",), ("bob@example.org",),
    ]  # fmt: skip


@pytest.mark.parametrize("at, error", [
    ("CONNECT", smtplib.SMTPConnectError),
    ("EHLO", smtplib.SMTPHeloError),
    ("MAIL", smtplib.SMTPSenderRefused),
    ("RCPT", smtplib.SMTPRecipientsRefused),
    ("DATA", smtplib.SMTPDataError),
])  # fmt: skip
def test_it_refuses_at_any_step(open_server, at, error):
    open_server.refuse("421 4.3.2 Not now", at=at)
    with pytest.raises(error, match="421"):
        sent(open_server)
    open_server.clear()
    sent(open_server)


def test_it_refuses_to_let_in_whoever_has_the_right_password(server):
    server.refuse("454 4.7.0 Not now", at="AUTH")
    with (
        connect(server) as client,
        pytest.raises(smtplib.SMTPAuthenticationError, match="454"),
    ):
        client.login(USER, PASSWORD)


def test_its_certificate_can_be_for_another_name():
    strangers = pytest.raises(ssl.SSLCertVerificationError, match="localhost")
    with SmtpServer(names=("mail.example.org",)) as server, strangers:
        connect(server)


def test_it_hangs_up_on_everybody(open_server):
    with plain(open_server) as client:
        client.noop()
        open_server.hang_up()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


def test_it_can_take_its_time_over_each_message():
    with SmtpServer("none", auth=False, latency=0.2) as server:
        start = time.monotonic()
        sent(server)
        assert 0.2 <= time.monotonic() - start < 1


@contextmanager
def in_a_process(*arguments):
    """-> what it says on its first line; ends it."""
    command = [sys.executable, "-m", "tests.rigs.smtp", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("tls", ["none", "implicit", "starttls"])
def test_in_a_process_of_its_own_it_writes_down_what_it_took(tmp_path, tls):
    record, message = tmp_path / "taken.jsonl", letter()
    message["Message-ID"] = "<1@example.org>"
    message.clear_content()
    message.set_content("your code:\n012345\n")
    with in_a_process("--record", record, "--tls", tls) as where:
        trust = ssl.create_default_context(cafile=where["ca_file"])
        more = {"context": trust} if tls == "implicit" else {}
        kind = smtplib.SMTP_SSL if tls == "implicit" else smtplib.SMTP
        with kind("localhost", where["port"], timeout=5, **more) as client:
            if tls == "starttls":
                client.starttls(context=trust)
            for each in letter(), message:
                client.send_message(each)
            lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line.keys() for line in lines] == [{"to", "id", "code", "subject", "at"}] * 2
    assert (lines[0]["code"], lines[1]["code"]) == (None, "012345")
    assert (lines[1]["to"], lines[1]["id"]) == ("ann@example.org", "<1@example.org>")
    assert abs(lines[1]["at"] - clock.now().timestamp()) < 10
