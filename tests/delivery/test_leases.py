"""Leases: who works on a message, how long a dead worker's are kept, and whose turn it is."""

import threading

import pytest
from sqlalchemy import event

from portal.core.db import db, transaction
from portal.delivery import endings, leases, shifts, transports
from portal.delivery import service as delivery
from tests.delivery.conftest import BOB, NOBODY
from tests.policy.world import ANN, type_code
from tests.rigs.databases import KIND

ACCEPTED = "SELECT count FROM tally WHERE name = 'recovery:accepted' AND part = ''"
FREE = "SELECT count(*) FROM outbox WHERE lease IS NULL AND done_at IS NULL"


@pytest.fixture
def somebody_else(monkeypatch):
    """somebody_else() -> from now on this process is another worker."""
    names = iter("abcdef")
    monkeypatch.setattr(leases, "me", lambda: monkeypatch.name)
    monkeypatch.name = "first"
    shifts._known.clear()  # of another test, with other rows

    def change() -> None:
        monkeypatch.name = next(names)

    return change


def claim():
    with transaction() as session:
        found = leases.pick(session)
        if found is not None:
            leases.hold(session, found)
        return found


@pytest.fixture
def inside(office):
    with office.world.app.app_context():
        yield office
    leases._held.clear()


def test_a_claimed_message_is_nobody_elses(inside, somebody_else):
    inside.asked(ANN)
    assert claim() is not None
    somebody_else()
    assert claim() is None
    assert inside.deliver() == 0


def test_a_dead_workers_message_is_free_again_within_ten_seconds(inside, somebody_else, time):
    inside.asked(ANN)
    claim()
    somebody_else()
    time.pass_(seconds=7)
    assert inside.deliver() == 0
    time.pass_(seconds=2)
    assert inside.deliver() == 1
    assert len(inside.smtp.received) == 1


def test_a_living_worker_keeps_its_message(inside, somebody_else, time):
    inside.asked(ANN)
    claim()
    for _ in range(5):
        time.pass_(seconds=6)
        leases.renew()
    somebody_else()
    assert inside.deliver() == 0


def test_a_worker_that_hangs_loses_its_message_in_the_end(inside, somebody_else, time, monkeypatch):
    inside.asked(ANN)
    claim()
    monkeypatch.setattr(leases, "monotonic", lambda: 10**9)
    time.pass_(seconds=6)
    leases.renew()
    time.pass_(seconds=3)
    somebody_else()
    assert inside.deliver() == 1


def test_what_was_lost_to_another_worker_is_not_postponed_by_the_first(inside, somebody_else, time):
    inside.asked(ANN)
    job = delivery._take()
    time.pass_(seconds=9)
    somebody_else()
    other = delivery._take()
    assert other.id == job.id
    delivery._not_accepted(job, job.letter, delivery.NotAccepted("later", walked=True))
    assert inside.world.rows("SELECT tries, lease FROM outbox WHERE done_at IS NULL") != [(1, None)]


def as_sms(inside) -> None:
    inside.world.write("UPDATE outbox SET channel = 'sms' WHERE done_at IS NULL")


def test_an_sms_whose_sender_died_at_hand_over_is_not_sent_again(inside, somebody_else, time):
    inside.asked(ANN)
    as_sms(inside)
    claimed = claim()
    with transaction() as session:
        assert endings.mark(session, claimed.id)
    time.pass_(seconds=9)
    somebody_else()
    assert inside.deliver() == 1
    assert inside.smtp.received == []
    ended = "SELECT accepted_at, trouble, lease, done_at IS NULL FROM outbox WHERE channel = 'sms'"
    assert inside.world.rows(ended) == [(None, "in-doubt", None, False)]
    time.pass_(seconds=9)
    assert inside.deliver() == 0


def test_an_sms_whose_sender_died_before_hand_over_is_sent(inside, somebody_else, time):
    """It was written ahead, and nobody had been told of it."""
    inside.asked(ANN)
    as_sms(inside)
    claim()
    time.pass_(seconds=9)
    somebody_else()
    assert claim() is not None


def test_an_sms_that_somebody_else_sends_by_now_does_not_leave_here(inside, somebody_else, time):
    inside.asked(ANN)
    as_sms(inside)
    claimed = claim()
    time.pass_(seconds=9)
    somebody_else()
    claim()
    somebody_else()
    with transaction() as session:
        assert not endings.mark(session, claimed.id)


