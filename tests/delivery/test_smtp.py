"""Mail by SMTP, against a real server: what arrives, on which connection, and what goes wrong."""

import os
import re
import socket
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest

from portal.core import clock
from portal.delivery import transports
from portal.delivery.outcomes import NotAccepted
from portal.delivery.parcels import EMAIL, Parcel
from portal.delivery.transports import keeping, mime
from tests.delivery.conftest import outcome
from tests.rigs.smtp import PASSWORD, USER, SmtpServer, free_port

LATER, FULL = "451 4.3.0 Try again later", "421 4.3.2 Closing, see you later"
TEXT = "Your code, für Ann:\n123456\nhttps://portal.example/recover/link/" + "x" * 90 + "\n"
LETTER = Parcel("outbox-7.20261121", EMAIL, "ann@example.org", "Back in – Ann", TEXT, "<p>é</p>\n")
QUICK = {"EMAIL_TIMEOUT_SECONDS": "1"}


@pytest.fixture
def server():
    with SmtpServer("none", auth=False) as server:
        yield server
        transports.rest()


@pytest.fixture
def sending(through):
    """sending(server, EMAIL_FROM="...") -> from now on, messages go through this server."""
    return lambda server, **more: through(**server.settings() | more)


def refused(act=lambda: transports.send(LETTER)):
    return outcome(act)


def ask():
    return transports.ask(EMAIL)


class TestWhatArrives:
    def test_headers_and_both_texts(self, server, sending):
        sending(server, EMAIL_FROM="portal@latchkey.example")
        transports.send(LETTER)
        [got] = server.wait_for(1)
        mail = got.message
        assert (got.sender, got.to) == ("portal@latchkey.example", ("ann@example.org",))
        assert mail["From"] == "Latchkey account <portal@latchkey.example>"
        assert mail["To"] == "ann@example.org"
        assert mail["Subject"] == "Back in – Ann"
        assert mail["Message-ID"] == "<outbox-7.20261121@127.0.0.1>"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Precedence"] is None
        assert abs(parsedate_to_datetime(mail["Date"]) - clock.now()).total_seconds() < 60
        assert [part.get_content_type() for part in mail.walk()] == [
            "multipart/alternative", "text/plain", "text/html",
        ]  # fmt: skip
        assert (got.text, got.html) == (TEXT.replace("\n", "\r\n"), "<p>é</p>\r\n")

    def test_nothing_in_a_header_looks_like_a_code(self, sending, server):
        sending(server)
        heads = [mime.written(LETTER).partition(b"\r\n\r\n")[0] for _ in range(50)]
        assert not [head for head in heads if re.search(rb"(?<!\d)\d{6}(?!\d)", head)]

    def test_a_raw_view_can_be_read(self, server, sending):
        sending(server)
        transports.send(LETTER)
        raw = server.wait_for(1)[0].raw.decode("ascii")
        assert "\r\n123456\r\n" in raw
        assert "base64" not in raw.lower()
        assert max(map(len, raw.splitlines())) <= 78

    @pytest.mark.parametrize(
        "text", ["=20 = =3D\n", "ends \nin\t\n", "ü" * 200 + "\n", "\n\n-- \n"]
    )
    def test_every_text_arrives_as_it_was_written(self, server, sending, text):
        sending(server)
        transports.send(replace(LETTER, text=text, html=text))
        [got] = server.wait_for(1)
        assert (got.text, got.html) == (text.replace("\n", "\r\n"),) * 2
        assert got.message.defects == []

    @pytest.mark.parametrize("given, shown", [
        ("x@example.org", "Latchkey account <x@example.org>"),
        ("Ann's desk <x@example.org>", "Ann's desk <x@example.org>"),
        ('"Desk, first" <x@example.org>', '"Desk, first" <x@example.org>'),
    ])  # fmt: skip
    def test_the_sender_may_have_a_name_of_its_own(self, server, sending, given, shown):
        sending(server, EMAIL_FROM=given)
        transports.send(LETTER)
        [got] = server.wait_for(1)
        assert (str(got.message["From"]), got.sender) == (shown, "x@example.org")

    def test_a_message_without_html_is_one_text(self, server, sending):
        sending(server)
        transports.send(replace(LETTER, html=None))
        assert server.wait_for(1)[0].message.get_content_type() == "text/plain"

    def test_the_longest_address_arrives_whole(self, server, sending):
        sending(server)
        longest = f"{'l' * 64}@{'.'.join(['d' * 60] * 3)}.example"[:254]
        transports.send(replace(LETTER, to=longest))
        [got] = server.wait_for(1)
        assert (got.to, str(got.message["To"])) == ((longest,), longest)

    def test_lines_that_begin_with_a_dot_arrive_whole(self, server, sending):
        sending(server)
        transports.send(replace(LETTER, text=".\n..two\nend\n"))
        assert server.wait_for(1)[0].text == ".\r\n..two\r\nend\r\n"

    def test_a_host_name_in_other_letters_is_told_in_ascii(self, server, sending):
        sending(server, PUBLIC_URL="http://büro.localhost")
        transports.send(LETTER)
        [got] = server.wait_for(1)
        assert got.greeting == "xn--bro-hoa.localhost"
        assert got.message["Message-ID"].endswith("@xn--bro-hoa.localhost>")
        assert got.sender == "no-reply@xn--bro-hoa.localhost"

    def test_a_host_that_is_a_number_is_told_in_brackets(self, server, sending):
        sending(server, PUBLIC_URL="http://127.0.0.1:8000")
        transports.send(LETTER)
        assert server.wait_for(1)[0].greeting == "[127.0.0.1]"

    @pytest.mark.parametrize("to", ["", "no address", "ann@example.org\r\nBcc: eve@example.org"])
    def test_what_is_no_address_is_not_sent(self, server, sending, to):
        sending(server)
        why, _name, marks = refused(lambda: transports.send(replace(LETTER, to=to)))
        assert (why, marks) == ("broken", {"walked", "for_good"})
        assert (server.received, server.commands[1:]) == ([], [])


