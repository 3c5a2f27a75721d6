"""The database: all or nothing, and time that knows where it is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier

import pytest
from sqlalchemy import NullPool, create_engine, event, text

from portal.core import audit, connections
from portal.core.audit import OPERATOR, Event
from portal.core.db import AWAY, after_commit, at_once, before_commit, db, transaction
from tests.policy.world import World
from tests.rigs.databases import KIND

WHICH = {"postgresql": "SELECT pg_backend_pid()", "mariadb": "SELECT connection_id()"}
ENDS = {"postgresql": "SELECT pg_terminate_backend({}, 5000)", "mariadb": "KILL {}"}
AT_ONCE = 12  # fewer than a process may have
COUNT = "SELECT count(*) FROM event"


@pytest.fixture
def world(app):
    with app.app_context():
        yield World(app)


def put() -> None:
    audit.record("test", None, OPERATOR)


def test_everything_inside_is_kept(world):
    with transaction():
        put()
        put()
    assert world.rows(COUNT) == [(2,)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_or_nothing_whatever_went_wrong(world, error):
    with pytest.raises(error), transaction():
        put()
        raise error
    assert world.rows(COUNT) == [(0,)]


def test_one_story_never_calls_another(world):
    with transaction():
        put()
        with pytest.raises(RuntimeError, match="A story called another story"), transaction():
            pass
    assert world.rows(COUNT) == [(1,)]


def test_what_is_to_follow_follows_what_was_kept_and_only_that(world):
    done = []
    with transaction():
        after_commit(lambda: done.append(world.rows(COUNT)))
        put()
        assert done == []
    with pytest.raises(ValueError, match="no"), transaction():
        after_commit(lambda: done.append("never"))
        raise ValueError("no")
    with transaction():
        put()
    assert done == [[(1,)]]


def test_a_statement_at_once_tells_how_many_rows_it_changed(world):
    with transaction():
        put()
        put()
    assert at_once(text("UPDATE event SET detail = 'x'")) == 2
    assert at_once(text("UPDATE event SET detail = 'x' WHERE id = 99")) == 0


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_times_come_back_aware_and_in_utc(world, zone):
    at = datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=zone)
    with transaction():
        put()
    with transaction() as session:
        session.query(Event).update({"at": at})
    db.session.expire_all()
    found = db.session.query(Event).one().at
    assert found == at
    assert found.tzinfo is UTC


@pytest.mark.skipif(KIND == "sqlite", reason="a file hangs up on nobody")
def test_who_comes_after_a_rest_gets_no_connection_that_has_died(world, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SECONDS", -1)  # each use comes after a rest
    resting = db.session.scalar(text(WHICH[KIND]))
    db.session.remove()
    _hang_up_on(resting)
    assert db.session.scalar(text("SELECT 1")) == 1


def _hang_up_on(number: int) -> None:
    with create_engine(db.engine.url, poolclass=NullPool).connect() as other:
        other.exec_driver_sql(ENDS[KIND].format(number))


@pytest.mark.skipif(KIND == "sqlite", reason="a file hangs up on nobody")
@pytest.mark.parametrize("when", ["while it asks", "before it is kept", "behind the chain's head"])
def test_who_is_hung_up_on_in_the_middle_is_told_that_the_database_is_away(world, when):
    with pytest.raises(AWAY), transaction() as session:
        own = session.scalar(text(WHICH[KIND]))
        if when == "while it asks":
            _hang_up_on(own)
            session.scalar(text("SELECT 1"))
        put()
        if when == "behind the chain's head":
            before_commit(lambda: _hang_up_on(own))  # asked for after the link of the chain
        else:
            _hang_up_on(own)
    assert world.rows(COUNT) == [(0,)]


@pytest.mark.skipif(KIND != "sqlite", reason="others tell them, and the log no error's words")
def test_values_of_a_failed_statement_stay_out_of_the_words(world):
    with pytest.raises(Exception, match="hidden due to hide_parameters") as error:
        db.session.execute(text("INSERT INTO event (kind) VALUES (:kind)"), {"kind": "secret 42"})
    db.session.rollback()
    assert "secret 42" not in str(error.value)


@pytest.mark.skipif(KIND != "sqlite", reason="about SQLite")
def test_sqlite_keeps_its_promises(world):
    pragma = lambda name: world.rows(f"PRAGMA {name}")[0][0]  # noqa: E731
    assert pragma("foreign_keys") == 1
    assert pragma("journal_mode") == "wal"
    assert pragma("busy_timeout") >= 5000


def test_a_missing_folder_of_the_database_is_made(tmp_path, make_app):
    make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'new' / 'deep' / 'portal.db'}")
    assert (tmp_path / "new" / "deep").is_dir()


def test_what_was_opened_for_many_at_once_is_kept_for_the_next(app):
    """Opened anew for each of them, connections would cost more than what is asked on them."""
    opened, closed = [], []
    with app.app_context():
        engine = db.engine
    noted, gone = (lambda *_told: opened.append(1)), (lambda *_told: closed.append(1))
    event.listen(engine, "connect", noted)
    event.listen(engine, "close", gone)

    def ask(all_there):
        with engine.connect() as line:
            line.execute(text("SELECT 1"))
            all_there.wait(30)

    try:
        for _wave in range(3):
            all_there = Barrier(AT_ONCE)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(ask, [all_there] * AT_ONCE))
    finally:
        event.remove(engine, "connect", noted)
        event.remove(engine, "close", gone)
    assert len(opened) <= AT_ONCE
    assert not closed
