"""Mail by SendGrid's API, against a real server: what is asked of it, and what goes wrong."""

import re
import threading
import time

import pytest

from portal.delivery import transports
from portal.delivery.parcels import EMAIL, Parcel
from portal.delivery.transports import keeping
from tests.delivery.conftest import outcome
from tests.rigs.gateway import KEY, Gateway

LETTER = Parcel("outbox-7.20261121", EMAIL, "ann@example.org", "Back in", "123456\n", "<p>é</p>\n")
QUICK = {"EMAIL_TIMEOUT_SECONDS": "1"}
FROM = {"EMAIL_FROM": '"Desk, first" <portal@latchkey.example>'}


@pytest.fixture
def gateway():
    with Gateway() as gateway:
        yield gateway
        transports.rest()


@pytest.fixture
def sending(through):
    """sending(gateway, EMAIL_FROM="...") -> from now on, messages go through this server."""
    return lambda gateway, **more: through(**gateway.sendgrid_settings() | more)


def refused(act=lambda: transports.send(LETTER)):
    return outcome(act)


def ask():
    return transports.ask(EMAIL)


def test_a_message_is_all_that_it_has_to_be(gateway, sending):
    sending(gateway, **FROM)
    transports.send(LETTER)
    [got] = gateway.wait_for(1)
    assert got.path == "/v3/mail/send"
    assert got.headers["authorization"] == f"Bearer {KEY}"
    assert got.headers["content-type"] == "application/json"
    off = {"enable": False}
    assert got.body == {
        "personalizations": [{"to": [{"email": "ann@example.org"}]}],
        "from": {"email": "portal@latchkey.example", "name": "Desk, first"},
        "subject": "Back in",
        "content": [
            {"type": "text/plain", "value": "123456\n"},
            {"type": "text/html", "value": "<p>é</p>\n"},
        ],
        "headers": {
            "Message-ID": "<outbox-7.20261121@127.0.0.1>",
            "Auto-Submitted": "auto-generated",
        },
        "custom_args": {"parcel": "outbox-7.20261121"},
        "tracking_settings": {
            "click_tracking": off, "open_tracking": off, "subscription_tracking": off,
        },
    }  # fmt: skip


@pytest.mark.parametrize("path, asked", [
    ("", "/v3/mail/send"),
    ("/", "/v3/mail/send"),
    ("/v3", "/v3/mail/send"),
    ("/v3/", "/v3/mail/send"),
    ("/proxy/v3", "/proxy/v3/mail/send"),
    ("/my/own/mail", "/my/own/mail"),
    ("/my/own/mail/", "/my/own/mail/"),
])  # fmt: skip
def test_its_address_may_have_a_path(gateway, sending, path, asked):
    sending(gateway, SENDGRID_API_URL=f"http://{gateway.place}{path}")
    transports.send(LETTER)
    assert gateway.wait_for(1)[0].path == asked


def test_asking_is_the_same_request_in_the_sandbox_to_ourselves(gateway, sending):
    sending(gateway, **FROM)
    assert ask() is True
    transports.send(LETTER)
    asked, sent = gateway.wait_for(2)
    assert asked.body["mail_settings"] == {"sandbox_mode": {"enable": True}}
    assert asked.body["personalizations"] == [{"to": [{"email": "portal@latchkey.example"}]}]
    assert not re.search(r"\d{6}", str(asked.body["content"]))
    assert asked.body.keys() - sent.body.keys() == {"mail_settings"}
    assert (asked.path, asked.headers.keys()) == (sent.path, sent.headers.keys())


@pytest.mark.parametrize("status, outcome", [
    (401, ("sign-in", "401", {"fault", "walked"})),
    (403, ("sign-in", "403", {"fault", "walked"})),
    (429, ("later", "429", {"fault", "walked"})),
    (500, ("later", "500", {"fault", "walked"})),
    (503, ("later", "503", {"fault", "walked"})),
    (404, ("refused", "404", {"fault", "walked"})),
    (302, ("refused", "302", {"fault", "walked"})),
    (400, ("refused", "400", {"walked", "for_good"})),
    (413, ("refused", "413", {"walked", "for_good"})),
])  # fmt: skip
def test_an_answer_says_whose_fault_it_is(gateway, sending, status, outcome):
    sending(gateway)
    with Gateway() as elsewhere:
        body = b'{"errors": [{"message": "ann@example.org is unknown"}]}'
        gateway.answer(status, times=2, body=body, location=f"http://{elsewhere.place}/")
        assert refused() == outcome
        assert refused(ask) == outcome  # alike for nobody
        assert elsewhere.posted == []
    transports.send(LETTER)