class TestTheWay:
    @pytest.mark.parametrize("tls", ["implicit", "starttls"])
    def test_is_encrypted_and_signed_in_as_configured(self, sending, monkeypatch, tls):
        with SmtpServer(tls) as server:
            monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)
            sending(server)
            transports.send(LETTER)
            [got] = server.wait_for(1)
            assert (got.tls, got.user) == (tls, USER)

    @pytest.mark.parametrize("tls", ["implicit", "starttls"])
    def test_ends_at_a_certificate_of_strangers(self, sending, tls):
        with SmtpServer(tls) as server:
            sending(server)
            assert refused() == refused(ask) == ("certificate", "", {"fault"})
            assert server.commands == []

    @pytest.mark.parametrize("tls", ["implicit", "starttls"])
    def test_ends_at_a_certificate_for_another_name(self, sending, monkeypatch, tls):
        with SmtpServer(tls, names=("mail.example.org",)) as server:
            monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)
            sending(server)
            assert refused() == ("certificate", "", {"fault"})

    def test_ends_where_encryption_was_promised_and_is_not_offered(self, server, sending):
        sending(server, EMAIL_USE_TLS="1")
        assert refused() == refused(ask) == ("certificate", "", {"fault"})
        assert server.commands == []

    def test_ends_where_nobody_listens(self, server, sending):
        sending(server, EMAIL_PORT=str(free_port()))
        assert refused() == refused(ask) == ("unreachable", "", {"fault"})

    def test_ends_where_no_such_name_exists(self, server, sending):
        sending(server, EMAIL_HOST="mail.invalid")
        assert refused() == ("unreachable", "", {"fault"})
        sending(server, EMAIL_HOST="." * 5)
        assert refused() == ("unreachable", "", {"fault"})

    def test_ends_where_tls_meets_plain_text(self, server, sending):
        sending(server, EMAIL_USE_SSL="1")
        assert refused() == ("unreachable", "", {"fault"})

    def test_ends_at_a_server_that_does_not_greet(self, server, sending):
        sending(server, **QUICK)
        server.hang(3, at="CONNECT")
        assert refused() == ("unreachable", "", {"fault"})
        server.drop(at="CONNECT")
        assert refused() == ("unreachable", "", {"fault"})
        server.refuse("554 5.3.2 No service", at="CONNECT", times=1)
        assert refused() == ("refused", "554 5.3.2", {"fault"})

    def test_ends_at_a_wrong_password(self, sending, monkeypatch):
        with SmtpServer() as server:
            monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)
            sending(server, EMAIL_HOST_PASSWORD="wrong")
            assert refused() == refused(ask) == ("sign-in", "535 5.7.8", {"fault"})

    @pytest.mark.parametrize("password", ["pässword", "new\nline"])
    def test_ends_at_a_password_that_smtp_cannot_say(self, sending, monkeypatch, password):
        with SmtpServer() as server:
            monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)
            sending(server, EMAIL_HOST_PASSWORD=password)
            assert refused()[::2] == ("sign-in", {"fault"})

    def test_ends_where_nobody_can_sign_in(self, server, sending, monkeypatch):
        sending(server, EMAIL_HOST_USER=USER, EMAIL_HOST_PASSWORD=PASSWORD)
        server.refuse("502 5.5.1 No such command", at="AUTH")
        assert refused() == ("sign-in", "502 5.5.1", {"fault"})
        server.drop(at="AUTH")
        assert refused() == ("dropped", "", {"fault"})


