"""The outbox: what is put beside its cause is sent at least once, and harmless when twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic

import pytest
from sqlalchemy import select

from portal.accounts import messages
from portal.accounts.models import Person
from portal.codes.models import Otp
from portal.core import audit
from portal.core.audit import OPERATOR
from portal.core.db import db, transaction
from portal.delivery import history, leases, outbox, queue, transports
from portal.delivery import service as delivery
from portal.delivery.models import Outgoing
from portal.delivery.recipes import RECIPES
from tests.delivery.conftest import BOB, LATER, NOBODY, state
from tests.policy.world import ANN, World, type_code

DUE = "SELECT id FROM outbox WHERE done_at IS NULL AND due_at <= :now"


def every(office, wanted):
    """What this statement finds, as the portal reads it."""
    with office.world.app.app_context():
        return db.session.scalars(wanted).all()


def test_a_message_is_a_row_of_names_and_ids_beside_its_cause(office):
    office.asked(ANN)
    [row] = office.world.rows("SELECT * FROM outbox WHERE done_at IS NULL")
    assert "recovery" in row
    assert ANN not in str(row)
    assert office.waiting() == [("recovery", 0, "")]


def test_without_its_cause_there_is_no_message(office):
    def put():
        event = audit.record("password:changed", 1, OPERATOR)
        outbox.put(messages.password_changed, event, 1)

    with office.world.app.app_context():
        queue.wait(0)
        with pytest.raises(ZeroDivisionError), transaction():
            put()
            raise ZeroDivisionError
        assert (office.waiting(), queue.wait(0)) == ([], 0)
        with transaction():
            put()
            assert queue.wait(0) == 0
        assert queue.wait(0) == 1
    assert len(office.waiting()) == 1


def test_nothing_is_sent_inside_a_request(office):
    office.asked(ANN)
    assert office.smtp.received == []
    office.deliver()
    assert len(office.smtp.received) == 1


def test_a_waiting_message_survives_a_restart(office, make_app):
    office.asked(ANN)
    after = World(make_app())
    assert after.post.newest().subject == "Get back into your Latchkey account"


def test_a_sent_message_is_not_sent_again(office):
    office.asked(ANN)
    assert [office.deliver(), office.deliver()] == [1, 0]
    assert len(office.smtp.received) == 1


def test_codes_go_before_notices_and_each_in_their_order(office):
    with office.world.app.app_context(), transaction():
        event = audit.record("password:changed", 1, OPERATOR)
        outbox.put(messages.password_changed, event, 1)
    office.asked(BOB, ANN)
    office.deliver()
    assert [(each.to[0], "password" in each.subject) for each in office.smtp.received] == [
        (BOB, False), (ANN, False), (ANN, True),
    ]  # fmt: skip


def test_a_repeat_after_a_dropped_line_has_the_same_id_and_only_its_code_works(office, time):
    """The server took it, but the line broke before it could say so."""
    [browser] = office.asked(ANN)
    office.smtp.drop("DATA", keep=True)
    office.deliver()
    assert office.usable() == 0
    time.pass_(seconds=2)
    office.deliver()
    first, second = office.smtp.received
    assert first.message["Message-ID"] == second.message["Message-ID"]
    old, new = office.codes()
    if old != new:
        assert type_code(browser, old).status == 422
    assert type_code(browser, new).status == 303


def test_the_clock_starts_with_acceptance(office, time):
    office.asked(ANN)
    office.smtp.hang(0.6, "DATA")
    worker = threading.Thread(target=office.deliver)
    worker.start()
    office.until(lambda: "DATA" in office.smtp.commands)
    time.pass_(seconds=20)
    worker.join()
    running = select(Otp.expires_at).where(Otp.consumed_at.is_(None))
    [until] = every(office, running.where(Otp.purpose == "password_reset"))
    assert round((until - time.at).total_seconds()) == 30


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_refused_hand_over_leaves_nothing_that_could_be_used(office, step):
    office.asked(ANN)
    office.smtp.refuse(LATER, step, times=1)
    office.deliver()
    assert office.usable() == 0
    assert office.waiting() == [("recovery", 1, "later 451 4.3.0")]


def test_a_refused_message_goes_out_later_with_a_code_that_works(office, time):
    [browser] = office.asked(ANN)
    office.smtp.refuse(LATER, "RCPT", times=1)
    office.deliver()
    assert office.deliver() == 0
    time.pass_(seconds=2)
    assert office.deliver() == 1
    assert type_code(browser, office.codes()[-1]).status == 303


def test_a_message_waits_again_for_about_an_eighth_of_its_age(office, time):
    office.asked(ANN)
    office.world.write("UPDATE challenge SET link_seconds = 999999")
    office.smtp.refuse(LATER)
    for _ in range(50):
        office.deliver()
        [row] = every(office, select(Outgoing).where(Outgoing.done_at.is_(None)))
        age = (time.at - row.created_at).total_seconds()
        pause = (row.due_at - time.at).total_seconds()
        assert 0.7 < pause / min(600, max(1, age / 8)) < 1.3
        time.pass_(seconds=pause + 0.01)
    assert age > 300


def test_one_that_cannot_be_written_does_not_stop_the_next(office):
    office.asked(ANN)
    office.world.write("UPDATE outbox SET recipe = 'gone' WHERE done_at IS NULL")
    office.asked(BOB)
    assert office.deliver() == 2
    assert [each.to[0] for each in office.smtp.received] == [BOB]
    assert office.waiting() == [("gone", 1, "broken KeyError")]


def test_a_notice_that_could_not_be_written_is_written_later(office, time, monkeypatch):
    """Its link, which was put in and undone, is put in once more."""
    trouble = [KeyError("once")]

    def write(about):
        letter = messages.new_device.write(about)
        if trouble:
            raise trouble.pop()
        return letter

    broken = replace(messages.new_device, write=write)
    monkeypatch.setitem(RECIPES, "new_device", broken)
    with office.world.app.app_context():
        ann = db.session.scalar(select(Person.id).where(Person.email == ANN))
        with transaction():
            outbox.put(broken, audit.record("sign-in:begun", ann, OPERATOR), ann)
        assert (send(), office.waiting()) == (1, [("new_device", 1, "broken KeyError")])
        time.pass_(seconds=5)
        assert send() == 1
    assert [each.to[0] for each in office.smtp.received] == [ANN]


def send():
    """In one go with what was sent before: a worker keeps its session while there is work."""
    sent = delivery.deliver_due()
    transports.rest()
    return sent


def test_one_refused_message_does_not_stop_the_next(office):
    office.asked(ANN, BOB)
    office.smtp.refuse(LATER, "RCPT", times=1)
    office.deliver()
    assert [each.to[0] for each in office.smtp.received] == [BOB]
    assert len(office.waiting()) == 1


def test_after_a_day_a_message_is_given_up(office, time):
    office.asked(ANN)
    office.smtp.refuse(LATER)
    office.world.write("UPDATE challenge SET link_seconds = 999999")
    time.pass_(hours=23, minutes=59)
    office.deliver()
    assert len(office.waiting()) == 1
    time.pass_(minutes=20)
    office.deliver()
    assert office.waiting() == []
    ended = office.world.rows("SELECT accepted_at, trouble FROM outbox WHERE recipe = 'recovery'")
    assert ended == [(None, "later 451 4.3.0")]


def test_what_a_server_refuses_for_good_is_tried_for_an_hour(office, time):
    office.asked(ANN)
    office.world.write("UPDATE challenge SET link_seconds = 999999")
    office.smtp.refuse()
    time.pass_(minutes=59)
    office.deliver()
    assert office.waiting() == [("recovery", 1, "refused 550 5.1.1")]
    time.pass_(minutes=20)
    office.deliver()
    assert office.waiting() == []


def test_nobody_is_waited_for_and_asked_for_alike(office):
    """Up to the message itself: connection, sign-in, no operation, sender."""
    [known, unknown] = office.asked(ANN, NOBODY)
    assert (state(known), state(unknown)) == ("waiting", "waiting")
    office.deliver()
    assert (state(known), state(unknown)) == ("sent", "sent")
    assert [each.to for each in office.smtp.received] == [(ANN,)]
    steps = [each.partition(" ")[0] for each in office.smtp.commands]
    assert steps == ["MAIL", "RCPT", "DATA", "NOOP", "MAIL", "RSET"]
    nobodys = "SELECT accepted_at FROM outbox WHERE person_id IS NULL AND recipe = 'recovery'"
    assert office.world.rows(nobodys) == [(None,)]


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [LATER, "550 5.1.1 No such person"])
def test_what_the_server_says_to_a_message_is_not_told_to_who_asked(office, time, step, reply):
    """A stranger who asked sees the same state as for nobody, now and at every later moment."""
    known, unknown = office.asked(ANN, NOBODY)
    office.smtp.refuse(reply, step)
    seen = []
    for _ in range(6):
        office.deliver()
        seen.append([browser.get("/recover/status").json for browser in (known, unknown)])
        time.pass_(seconds=6)
    office.smtp.clear()
    for _ in range(3):
        time.pass_(seconds=11)
        office.deliver()
        seen.append([browser.get("/recover/status").json for browser in (known, unknown)])
    assert [one for one, _other in seen] == [other for _one, other in seen]
    assert office.smtp.received


def test_a_message_that_was_overtaken_goes_to_nobody(office, time):
    [browser] = office.asked(ANN)
    time.pass_(seconds=61)
    office.asked(ANN)
    office.deliver()
    assert len(office.smtp.received) == 1
    assert office.smtp.commands.count("NOOP") == 1
    assert state(browser) == "sent"


def test_two_workers_never_send_one_message_twice(office):
    office.asked(*[f"nobody{number}@example.org" for number in range(8)])
    start = threading.Barrier(2)

    def work(_number):
        start.wait()
        office.deliver()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    assert office.smtp.commands.count("NOOP") == 8
    assert office.waiting() == []
    tries = office.world.rows("SELECT DISTINCT tries FROM outbox WHERE recipe = 'recovery'")
    assert tries == [(1,)]


def test_a_message_to_nobody_keeps_its_worker_as_long_as_another(office):
    """Whoever asks next sees how busy the worker was, and must not see with whom."""
    office.asked(ANN, NOBODY)
    office.smtp.hang(0.4, "DATA")
    start = monotonic()
    office.deliver()
    assert monotonic() - start > 0.8


def test_a_notice_after_a_reset_resets_nothing(office):
    [browser] = office.asked(ANN)
    office.deliver()
    type_code(browser, office.codes()[0])
    browser.get("/auth/password-reset")
    both = {"password": "wooden planet friday", "confirm_password": "wooden planet friday"}
    assert browser.submit("/auth/password-reset", **both).location == "/sign-in"
    office.deliver()
    notice = office.smtp.received[-1]
    assert notice.subject == "Your Latchkey password is changed"
    assert "/recover/link/" not in notice.text + notice.html


def test_ended_messages_are_kept_for_a_while_and_then_removed(office, time):
    office.asked(ANN, NOBODY)
    office.deliver()
    with office.world.app.app_context():
        assert history.purge() == 0
        time.pass_(days=31)
        assert history.purge() > 0
    assert office.world.rows("SELECT count(*) FROM outbox") == [(0,)]
    assert leases.LEASE.total_seconds() < 10


def test_the_mailbox_keeps_five_hundred(make_app):
    world = World(make_app())
    world.account(ANN)
    world.write(
        'INSERT INTO mailbox ("to", channel, subject, text, sent_at)'
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
        " SELECT 'x@example.org', 'email', 's', 't', '2026-01-01 00:00:00.000000' FROM n"
    )
    world.account(BOB, "Bob Hill")
    assert len(world.post.deliver()) == 500
    assert world.rows("SELECT count(*) FROM mailbox") == [(500,)]
