"""SMS through a gateway, against a real server: what it is given, and what goes wrong."""

import re
import time

import pytest

from portal.delivery import transports
from portal.delivery.outcomes import NotAccepted
from portal.delivery.parcels import EMAIL, SMS, Parcel
from portal.delivery.transports import sms
from tests.rigs.gateway import TOKEN, Gateway
from tests.rigs.smtp import SmtpServer

NUMBER = "+4915112345678"
LETTER = Parcel("outbox-8.20261121", SMS, NUMBER, "", "Latchkey: 123456 – gültig für 30 s", None)
QUICK = {"EMAIL_TIMEOUT_SECONDS": "1"}
OK = b'{"result": {"message_id": 1, "status": "ok"}}'  # what an SMSEagle says


@pytest.fixture
def gateway():
    with Gateway() as gateway:
        yield gateway
        transports.rest()


@pytest.fixture
def sending(through):
    """sending(SMS_URL="...") -> from now on, SMS go this way."""
    return lambda **more: through(**{"EMAIL_BACKEND": "smtp"} | more)


def refused():
    """-> what came of it: why, the reply, and which of fault, for_good it is; it always walked."""
    with pytest.raises(NotAccepted) as caught:
        transports.send(LETTER)
    assert caught.value.walked
    marks = {name for name in ("fault", "for_good") if getattr(caught.value, name)}
    return caught.value.why, caught.value.reply, marks


@pytest.mark.parametrize("settings, offered", [
    ({}, False),
    ({"SMS_URL": "https://x@gateway.example.org/"}, True),
    ({"EMAIL_BACKEND": "mailbox"}, True),
    ({"EMAIL_BACKEND": "console"}, True),
])  # fmt: skip
def test_sms_are_offered_where_they_can_be_sent(sending, settings, offered):
    sending(**settings)
    assert (transports.offers(SMS), transports.offers(EMAIL)) == (offered, True)


def test_an_sms_that_cannot_be_sent_any_more_waits(sending):
    sending()
    assert refused() == ("unreachable", "", {"fault"})


def test_in_a_try_out_sms_are_caught_whatever_the_gateway(gateway, app):
    with app.app_context():
        transports.send(LETTER)
    [caught] = app.test_client().get("/dev/mailbox.json").json
    assert (caught["channel"], caught["to"], caught["text"]) == (SMS, NUMBER, LETTER.text)
    assert (caught["subject"], caught["html"]) == ("", None)


class TestPlainGateway:
    def test_it_gets_number_text_and_id_and_its_token_in_a_header(self, gateway, sending):
        sending(**gateway.sms_settings())
        transports.send(LETTER)
        [got] = gateway.wait_for(1)
        assert got.body == {"to": NUMBER, "text": LETTER.text, "id": LETTER.id}
        assert got.headers["authorization"] == f"Bearer {TOKEN}"
        assert (got.path, got.headers["host"]) == ("/sms", gateway.place)

    @pytest.mark.parametrize("user, token", [
        ("", None), ("key@", "Bearer key"), ("me:key@", "Bearer key"), ("me:k%C3%A9@", "Bearer ké"),
    ])  # fmt: skip
    def test_the_token_is_the_password_or_the_user(self, gateway, sending, user, token):
        sending(SMS_URL=f"http://{user}{gateway.place}/?queue=1")
        transports.send(LETTER)
        [got] = gateway.wait_for(1)
        given = got.headers.get("authorization")
        assert (given and given.encode("latin-1").decode(), got.path) == (token, "/?queue=1")

    @pytest.mark.parametrize("status, outcome", [
        (401, ("sign-in", "401", {"fault"})),
        (403, ("sign-in", "403", {"fault"})),
        (429, ("later", "429", {"fault"})),
        (500, ("later", "500", {"fault"})),
        (503, ("later", "503", {"fault"})),
        (404, ("refused", "404", {"fault"})),
        (307, ("refused", "307", {"fault"})),
        (400, ("refused", "400", {"for_good"})),
        (422, ("refused", "422", {"for_good"})),
    ])  # fmt: skip
    def test_an_answer_says_whose_fault_it_is(self, gateway, sending, status, outcome):
        sending(**gateway.sms_settings())
        gateway.answer(status)
        assert refused() == outcome

    def test_out_of_reach_nothing_was_sent(self, gateway, sending):
        sending(**gateway.sms_settings())
        gateway.stop()
        assert refused() == ("unreachable", "", {"fault"})
        sending(SMS_URL="https://key@gateway.invalid/")
        assert refused() == ("unreachable", "", {"fault"})
        gateway.start()

    def test_a_handshake_that_hangs_is_no_doubt(self, gateway, sending):
        """Nothing was sent before the gateway proved who it is."""
        with Gateway() as silent:  # it waits for a request, we for its certificate
            sending(SMS_URL=f"https://key@{silent.place}/", **QUICK)
            assert refused() == ("unreachable", "", {"fault"})

    def test_a_certificate_of_strangers_ends_the_way(self, sending, monkeypatch):
        with Gateway(tls=True) as gateway:
            sending(**gateway.sms_settings())
            assert refused() == ("certificate", "", {"fault"})
            monkeypatch.setenv("SSL_CERT_FILE", gateway.ca_file)
            transports.send(LETTER)
            transports.rest()

    @pytest.mark.parametrize("mood", [
        lambda gateway: gateway.hang(3),
        lambda gateway: gateway.drip(0.1),
        lambda gateway: gateway.drop(),
    ])  # fmt: skip
    def test_what_may_have_left_is_in_doubt(self, gateway, sending, mood):
        sending(**gateway.sms_settings(), **QUICK)
        mood(gateway)
        assert refused() == ("in-doubt", "", {"fault", "for_good"})
        assert len(gateway.posted) == 1

    def test_nothing_is_logged(self, gateway, sending, caplog):
        caplog.set_level(0)
        sending(**gateway.sms_settings())
        transports.send(LETTER)
        gateway.answer(400, body=NUMBER.encode())
        refused()
        assert caplog.messages == []


