"""The outbox: what is put beside its cause is sent at least once, and harmless when twice."""

import smtplib
import threading
import time as real_time
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.accounts import messages
from portal.core import audit
from portal.core.audit import OPERATOR
from portal.core.db import transaction
from portal.delivery import letters, outbox, queue, transports
from portal.delivery import service as delivery
from tests.conftest import OTHER_PASSWORD, ask
from tests.policy.world import ANN, World, type_code

NOBODY = "nobody@example.org"
DUE = "SELECT id FROM outbox WHERE done_at IS NULL AND due_at <= :now"


@pytest.fixture
def world(app):
    made = World(app)
    made.account()
    return made


@pytest.fixture
def sent(monkeypatch):
    """What is handed over; nothing leaves."""
    handed: list = []
    monkeypatch.setattr(transports, "send", handed.append)
    return handed


def refusing(monkeypatch, *, times=1):
    """The mail server goes away so often, then takes everything."""
    left, real = [smtplib.SMTPServerDisconnected("gone")] * times, transports.send

    def send(mail):
        if left:
            raise left.pop()
        real(mail)

    monkeypatch.setattr(transports, "send", send)


def waiting(world) -> list:
    return world.rows("SELECT recipe, tries, trouble FROM outbox WHERE done_at IS NULL ORDER BY id")


def deliver(world) -> int:
    with world.app.app_context():
        return delivery.deliver_due()


def test_a_message_is_a_row_of_names_and_ids_beside_its_cause(world):
    ask(world.visitor(), ANN)
    [row] = world.rows("SELECT * FROM outbox WHERE done_at IS NULL")
    assert "recovery" in row
    assert ANN not in str(row)
    assert waiting(world) == [("recovery", 0, "")]


def test_without_its_cause_there_is_no_message(world):
    def put():
        event = audit.record("password:changed", 1, OPERATOR)
        outbox.put(messages.password_changed, event.id, 1)

    woken = []
    with world.app.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue, "wake", lambda: woken.append(True))
        with pytest.raises(ZeroDivisionError), transaction():
            put()
            raise ZeroDivisionError
        assert (waiting(world), woken) == ([], [])
        with transaction():
            put()
            assert woken == []
    assert len(waiting(world)) == 1
    assert woken == [True]


def test_nothing_is_sent_inside_a_request(world, sent):
    ask(world.visitor(), ANN)
    assert sent == []
    deliver(world)
    assert len(sent) == 1


def test_a_waiting_message_survives_a_restart(world, make_app):
    ask(world.visitor(), ANN)
    after = World(make_app())
    assert after.post.newest().subject == "Get back into your Latchkey account"


def test_a_sent_message_is_not_sent_again(world, sent):
    ask(world.visitor(), ANN)
    assert [deliver(world), deliver(world)] == [1, 0]
    assert len(sent) == 1


def test_a_worker_that_died_leaves_its_message_to_the_next_after_the_lease(
    world, sent, monkeypatch, time
):
    """It was handed over, perhaps, but nobody wrote that down: once more, under the same id."""
    ask(world.visitor(), ANN)
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_accepted", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deliver(world)
    time.pass_(seconds=149)
    assert deliver(world) == 0
    time.pass_(seconds=2)
    assert deliver(world) == 1
    first, second = sent
    assert first["Message-ID"] == second["Message-ID"]
    assert waiting(world) == []


def test_only_the_newest_repeat_carries_the_code_that_works(world, sent, monkeypatch, time):
    browser = world.visitor()
    ask(browser, ANN)
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_accepted", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deliver(world)
    time.pass_(seconds=151)
    deliver(world)
    old, new = (mail.get_body(("plain",)).get_content().split("open:\n")[1][:6] for mail in sent)
    assert type_code(browser, old).status == 422
    assert type_code(browser, new).status == 303


def test_the_clock_starts_with_acceptance(world, time, monkeypatch):
    ask(world.visitor(), ANN)
    real = transports.send
    slow = lambda mail: (time.pass_(seconds=20), real(mail))  # noqa: E731
    monkeypatch.setattr(transports, "send", slow)
    deliver(world)
    [(left,)] = world.rows(
        "SELECT round((julianday(expires_at) - julianday(:now)) * 86400)"
        " FROM otp WHERE purpose = 'password_reset'",
        now=f"{time.at:%Y-%m-%d %H:%M:%S.%f}",
    )
    assert left == 30


def test_a_refused_hand_over_leaves_no_usable_code(world, monkeypatch):
    ask(world.visitor(), ANN)
    refusing(monkeypatch)
    deliver(world)
    codes = "SELECT id FROM otp WHERE purpose = 'password_reset'"
    assert len(world.rows(codes)) == 1
    assert world.rows(f"{codes} AND consumed_at IS NULL") == []
    assert waiting(world) == [("recovery", 1, "SMTPServerDisconnected")]


def test_a_refused_message_goes_out_later_with_a_code_that_works(world, monkeypatch, time):
    browser = world.visitor()
    ask(browser, ANN)
    refusing(monkeypatch)
    deliver(world)
    assert deliver(world) == 0
    assert browser.get("/recover/status").json["state"] == "waiting"
    time.pass_(seconds=6)
    assert deliver(world) == 1
    assert browser.get("/recover/status").json["state"] == "sent"
    assert type_code(browser, world.post.newest().code).status == 303


def test_pauses_grow_up_to_ten_minutes(world, monkeypatch, time):
    ask(world.visitor(), ANN)
    refusing(monkeypatch, times=99)
    pauses = []
    for _ in range(12):
        deliver(world)
        start = time.at
        while not world.rows(DUE, now=f"{time.at:%Y-%m-%d %H:%M:%S.%f}"):
            time.pass_(seconds=1)
        pauses.append((time.at - start).total_seconds())
    assert pauses[0] <= 6
    assert pauses[4] >= 30
    assert 590 <= pauses[-1] <= 605