@pytest.mark.parametrize("act", [lambda: transports.send(LETTER), ask], ids=["send", "ask"])
@pytest.mark.parametrize("at", ["EHLO", "MAIL"])
@pytest.mark.parametrize("reply, outcome", [
    (LATER, ("later", "451 4.3.0", {"fault"})),
    ("550 5.7.1 <portal@example.org> may not", ("refused", "550 5.7.1", {"fault"})),
    ("550 go away", ("refused", "550", {"fault"})),
])  # fmt: skip
def test_a_refusal_before_the_recipient_is_met_by_nobody_too(
    server, sending, act, at, reply, outcome
):
    sending(server)
    server.refuse(reply, at=at)
    assert refused(act) == outcome


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
@pytest.mark.parametrize("reply, outcome", [
    (FULL, ("later", "421 4.3.2", {"walked", "fault"})),
    (LATER, ("later", "451 4.3.0", {"walked"})),
    ("450 busy", ("later", "450", {"walked"})),
    ("550 5.1.1 <ann@example.org>: unknown", ("refused", "550 5.1.1", {"walked", "for_good"})),
    ("999 odd", ("refused", "999", {"walked", "for_good"})),
    ("what?", ("later", "-1", {"walked", "fault"})),
])  # fmt: skip
def test_a_refusal_of_this_message_says_whose_fault_it_is(server, sending, at, reply, outcome):
    sending(server)
    server.refuse(reply, at=at, times=1)
    assert refused() == outcome
    transports.send(LETTER)
    assert len(server.received) == 1
    assert ask() is True


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_a_line_that_ends_in_the_middle_is_dropped(server, sending, at):
    sending(server)
    server.drop(at=at)
    assert refused() == ("dropped", "", {"walked", "fault"})
    assert server.received == []
    transports.send(LETTER)


def test_a_message_whose_acceptance_was_not_heard_is_dropped_though_it_arrived(server, sending):
    sending(server)
    server.drop(keep=True)
    assert refused() == ("dropped", "", {"walked", "fault"})
    assert len(server.received) == 1


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
def test_a_server_that_hangs_is_left_after_the_time_for_one_step(server, sending, at):
    sending(server, **QUICK)
    server.hang(3, at=at)
    start = time.monotonic()
    assert refused() == ("dropped", "", {"walked", "fault"})
    assert 0.9 < time.monotonic() - start < 2


def test_a_reply_that_drips_is_left_after_the_same_time(make_app):
    """Each byte comes in time, and would go on for an hour."""

    def drip(listener):
        line, _address = listener.accept()
        with line, suppress(OSError):
            for byte in b"220-well\r\n" * 10:
                line.send(bytes([byte]))
                time.sleep(0.1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=[listener], daemon=True).start()
        port = {"EMAIL_PORT": str(listener.getsockname()[1]), "EMAIL_USE_SSL": "0"}
        app = make_app(EMAIL_BACKEND="smtp", EMAIL_HOST="127.0.0.1", **port, **QUICK)
        start = time.monotonic()
        with app.app_context():
            assert refused() == ("unreachable", "", {"fault"})
        assert 0.9 < time.monotonic() - start < 2


def test_greylisting_passes(server, sending):
    sending(server)
    server.greylist(tries=2)
    for _ in range(2):
        assert refused() == ("later", "451 4.7.1", {"walked"})
    transports.send(LETTER)


def test_what_a_server_says_of_an_address_is_nowhere_in_the_outcome(server, sending):
    sending(server)
    server.refuse("550 5.1.1 <ann@example.org>: no such person")
    with pytest.raises(NotAccepted) as caught:
        transports.send(LETTER)
    assert "ann@" not in "".join(traceback.format_exception(caught.value))


class TestAsking:
    def test_walks_the_way_of_a_message_without_a_recipient(self, server, sending):
        sending(server, EMAIL_FROM="portal@latchkey.example")
        assert ask() is True
        assert server.commands == ["NOOP", "MAIL portal@latchkey.example", "RSET"]
        assert server.received == []

    @pytest.mark.parametrize("at", ["NOOP", "RSET"])
    def test_notices_what_a_message_would_notice(self, server, sending, at):
        sending(server)
        server.refuse(LATER, at=at)
        assert refused(ask) == ("later", "451 4.3.0", {"fault"})

    def test_takes_the_connection_that_messages_take(self, server, sending):
        sending(server)
        transports.send(LETTER)
        ask()
        transports.send(LETTER)
        assert server.connections == 1
        assert len(server.received) == 2


