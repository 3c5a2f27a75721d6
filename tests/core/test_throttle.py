"""Counters that last: exact, together or not at all, and of nobody by name."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from portal.core import pipelines, throttle
from portal.core.db import db, transaction
from portal.core.errors import TooSoon
from portal.core.throttle import Limit
from tests.policy.world import World
from tests.rigs.databases import KIND


@pytest.fixture
def world(app):
    with app.app_context():
        yield World(app)


def spend(*limits: Limit) -> bool:
    """Whether there was a turn left."""
    try:
        throttle.spend(limits)
    except TooSoon:
        return False
    return True


def test_so_many_turns_in_so_long_and_then_anew(world, time):
    limit = Limit("sends", "ann", 3, 60)
    assert [spend(limit) for _ in range(5)] == [True, True, True, False, False]
    time.pass_(seconds=59)
    assert not spend(limit)
    time.pass_(seconds=1)
    assert [spend(limit) for _ in range(4)] == [True, True, True, False]


@pytest.mark.skipif(KIND != "postgresql", reason="others have no such switch")
def test_nobody_waits_for_the_disk_with_a_count_in_hands(world):
    said, limit = [], Limit("sends", "ann", 3, 60)

    def note(_line, _cursor, statement, *_more):
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        throttle.spend([limit])
        throttle.refund([limit])
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert said.count("BEGIN") == said.count(pipelines.NO_WAIT) == 2
    assert world.rows("SELECT count FROM throttle") == [(0,)]


def test_nobody_waits_for_a_clock_that_was_set_back(world, time):
    limit = Limit("sends", "ann", 2, 60)
    assert [spend(limit) for _ in range(3)] == [True, True, False]
    time.pass_(days=-1)
    assert [spend(limit) for _ in range(3)] == [True, True, False]
    time.pass_(seconds=60)
    assert spend(limit)


def test_it_says_until_when_and_refusals_do_not_prolong_it(world, time):
    limit = Limit("sends", "ann", 1, 60)
    spend(limit)
    time.pass_(seconds=40)
    with pytest.raises(TooSoon) as wait:
        throttle.spend([limit])
    assert (wait.value.retry_at - time.at).total_seconds() == 20


def test_one_turn_is_the_last_and_nothing_is_counted_beyond_it(world):
    limit = Limit("sends", "ann", 2, 60)
    with transaction():
        assert [throttle.takes_last(limit) for _ in range(4)] == [False, True, False, False]
    assert world.rows("SELECT count FROM throttle") == [(2,)]


def test_of_several_limits_the_longest_wait_counts(world, time):
    limits = Limit("hour", "ann", 1, 3600), Limit("minute", "ann", 1, 60)
    spend(*limits)
    with pytest.raises(TooSoon) as wait:
        throttle.spend(limits)
    assert (wait.value.retry_at - time.at).total_seconds() == 3600


def test_when_one_is_used_up_none_is_taken(world):
    narrow, wide = Limit("narrow", "ann", 1, 60), Limit("wide", "ann", 2, 60)
    assert spend(narrow, wide)
    for _ in range(3):
        assert not spend(narrow, wide)
    assert [spend(wide), spend(wide)] == [True, False]


def test_subjects_and_names_have_counts_of_their_own(world):
    assert spend(Limit("sends", "ann", 1, 60))
    assert spend(Limit("sends", "bob", 1, 60))
    assert spend(Limit("tries", "ann", 1, 60))
    assert not spend(Limit("sends", "ann", 1, 60))


def test_a_limit_of_no_seconds_is_none(world):
    assert all(spend(Limit("sends", "ann", 1, 0)) for _ in range(3))
    assert world.rows("SELECT * FROM throttle") == []


def test_a_turn_given_back_can_be_taken_again(world):
    limit = Limit("tries", "ann", 1, 60)
    spend(limit)
    throttle.refund([limit])
    throttle.refund([limit])
    assert [spend(limit), spend(limit)] == [True, False]


def test_where_nothing_is_counted_nothing_is_given_back(world, monkeypatch):
    limit = Limit("tries", "ann", 1, 60)
    spend(limit)
    with monkeypatch.context() as off:
        off.setitem(world.app.config, "THROTTLES", False)
        throttle.refund([limit])
    assert not spend(limit)


def test_cleared_subjects_begin_anew_and_others_do_not(world):
    ann, bob = Limit("sends", "ann", 1, 60), Limit("sends", "bob", 1, 60)
    spend(ann)
    spend(bob)
    with transaction() as session:
        throttle.clear(session, ["ann"])
    assert [spend(ann), spend(bob)] == [True, False]


def test_counts_that_ended_are_purged(world, time):
    spend(Limit("short", "ann", 1, 60))
    spend(Limit("long", "ann", 1, 3600))
    time.pass_(seconds=61)
    with transaction():
        assert throttle.purge() == 1
    assert world.rows("SELECT name FROM throttle") == [("long",)]


def test_no_subject_can_be_read(world):
    spend(Limit("sends", "ann@example.org", 1, 60))
    [row] = world.rows("SELECT * FROM throttle")
    assert "ann" not in str(row)


def test_many_at_once_get_exactly_as_many_turns_as_there_are(app):
    def one(_number):
        with app.app_context():
            return spend(Limit("sends", "ann", 7, 60), Limit("sends", "everybody", 100, 60))

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(40))) == 7


def test_switched_off_nothing_is_counted(make_app):
    app = make_app(THROTTLES="off")
    with app.app_context():
        assert all(spend(Limit("sends", "ann", 1, 60)) for _ in range(3))
