"""What a balancer is told: who takes a machine out, what is only said, and that nobody waits."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from flask_migrate import upgrade
from sqlalchemy import event, text
from sqlalchemy.pool import Pool

from portal.core import readiness
from portal.core.db import db, transaction
from tests.conftest import SETTINGS
from tests.rigs import postgres
from tests.rigs.caller import Caller
from tests.rigs.postgres import Postgres
from tests.rigs.server import Server

FINE = {"status": "ready", "database": "ok", "store": "ok", "throttles": "ok"}
A_MOMENT = 1.1  # after that a part is asked anew
AT_MOST = 2.0


def told(app):
    answer = app.test_client().get("/readyz")
    return answer.status_code, answer.json


def looked(portal):
    """What is said once a part has been asked anew."""
    time.sleep(A_MOMENT)
    answer = Caller(portal.url).open("/readyz")
    assert answer.seconds < AT_MOST
    return answer.status, answer.json


def backends(server):
    """The processes of a PostgreSQL."""
    found = Path(f"/proc/{server._server.pid}/task/{server._server.pid}/children").read_text()
    return [server._server.pid, *map(int, found.split())]


def send(pids, what):
    for pid in pids:
        with suppress(ProcessLookupError):  # a backend may have ended by itself
            os.kill(pid, what)


@pytest.fixture
def at_once(monkeypatch):
    """Asked anew each time: an application of these tests may have been asked a moment ago."""
    monkeypatch.setattr(readiness, "FRESH", 0)


@pytest.fixture
def own_postgres():
    """One that this test may stop."""
    if reason := postgres.missing():
        pytest.skip(reason)
    with Postgres() as server:
        yield server


@pytest.mark.usefixtures("at_once")
def test_a_portal_that_works_says_so_in_one_word_a_part(app):
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, FINE)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_database_without_our_tables_takes_the_machine_out(make_app, tmp_path):
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
    assert told(app) == (503, FINE | {"status": "not ready", "database": "behind"})
    with app.app_context():
        upgrade(revision="0003")
    assert told(make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}"))[0] == 503


@pytest.mark.usefixtures("at_once")
def test_a_database_of_a_newer_portal_is_told_and_served_on(app):
    with app.app_context(), transaction():
        db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert told(app) == (200, FINE | {"status": "degraded", "database": "ahead"})


def test_pictures_that_cannot_be_kept_are_told_and_people_come_in_all_the_same(make_app, tmp_path):
    (tmp_path / "file").write_text("no folder")
    app = make_app(UPLOAD_FOLDER=str(tmp_path / "file" / "uploads"))
    assert told(app) == (200, FINE | {"status": "degraded", "store": "away"})


@pytest.mark.usefixtures("at_once")
def test_a_store_that_works_is_left_as_it_was(app):
    assert told(app)[1]["store"] == "ok"
    assert list(Path(app.config["UPLOAD_FOLDER"]).iterdir()) == []


@pytest.mark.usefixtures("at_once")
def test_throttles_that_are_off_are_told(make_app):
    app = make_app(THROTTLES="off")
    assert told(app) == (200, FINE | {"status": "degraded", "throttles": "off"})


def test_a_flood_of_questions_asks_the_database_once(app):
    opened = []
    listen = lambda *_: opened.append(1)  # noqa: E731
    event.listen(Pool, "connect", listen)
    time.sleep(A_MOMENT)
    try:
        before = time.monotonic()
        with ThreadPoolExecutor(8) as many:
            answers = list(many.map(lambda _: told(app), range(200)))
        lasted = time.monotonic() - before
    finally:
        event.remove(Pool, "connect", listen)
    assert answers == [(200, FINE)] * 200
    assert 1 <= len(opened) <= 1 + lasted


def test_a_database_that_is_stopped_takes_the_machine_out_until_it_is_back(own_postgres, tmp_path):
    with Server(tmp_path, DATABASE_URL=own_postgres.fresh_database()) as portal:
        assert looked(portal) == (200, FINE)
        own_postgres.stop()
        assert looked(portal) == (503, FINE | {"status": "not ready", "database": "away"})
        assert Caller(portal.url).open("/healthz").status == 200
        assert 'latchkey_part_up{part="database"} 0.0' in Caller(portal.url).open("/metrics").text
        own_postgres.start()
        assert looked(portal) == (200, FINE)


def test_a_database_that_hangs_keeps_nobody_waiting(own_postgres, tmp_path):
    with Server(tmp_path, DATABASE_URL=own_postgres.fresh_database()) as portal:
        assert looked(portal) == (200, FINE)
        frozen = backends(own_postgres)
        send(frozen, signal.SIGSTOP)
        try:
            assert looked(portal)[0] == 503
            with ThreadPoolExecutor(20) as many:
                flood = list(many.map(lambda _: Caller(portal.url).open("/readyz"), range(100)))
            numbers = Caller(portal.url).open("/metrics")
            alive = Caller(portal.url).open("/healthz")
        finally:
            send(frozen, signal.SIGCONT)
        assert {answer.status for answer in flood} == {503}
        assert max(answer.seconds for answer in flood) < AT_MOST
        assert (numbers.status, alive.status) == (200, 200)
        assert max(numbers.seconds, alive.seconds) < AT_MOST
        until = time.monotonic() + 10
        while looked(portal) != (200, FINE):
            assert time.monotonic() < until


def test_redis_away_or_hanging_is_told_and_takes_nothing_out(redis_server, tmp_path):
    fine = FINE | {"queue": "ok"}
    worse = fine | {"status": "degraded", "queue": "away"}
    with Server(tmp_path, REDIS_URL=redis_server.url) as portal:
        Caller(portal.url).open("/readyz")
        assert looked(portal) == (200, fine)
        redis_server._server.send_signal(signal.SIGSTOP)
        assert looked(portal) == (200, worse)
        redis_server._server.send_signal(signal.SIGCONT)
        redis_server.kill()
        time.sleep(AT_MOST)
        assert looked(portal) == (200, worse)
        redis_server.start()
        assert looked(portal) == (200, fine)


def test_a_stranger_learns_no_address_version_or_path(make_app, tmp_path):
    secret = tmp_path / "nowhere"
    secret.write_text("no folder")
    app = make_app(UPLOAD_FOLDER=str(secret / "x"), SECRET_KEY=SETTINGS["SECRET_KEY"])
    words = app.test_client().get("/readyz").get_data(as_text=True)
    assert str(tmp_path) not in words
    assert set(app.test_client().get("/readyz").json.values()) <= {"ok", "away", "degraded"}