def test_one_failing_message_does_not_stop_the_next(world, sent, time):
    ask(world.visitor(), ANN)
    world.write("UPDATE outbox SET recipe = 'gone' WHERE done_at IS NULL")
    ask(world.visitor(address="203.0.113.5"), NOBODY)
    world.write("UPDATE outbox SET about = 'x' WHERE recipe = 'gone'")
    assert deliver(world) == 2
    assert len(sent) == 1
    assert waiting(world) == [("gone", 1, "KeyError")]


def test_one_refused_message_does_not_stop_the_next(world, monkeypatch):
    world.account("bob@example.org", "Bob Hill")
    ask(world.visitor(), ANN)
    ask(world.visitor(), "bob@example.org")
    refusing(monkeypatch)
    deliver(world)
    assert len(waiting(world)) == 1
    assert world.post.newest().to == "bob@example.org"


def test_after_a_day_a_message_is_given_up(world, monkeypatch, time):
    ask(world.visitor(), ANN)
    refusing(monkeypatch, times=99)
    time.pass_(hours=23, minutes=59)
    deliver(world)
    assert len(waiting(world)) == 1
    time.pass_(minutes=2)
    deliver(world)
    assert waiting(world) == []
    [(accepted, trouble)] = world.rows(
        "SELECT accepted_at, trouble FROM outbox WHERE recipe = 'recovery'"
    )
    assert (accepted, trouble) == (None, "SMTPServerDisconnected")


def test_an_unknown_address_has_a_row_that_goes_to_nobody(world, sent):
    browser = world.visitor()
    ask(browser, NOBODY)
    assert browser.get("/recover/status").json["state"] == "waiting"
    deliver(world)
    assert sent == [None]
    assert waiting(world) == []
    assert browser.get("/recover/status").json["state"] == "sent"


class Server:
    """Stands in for smtplib's; remembers what it is asked."""

    said: list

    def __init__(self, host, port, **more):
        self.said.append((host, port, more["timeout"]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.said.append("quit")

    def login(self, *who):
        self.said.append(("login", *who))

    def noop(self):
        self.said.append("noop")

    def send_message(self, mail):
        self.said.append(("message", mail["To"]))


def test_for_an_unknown_address_the_mail_server_is_asked_too(make_app, monkeypatch):
    """Up to the message itself: connect, sign in, no operation."""
    monkeypatch.setattr(Server, "said", [], raising=False)
    monkeypatch.setattr(smtplib, "SMTP_SSL", Server)
    account = {"EMAIL_HOST_USER": "portal@example.org", "EMAIL_HOST_PASSWORD": "app-password"}
    world = World(make_app(EMAIL_BACKEND="smtp", **account))
    ask(world.visitor(), NOBODY)
    deliver(world)
    login = ("login", "portal@example.org", "app-password")
    assert Server.said == [("smtp.gmail.com", 465, 10), login, "noop", "quit"]


def test_a_message_that_was_overtaken_goes_to_nobody(world, sent, time):
    browser = world.visitor()
    ask(browser, ANN)
    time.pass_(seconds=61)
    ask(browser, ANN)
    deliver(world)
    assert [mail and mail["To"] for mail in sent] == [None, ANN]


def test_two_workers_never_send_one_message_twice(world, monkeypatch):
    for number in range(6):
        ask(world.visitor(address=f"192.0.{number}.1"), f"nobody{number}@example.org")
    handed, start = [], threading.Barrier(2)

    def work(_number):
        start.wait()
        deliver(world)

    slowly = lambda mail: (handed.append(mail), real_time.sleep(0.03))  # noqa: E731
    monkeypatch.setattr(transports, "send", slowly)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    assert len(handed) == 6
    assert waiting(world) == []
    assert {tries for (tries,) in world.rows("SELECT tries FROM outbox")} == {1}


def test_a_leased_message_is_left_to_who_holds_it(world, sent, time):
    ask(world.visitor(), ANN)
    [(row_id,)] = world.rows("SELECT id FROM outbox WHERE done_at IS NULL")
    with world.app.app_context():
        assert delivery._claim(row_id) == 1
        delivery.deliver(row_id)
        assert delivery._claim(row_id) == 0
    assert sent == []


def test_a_notice_after_a_reset_resets_nothing(world):
    browser, mail = world.asked()
    type_code(browser, mail.code)
    both = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    browser.get("/auth/password-reset")
    browser.submit("/auth/password-reset", **both)
    notice = world.post.newest()
    assert notice.subject == "Your Latchkey password is changed"
    assert "/link/" not in notice.text + notice.html


def test_a_letter_carries_its_headers(world, sent):
    ask(world.visitor(), ANN)
    deliver(world)
    [mail] = sent
    assert mail["To"] == ANN
    assert str(mail["From"]) == "Latchkey account <no-reply@127.0.0.1>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@127.0.0.1>")
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert letters.PARTS == ("subject.txt", "body.txt", "body.html")


def test_the_mailbox_keeps_five_hundred(world):
    ask(world.visitor(), ANN)
    deliver(world)
    world.write(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
        ' INSERT INTO mailbox ("to", channel, subject, text, sent_at)'
        " SELECT 'x@example.org', 'email', 's', 't', '2026-01-01 00:00:00.000000' FROM n"
    )
    world.account("bob@example.org", "Bob Hill")
    assert len(world.post.deliver()) == 500
    assert world.rows("SELECT count(*) FROM mailbox") == [(500,)]
