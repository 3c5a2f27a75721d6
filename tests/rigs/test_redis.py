"""The tests' Redis goes away and comes back where it was."""

import pytest

from tests.rigs.redis import Redis


def test_after_a_crash_it_is_back_on_its_port_and_remembers_nothing(redis_server):
    assert redis_server.ask("SET colour blue") == "+OK"
    redis_server.kill()
    assert redis_server.ask("PING") is None
    redis_server.start()
    assert redis_server.ask("GET colour") == "$-1"


@pytest.mark.usefixtures("redis_server")
def test_one_that_keeps_a_file_remembers():
    with Redis(keeps=True) as redis:
        redis.ask("SET colour blue")
        redis.kill()
        redis.start()
        assert redis.ask("GET colour") == "$4"
        redis.restart()
        assert redis.ask("GET colour") == "$4"