def test_where_nobody_listens_it_is_out_of_reach(gateway, sending):
    sending(gateway)
    gateway.stop()
    assert refused() == refused(ask) == ("unreachable", "", {"fault"})
    gateway.start()
    transports.send(LETTER)


def test_a_name_that_does_not_exist_is_out_of_reach(gateway, sending):
    sending(gateway, SENDGRID_API_URL="http://api.invalid")
    assert refused() == ("unreachable", "", {"fault"})


def test_certificates_are_checked(sending, monkeypatch):
    with Gateway(tls=True) as gateway:
        sending(gateway)
        assert refused() == refused(ask) == ("certificate", "", {"fault"})
        monkeypatch.setenv("SSL_CERT_FILE", gateway.ca_file)
        transports.send(LETTER)
        assert len(gateway.posted) == 1
        transports.rest()
    with Gateway(tls=True, names=("api.example.org",)) as gateway:
        monkeypatch.setenv("SSL_CERT_FILE", gateway.ca_file)
        sending(gateway)
        assert refused() == ("certificate", "", {"fault"})


@pytest.mark.parametrize("mood", [
    lambda gateway: gateway.hang(3), lambda gateway: gateway.drip(0.1),
])  # fmt: skip
def test_a_server_that_hangs_or_drips_is_left_after_its_time(gateway, sending, mood):
    sending(gateway, **QUICK)
    mood(gateway)
    start = time.monotonic()
    assert refused() == ("dropped", "", {"fault"})
    assert 0.9 < time.monotonic() - start < 2


def test_a_line_that_ends_without_an_answer_is_dropped(gateway, sending):
    sending(gateway)
    gateway.drop()
    assert refused() == ("dropped", "", {"fault"})
    transports.send(LETTER)


def test_an_answer_without_end_is_not_read_to_its_end(gateway, sending):
    sending(gateway)
    gateway.answer(202, body=b"x" * 50_000_000)
    start = time.monotonic()
    transports.send(LETTER)
    assert time.monotonic() - start < 1
    transports.send(LETTER)


def test_proxies_and_passwords_of_the_environment_are_not_used(
    gateway, sending, monkeypatch, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login eve password x\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in "http_proxy", "HTTP_PROXY", "all_proxy":
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    sending(gateway)
    transports.send(LETTER)
    assert gateway.posted[0].headers["authorization"] == f"Bearer {KEY}"


class TestKeptConnections:
    def test_messages_share_one(self, gateway, sending):
        sending(gateway)
        for _ in range(5):
            transports.send(LETTER)
        assert gateway.connections == 1

    def test_one_that_the_server_closed_is_replaced_in_silence(self, gateway, sending):
        sending(gateway)
        transports.send(LETTER)
        gateway.hang_up()
        transports.send(LETTER)
        assert (gateway.connections, len(gateway.posted)) == (2, 2)

    def test_one_that_nobody_used_for_a_while_is_not_used_again(
        self, gateway, sending, monkeypatch
    ):
        sending(gateway)
        transports.send(LETTER)
        monkeypatch.setattr(keeping, "IDLE_SECONDS", 0.05)
        time.sleep(0.1)
        transports.send(LETTER)
        assert gateway.connections == 2

    def test_each_thread_has_its_own_and_resting_ends_it(self, gateway, sending, make_app):
        sending(gateway)
        app = make_app(**gateway.sendgrid_settings())

        def work():
            with app.app_context():
                transports.send(LETTER)
                transports.rest()
                transports.send(LETTER)
                transports.rest()

        transports.send(LETTER)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        transports.send(LETTER)
        assert (gateway.connections, len(gateway.posted)) == (3, 4)


def test_keys_codes_and_addresses_are_not_logged(gateway, sending, caplog):
    caplog.set_level(0)
    sending(gateway)
    transports.send(LETTER)
    gateway.answer(400, body=b"ann@example.org 123456")
    refused()
    assert not [each for each in caplog.messages if re.search(f"ann@|123456|{KEY}", each)]
