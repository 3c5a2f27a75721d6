"""The mail server of the tests is a real one: smtplib gets what a provider would give it."""

import smtplib
import ssl
import time
from email.message import EmailMessage

import pytest

from tests.rigs.smtp import PASSWORD, USER, SmtpServer


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
