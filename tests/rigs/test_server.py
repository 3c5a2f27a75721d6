"""The served product starts, catches mail, survives a crash and ends when told to."""

import pytest

from tests.rigs.server import Server

pytestmark = pytest.mark.journey


def test_it_does_not_start_without_its_secret_and_says_why(tmp_path):
    server = Server(tmp_path, SECRET_KEY="")
    with pytest.raises(AssertionError, match="SECRET_KEY"):
        server.flask("db", "upgrade")


def test_a_port_that_is_taken_is_told_from_a_slow_start(portal, tmp_path):
    second = Server(tmp_path, PORT=str(portal.port))
    second.url = "http://127.0.0.1:9"  # nobody answers there
    with pytest.raises(AssertionError, match="did not start"):
        second.start()


def test_it_ends_when_told_and_comes_back_after_a_crash(tmp_path):
    with Server(tmp_path) as server:
        server.kill()
        server.start()
        assert server.mailbox() == []
        assert server.stop() == 0


def test_mail_that_does_not_come_is_missed(portal):
    with pytest.raises(AssertionError, match="0 of 1 messages to nobody@example"):
        portal.wait_for_mail("nobody@example.org", seconds=0.3)