class TestServices:
    """By the example of a gateway in a box, whose host can be this one."""

    @pytest.fixture
    def eagle(self, gateway, sending):
        sending(SMS_URL=f"smseagle://key@{gateway.place}?status=no", **QUICK)
        return gateway

    def test_a_service_gets_the_number_and_the_text_as_it_is(self, eagle):
        eagle.answer(200, body=OK)
        transports.send(LETTER)
        [got] = eagle.wait_for(1)
        assert got.body["method"] == "sms.send_sms"
        assert got.body["params"]["to"] == NUMBER
        assert got.body["params"]["message"] == LETTER.text
        assert got.body["params"]["access_token"] == "key"

    def test_one_after_the_other_without_pauses(self, eagle):
        eagle.answer(200, body=OK, times=3)
        start = time.monotonic()
        for _ in range(3):
            transports.send(LETTER)
        assert time.monotonic() - start < 1

    def test_a_no_is_for_later(self, eagle):
        eagle.answer(500, times=9)
        assert refused() == ("later", "", {"fault"})
        assert len(eagle.posted) == 1

    def test_retries_in_its_address_are_not_made(self, gateway, sending):
        sending(SMS_URL=f"smseagle://key@{gateway.place}?retry=3&wait=0")
        gateway.answer(500, times=9)
        refused()
        assert len(gateway.posted) == 1

    def test_out_of_reach_is_for_later(self, eagle):
        eagle.stop()
        assert refused() == ("later", "", {"fault"})
        eagle.start()

    def test_no_answer_in_time_is_a_doubt(self, eagle):
        eagle.hang(3)
        start = time.monotonic()
        assert refused() == ("in-doubt", "", {"fault", "for_good"})
        assert time.monotonic() - start < 2

    def test_redirections_are_not_followed(self, eagle):
        with Gateway() as elsewhere:
            eagle.answer(307, location=f"http://{elsewhere.place}/")
            refused()
            assert elsewhere.posted == []

    def test_nothing_is_logged_printed_or_kept(self, eagle, caplog, capfd, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        caplog.set_level(0)
        eagle.answer(200, body=OK)
        transports.send(LETTER)
        eagle.answer(500, body=NUMBER.encode())
        refused()
        eagle.stop()
        refused()
        eagle.start()
        assert not [each for each in caplog.messages if re.search("key|15112345678|123456", each)]
        assert "".join(capfd.readouterr()) == ""
        assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("url, known", [
    ("https://key@gateway.example.org/sms", True),
    ("HTTPS://gateway.example.org", True),
    ("https:///sms", False),
    ("https://[sms", False),
    ("twilio://AC" + "a" * 32 + ":" + "b" * 32 + "@+15551234567", True),
    ("clicksend://me:key@", True),
    ("46elks://me:key@", True),
    ("smseagle://key@127.0.0.1:8080?batch=yes", True),
    ("twilio://too-short", False),
    ("pigeon://coop", False),
    ("file:///etc/passwd", False),
    ("no address", False),
])  # fmt: skip
def test_an_address_that_nobody_understands_is_known_beforehand(url, known):
    assert sms.understood(url) is known


class TestSmsToNobody:
    def test_there_is_none(self, gateway, sending):
        sending(**gateway.sms_settings())
        assert transports.ask(SMS) is False
        assert gateway.posted == []

    def test_whoever_asked_sees_no_more_than_of_one_to_somebody(self, gateway, sending):
        """Its way is at its end before the gateway is spoken to."""
        sending(**gateway.sms_settings())
        seen = []
        transports.send(LETTER, lambda: seen.append(len(gateway.posted)))
        assert seen == [0]

    def test_the_mailbox_can_be_asked(self, app):
        with app.app_context():
            assert transports.ask(SMS) is True


def test_an_answer_that_is_none_is_a_doubt(sending):
    """A server of another kind took the request, perhaps for something."""
    with SmtpServer("none", auth=False) as server:
        sending(SMS_URL=f"http://key@localhost:{server.port}/", **QUICK)
        assert refused() == ("in-doubt", "", {"fault", "for_good"})


def test_a_token_that_no_header_can_hold_is_not_sent(gateway, sending):
    sending(SMS_URL=f"http://key%0D%0AX-Evil%3A%20yes@{gateway.place}/")
    assert refused() == ("unreachable", "", {"fault"})
    assert gateway.posted == []
