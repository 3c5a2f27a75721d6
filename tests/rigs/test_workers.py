"""The workers of the tests start, are killed whole or in part, and end when told to."""

import os
import time

import pytest

from tests.rigs.post_office import PostOffice
from tests.rigs.server import Server
from tests.rigs.workers import CeleryWorker, DeliverWorker, ServeWorker

pytestmark = pytest.mark.journey


@pytest.fixture
def migrated(tmp_path):
    server = Server(tmp_path)
    server.migrate()
    return server


@pytest.mark.parametrize("kind", [DeliverWorker, ServeWorker])
def test_a_worker_comes_back_after_a_crash_and_ends_when_told(migrated, kind):
    with kind(migrated.environment, migrated.folder / "worker.log") as worker:
        worker.kill()
        assert not worker.is_alive()
        worker.start()
        assert worker.stop() == 0


def test_a_worker_that_cannot_start_says_why(migrated):
    worker = DeliverWorker(migrated.environment | {"SECRET_KEY": ""}, migrated.folder / "log")
    with pytest.raises(AssertionError, match="SECRET_KEY"):
        worker.start()


def test_celery_replaces_one_of_its_pool_and_dies_with_all_of_it(migrated, redis_server):
    settings = migrated.environment | {"REDIS_URL": redis_server.url}
    with CeleryWorker(settings, migrated.folder / "celery.log", 2) as worker:
        first, second = worker.pool()
        (beat,) = worker.beat()
        worker.kill_one(first)
        _until(lambda: len(set(worker.pool()) - {first}) == 2)
        assert second in worker.pool()
        worker.kill()
        _until(lambda: not [pid for pid in (second, beat) if os.path.exists(f"/proc/{pid}/exe")])


def test_a_post_office_comes_back_on_its_port(tmp_path):
    with PostOffice(tmp_path) as post:
        port = post.port
        post.stop()
        post.start()
        assert post.port == port
        assert post.accepted() == []


def _until(fact):
    end = time.monotonic() + 10
    while not fact():
        assert time.monotonic() < end, "It did not come to that."
        time.sleep(0.05)
