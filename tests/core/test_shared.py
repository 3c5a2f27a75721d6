"""What processes share in Redis: counts of crowds and what is dear; without it all goes on."""

import time as real_time

import pytest
import redis

from portal.core import shared, throttle
from portal.core.errors import TooSoon
from portal.core.throttle import Limit
from tests.policy.world import World

CROWD = Limit("sends", "network 192.0.2.0/24", 3, 60)
ANN = Limit("sends", "ann", 1, 60)
COUNTED = "SELECT count(*) FROM throttle"


@pytest.fixture
def two(make_app, redis_server, monkeypatch):
    """Two processes' applications with one database and one Redis."""
    monkeypatch.setattr(shared, "AWAY_SECONDS", 0.3)
    return [make_app(REDIS_URL=redis_server.url) for _ in range(2)]


def spend(app, *limits: Limit) -> bool:
    with app.app_context():
        try:
            throttle.spend(limits)
        except TooSoon:
            return False
        return True


def rows(app) -> int:
    with app.app_context():
        return World(app).rows(COUNTED)[0][0]


def test_a_crowd_has_one_count_in_all_processes_and_no_row(two):
    one, other = two
    assert [spend(app, CROWD) for app in (one, other, one, other)] == [True, True, True, False]
    assert rows(one) == 0


def test_what_is_one_persons_or_has_to_last_stays_in_the_table(two):
    day = Limit("sms in day", "everybody", 5, 86400)
    assert spend(two[0], ANN, day)
    assert rows(two[0]) == 2


def test_it_says_how_long_to_wait(two):
    with two[0].app_context():
        for _ in range(3):
            throttle.spend([CROWD])
        with pytest.raises(TooSoon) as wait:
            throttle.spend([CROWD])
    seconds = (wait.value.retry_at - throttle.clock.now()).total_seconds()
    assert 50 < seconds <= 60


def test_whoever_is_refused_takes_no_turn_of_the_crowd(two):
    app = two[0]
    assert spend(app, CROWD, ANN)
    assert not any(spend(app, CROWD, ANN) for _ in range(5))
    assert [spend(app, CROWD) for _ in range(3)] == [True, True, False]


def test_a_turn_of_the_crowd_that_is_given_back_can_be_taken_again(two):
    app = two[0]
    assert all(spend(app, CROWD) for _ in range(3))
    with app.app_context():
        throttle.refund([CROWD])
    assert [spend(app, CROWD), spend(app, CROWD)] == [True, False]


def test_without_redis_the_table_counts_and_nobody_waits_for_it(two, redis_server):
    app = two[0]
    assert spend(app, CROWD)
    redis_server.kill()
    began = real_time.monotonic()
    assert [spend(app, CROWD) for _ in range(4)] == [True, True, True, False]
    assert real_time.monotonic() - began < 10 * shared.PATIENCE_SECONDS
    assert rows(app) == 1


def test_an_address_that_celery_alone_understands_is_as_good_as_none(make_app):
    app = make_app(REDIS_URL="sentinel://127.0.0.1:1/0")
    assert [spend(app, CROWD) for _ in range(4)] == [True, True, True, False]


def test_once_it_is_back_it_counts_again(two, redis_server):
    app = two[0]
    redis_server.kill()
    assert spend(app, CROWD)
    redis_server.start()
    real_time.sleep(shared.AWAY_SECONDS + 0.1)
    assert [spend(app, CROWD) for _ in range(4)] == [True, True, True, False]


def test_what_is_dear_is_made_once_for_all_processes(two, redis_server):
    made = []

    def make() -> list[float | None]:
        made.append(1)
        return [0.5, None]

    for app in two:
        with app.app_context():
            assert shared.remembered("dear", 60, make) == [0.5, None]
    assert len(made) == 1
    redis_server.kill()
    with two[0].app_context():
        assert shared.remembered("dear", 60, make) == [0.5, None]
    assert len(made) == 2


def test_no_subject_can_be_read_in_redis_either(two, redis_server):
    spend(two[0], Limit("sends", "network 198.51.100.0/24", 3, 60))
    [key] = redis.Redis.from_url(redis_server.url).keys()
    assert key.startswith(b"latchkey:sends:")
    assert b"198.51.100" not in key