class TestKeptConnections:
    def test_many_messages_share_one(self, server, sending):
        sending(server)
        for _ in range(keeping.MOST_USES):
            transports.send(LETTER)
        assert server.connections == 1
        transports.send(LETTER)
        assert server.connections == 2

    def test_a_message_costs_no_step_more_than_it_must(self, server, sending):
        sending(server)
        transports.send(LETTER)
        server.commands.clear()
        transports.send(LETTER)
        assert [each.split()[0] for each in server.commands] == ["MAIL", "RCPT", "DATA"]

    def test_one_that_the_server_closed_is_replaced_in_silence(self, server, sending):
        sending(server)
        for act in lambda: transports.send(LETTER), ask:
            transports.send(LETTER)
            server.hang_up()
            act()
        assert len(server.received) == 3

    def test_one_that_the_server_says_goodbye_on_is_replaced_in_silence(self, server, sending):
        sending(server)
        transports.send(LETTER)
        server.refuse(FULL, at="MAIL", times=1)
        transports.send(LETTER)
        assert (server.connections, len(server.received)) == (2, 2)

    def test_one_that_lost_its_server_is_replaced_after_a_restart(self, server, sending):
        sending(server)
        transports.send(LETTER)
        server.stop()
        assert refused() == ("unreachable", "", {"fault"})
        server.start()
        transports.send(LETTER)

    def test_it_is_replaced_once_and_not_again(self, server, sending):
        sending(server)
        transports.send(LETTER)
        server.drop(at="MAIL", times=2)
        assert refused() == ("dropped", "", {"fault"})
        assert len(server.received) == 1

    def test_a_true_refusal_on_one_is_no_reason_for_another(self, server, sending):
        sending(server)
        transports.send(LETTER)
        server.refuse("550 5.7.1 Not you", at="MAIL", times=1)
        assert refused() == ("refused", "550 5.7.1", {"fault"})
        assert server.connections == 1

    def test_one_that_nobody_used_for_a_while_is_not_used_again(self, server, sending, monkeypatch):
        sending(server)
        transports.send(LETTER)
        monkeypatch.setattr(keeping, "IDLE_SECONDS", 0.05)
        time.sleep(0.1)
        transports.send(LETTER)
        assert server.connections == 2

    def test_resting_says_goodbye(self, server, sending):
        sending(server)
        transports.send(LETTER)
        transports.rest()
        transports.rest()
        transports.send(LETTER)
        assert server.connections == 2

    def test_other_settings_have_another(self, server, sending):
        with SmtpServer("none", auth=False) as other:
            sending(server)
            transports.send(LETTER)
            sending(other)
            transports.send(LETTER)
            assert (server.connections, other.connections) == (1, 1)
            transports.rest()

    def test_each_thread_has_its_own(self, server, sending, make_app):
        sending(server)
        transports.send(LETTER)
        app = make_app(**server.settings())

        def work():
            with app.app_context():
                transports.send(LETTER)
                transports.rest()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        transports.send(LETTER)
        assert (server.connections, len(server.received)) == (2, 3)

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_child_process_leaves_its_parents_alone(self, server, sending):
        sending(server)
        transports.send(LETTER)
        child = os.fork()
        if not child:  # nothing of the parent's may run in it, whatever happens
            try:
                transports.send(LETTER)
                transports.rest()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        transports.send(LETTER)
        assert (server.connections, len(server.received)) == (2, 3)


def test_codes_and_addresses_are_not_logged(server, sending, caplog):
    caplog.set_level(0)
    sending(server)
    transports.send(LETTER)
    server.refuse("550 5.1.1 <ann@example.org>: no such person")
    refused()
    ours = [record for record in caplog.records if not record.name.startswith("mail.")]  # the rig's
    assert not [each for each in ours if re.search("ann@|123456", each.getMessage())]


@pytest.mark.parametrize("words", ["=?utf-8?q?a=0D=0ABcc:_eve@example.org?= tail", "a\n", "a\rb"])
def test_words_of_a_header_make_no_other_header(app, words):
    parcel = Parcel("outbox-1.1", "email", "ann@example.org", words, "Hello", None)
    with app.app_context(), pytest.raises(NotAccepted) as refused:
        mime.written(parcel)
    assert refused.value.for_good
