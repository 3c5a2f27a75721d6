"""While a mail server is down messages wait together, one probes every 5 s, then all leave."""

import logging
import threading

import pytest

from tests.delivery.conftest import BOB, LATER, NOBODY, state
from tests.policy.world import ANN, type_code

MANY = [f"nobody{number}@example.org" for number in range(6)]
HEALTH = "SELECT faults, broken FROM breaker WHERE channel = 'email'"
DOWN = "421 4.3.2 Shutting down"


def broken(office) -> str:
    [(_faults, how)] = office.world.rows(HEALTH)
    return how


def tries(office) -> int:
    return sum(number for _recipe, number, _trouble in office.waiting())


def test_one_fault_is_no_reason_to_rest(office, time):
    office.asked(ANN, BOB)
    office.smtp.refuse(DOWN, "MAIL", times=1)
    office.deliver()
    assert broken(office) == ""
    assert [each.to for each in office.smtp.received] == [(BOB,)]
    assert office.world.rows(HEALTH) == [(0, "")]


def test_after_two_faults_the_others_are_not_even_tried(office, time):
    office.asked(*MANY, ANN)
    office.smtp.stop()
    try:
        office.deliver()
        assert broken(office) == "road"
        assert tries(office) == 2
    finally:
        office.smtp.start()


def test_one_message_in_five_seconds_probes_the_way(office, time):
    office.asked(*MANY)
    office.smtp.refuse(DOWN, "MAIL")
    office.deliver()
    probes = []
    for _second in range(16):
        before = tries(office)
        office.deliver()
        probes.append(tries(office) - before)
        time.pass_(seconds=1)
    assert probes == [0, 0, 0, 0, 0, 1] + [0, 0, 0, 0, 1] * 2


def test_when_it_works_again_everything_leaves_at_once(office, time, caplog):
    office.asked(*MANY, ANN, BOB)
    office.smtp.refuse(DOWN, "MAIL")
    for _minute in range(10):
        office.deliver()
        time.pass_(seconds=60)
    office.smtp.clear()
    with caplog.at_level(logging.WARNING, "latchkey.delivery"):
        time.pass_(seconds=5)
        office.deliver()
    assert office.waiting() == []
    assert len(office.smtp.received) == 2
    assert "email works again after 605 s" in caplog.text
    assert broken(office) == ""


def test_the_log_says_what_is_wrong_and_no_more(office, caplog):
    office.asked(ANN, BOB)
    office.smtp.refuse("550 5.7.1 <ann@example.org> is not welcome", "RCPT")
    with caplog.at_level(logging.INFO, "latchkey.delivery"):
        office.deliver()
    assert "(recovery): refused 550 5.7.1; again in 1 s" in caplog.text
    assert "ann@" not in caplog.text
    assert "welcome" not in caplog.text


@pytest.mark.parametrize("words", [LATER, "550 5.1.1 No such person"])
def test_a_recipient_whom_the_server_refuses_is_no_fault_of_the_server(office, words):
    office.asked(ANN, BOB)
    office.smtp.refuse(words, "RCPT")
    office.deliver()
    assert office.world.rows(HEALTH) == [(0, "")]


def test_a_server_that_takes_no_message_is_asked_for_nobody_all_the_same(office, time):
    """Its road is whole: whoever asks for a stranger must not see the difference."""
    office.asked(ANN, BOB)
    office.smtp.drop("DATA", times=99)
    office.deliver()
    assert broken(office) == "message"
    [known, unknown] = office.asked("carla@example.org", NOBODY)
    office.deliver()
    assert (state(known), state(unknown)) == ("sent", "sent")
    assert broken(office) == "message"


def test_repeats_wait_behind_a_server_that_takes_no_message(office, time):
    browsers = office.asked(ANN, BOB)
    office.smtp.drop("DATA", times=99)
    office.deliver()
    before = tries(office)
    time.pass_(seconds=4)
    office.deliver()
    assert tries(office) == before
    time.pass_(seconds=1)
    office.deliver()
    assert tries(office) == before + 1
    office.smtp.clear()
    time.pass_(seconds=5)
    office.deliver()
    assert sorted(each.to for each in office.smtp.received) == [(ANN,), (BOB,)]
    by_name = {
        each.to[0]: code for each, code in zip(office.smtp.received, office.codes(), strict=True)
    }
    assert type_code(browsers[0], by_name[ANN]).status == 303


def test_while_the_server_is_down_known_and_unknown_wait_alike(office, time):
    known, unknown = office.asked(ANN, NOBODY)
    office.smtp.stop()
    seen = []
    try:
        for _ in range(8):
            office.deliver()
            seen.append([browser.get("/recover/status").json for browser in (known, unknown)])
            time.pass_(seconds=3)
    finally:
        office.smtp.start()
    assert all(one == other and one["state"] == "waiting" for one, other in seen)
    time.pass_(seconds=5)
    office.deliver()
    assert (state(known), state(unknown)) == ("sent", "sent")


def test_a_clock_that_was_set_back_delays_no_probe(office, time):
    office.asked(*MANY)
    office.smtp.refuse(DOWN, "MAIL")
    office.deliver()
    before = tries(office)
    time.pass_(hours=-3)
    office.deliver()
    assert tries(office) > before


def test_messages_to_nobody_do_not_hide_that_none_is_taken(office, time):
    """Their way ends before the fault; they must not forgive it."""
    office.smtp.drop("DATA", times=99)
    for email in (ANN, NOBODY, BOB):
        office.asked(email)
        office.deliver()
    assert broken(office) == "message"


def test_who_asked_sees_it_sent_before_the_server_takes_its_time(office):
    """Over the recipient and the message: nobody's has neither."""
    [browser] = office.asked(ANN)
    office.smtp.hang(0.8, "DATA")
    worker = threading.Thread(target=office.deliver)
    worker.start()
    office.until(lambda: "DATA" in office.smtp.commands)
    assert state(browser) == "sent"
    assert office.smtp.received == []
    worker.join()
    assert type_code(browser, office.codes()[0]).status == 303


def test_what_nobody_can_see_any_more_is_not_even_asked_for(office, time):
    office.asked(ANN, NOBODY)
    time.pass_(minutes=16)
    office.deliver()
    assert office.smtp.commands == []
    assert office.waiting() == []
    assert office.usable() == 0