def test_an_sms_that_was_refused_is_tried_again(inside, time, make_app):
    inside.asked(NOBODY)
    inside.world.write("UPDATE outbox SET recipe = 'gone', channel = 'sms' WHERE done_at IS NULL")
    inside.deliver()
    time.pass_(seconds=5)
    inside.deliver()
    assert inside.waiting() == [("gone", 2, "broken KeyError")]


def test_one_of_several_processes_has_the_turn(inside, somebody_else, time):
    assert shifts.my_turn()
    somebody_else()
    assert not shifts.my_turn()
    time.pass_(seconds=9)
    assert shifts.my_turn()


def test_who_has_not_the_turn_writes_nothing(inside, somebody_else):
    assert shifts.my_turn()
    somebody_else()
    begun = []

    def note(line):
        begun.append(line)

    event.listen(db.engine, "begin", note)
    try:
        assert [shifts.my_turn() for _ in range(3)] == [False] * 3
        assert begun == []
        with transaction():
            pass
        assert len(begun) == 1  # as it would be noted
    finally:
        event.remove(db.engine, "begin", note)


def test_a_turn_is_kept_by_renewing_it(inside, somebody_else, time):
    assert shifts.my_turn()
    for _ in range(5):
        time.pass_(seconds=6)
        leases.renew()
    somebody_else()
    assert not shifts.my_turn()


def test_who_has_the_turn_does_not_ask_again_before_it_could_be_lost(inside, time):
    shifts._known.clear()
    assert [shifts.my_turn() for _ in range(2)] == [True, True]
    inside.world.write("UPDATE turn SET holder = 'b' WHERE name = 'delivery'")
    assert shifts.my_turn()
    time.pass_(seconds=8)
    assert [shifts.my_turn() for _ in range(2)] == [True, True]  # b's time is over as well
    inside.world.write("UPDATE turn SET holder = 'b' WHERE name = 'delivery'")
    shifts.pass_on()
    assert not shifts.my_turn()


def test_a_turn_that_is_passed_on_is_free_at_once(inside, somebody_else):
    assert shifts.my_turn()
    shifts.pass_on()
    somebody_else()
    assert shifts.my_turn()


def test_a_clock_that_was_set_back_locks_nobody_out(inside, somebody_else, time):
    time.pass_(days=1)
    assert shifts.my_turn()
    time.pass_(days=-1)
    somebody_else()
    assert shifts.my_turn()


@pytest.mark.parametrize("minutes", [5, 180])
def test_a_clock_that_was_set_back_delays_no_message(inside, somebody_else, time, minutes):
    inside.asked(ANN)
    time.pass_(minutes=-minutes)
    assert inside.deliver() == 1
    assert len(inside.smtp.received) == 1


def test_who_lost_a_message_does_not_end_it_for_who_has_it_now(inside, somebody_else, time):
    """Otherwise a later failure there would leave the person with a code that is dead."""
    inside.asked(ANN)
    first = delivery._take()
    time.pass_(seconds=9)
    somebody_else()
    second = delivery._take()
    monkeypatched, leases.me = leases.me, lambda: "first"
    delivery._see_off(first)
    leases.me = monkeypatched
    assert len(inside.waiting()) == 1
    delivery._see_off(second)
    assert inside.waiting() == []
    transports.rest()
    assert len(inside.smtp.received) == 2


@pytest.mark.parametrize("who", [ANN, NOBODY])
def test_two_copies_that_were_taken_count_once(inside, somebody_else, time, monkeypatch, who):
    [browser] = inside.asked(who)
    first = delivery._take()
    time.pass_(seconds=9)
    somebody_else()
    delivery._see_off(delivery._take())
    monkeypatch.setattr(leases, "me", lambda: "first")
    delivery._see_off(first)
    transports.rest()
    assert inside.waiting() == []
    assert inside.world.rows(ACCEPTED) == [(1,)]
    if who == ANN:
        assert type_code(browser, inside.codes()[0]).status == 303


@pytest.mark.skipif(KIND == "sqlite", reason="one at a time writes to SQLite")
def test_whoever_claims_keeps_nobody_from_another_message(office):
    office.asked(ANN, BOB)
    found = []

    def also() -> None:
        with office.world.app.app_context():
            found.append(claim())

    with office.world.app.app_context(), transaction() as session:
        mine = leases.pick(session)
        other = threading.Thread(target=also)
        other.start()
        other.join(10)
    assert found[0] is not None
    assert found[0].id != mine.id
