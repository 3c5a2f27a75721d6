"""Where MariaDB differs unless it is told: what is the same, what is cut, who waits for whom."""

from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from flask_migrate import upgrade
from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import DataError

from portal import create_app
from portal.core import audit, chain
from portal.core.audit import OPERATOR, Event
from portal.core.db import AWAY, changed, db, transaction, trouble
from portal.core.throttle import Throttle
from portal.delivery import leases
from tests.conftest import SETTINGS

AT = datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=UTC)
DEADLOCK = "40001"


@pytest.fixture
def app(mariadb_url, tmp_path):
    address = mariadb_url.replace("mysql+pymysql", "mariadb")
    own = {"DATABASE_URL": address, "UPLOAD_FOLDER": str(tmp_path / "uploads")}
    made = create_app(SETTINGS | own)
    with made.app_context():
        upgrade()
        yield made
        db.session.remove()
        db.engine.dispose()


def put(*names):
    with transaction() as session:
        for name in names:
            session.add(Throttle(name=name, subject="s", count=1, ends_at=AT))


def test_every_table_can_take_things_back_and_compares_bytes(app):
    found = db.session.execute(
        text(
            "SELECT table_name, engine, table_collation FROM information_schema.tables"
            " WHERE table_schema = database()"
        )
    ).all()
    assert {name for name, *_ in found} >= set(inspect(db.engine).get_table_names())
    assert {(engine, collation) for _, engine, collation in found} == {
        ("InnoDB", "utf8mb4_nopad_bin")
    }


def test_every_moment_has_its_microseconds(app):
    found = db.session.execute(
        text(
            "SELECT count(*), min(datetime_precision) FROM information_schema.columns"
            " WHERE table_schema = database() AND data_type = 'datetime'"
        )
    ).one()
    assert found[0] > 30
    assert found[1] == 6


def test_a_moment_comes_back_as_it_was(app):
    put("one")
    assert db.session.scalar(select(Throttle.ends_at)) == AT


def test_case_accents_and_spaces_at_the_end_make_another_key(app):
    put("a", "A", "á", "a ", "🦊", "🐺")
    assert len(db.session.scalars(select(Throttle)).all()) == 6
    assert db.session.scalars(select(Throttle.name).where(Throttle.name == "a")).all() == ["a"]


def test_nothing_is_cut_to_fit(app):
    with pytest.raises(DataError):
        put("x" * 81)
    assert db.session.scalars(select(Throttle)).all() == []


def test_a_row_that_is_found_counts_though_nothing_changes(app):
    put("one")
    same = update(Throttle).where(Throttle.name == "one").values(count=1)
    with transaction() as session:
        assert changed(session, same) == 1


def test_whoever_waited_for_a_lock_sees_what_was_done_meanwhile(app):
    """A snapshot from before would let the second spend what the first has taken."""
    put("one")
    mine = select(Throttle.count).where(Throttle.name == "one")
    with transaction() as session:
        assert session.scalar(mine) == 1
        with db.engine.begin() as other:
            other.execute(update(Throttle).values(count=7))
        assert session.scalar(mine) == 7
        assert session.scalar(mine.with_for_update()) == 7


def test_of_two_who_wait_for_each_other_one_is_told_to_come_back(app):
    """Doors answer that with 503 and Retry-After; its transaction has left nothing."""
    put("one", "two")
    both, ends = Barrier(2), []
    crowd = [
        Thread(target=count, args=(app, both, ends, *order))
        for order in (("one", "two"), ("two", "one"))
    ]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert sorted(ends) == [DEADLOCK, "kept"]
    assert db.session.scalars(select(Throttle.count)).all() == [2, 2]


def count(app, both, ends, first, second):
    """One more of the first, then, once another did the same elsewhere, of the second."""
    more = update(Throttle).values(count=Throttle.count + 1)
    with app.app_context():
        try:
            with transaction() as session:
                session.execute(more.where(Throttle.name == first))
                both.wait(20)
                session.execute(more.where(Throttle.name == second))
            ends.append("kept")
        except AWAY as err:
            ends.append(trouble(err))


def test_events_are_sealed_with_what_the_database_keeps(app):
    with transaction():
        audit.record("test", None, OPERATOR, detail="spaces at the end  🦊")
    assert chain.verify().findings == []
    db.session.expire_all()
    assert db.session.scalars(select(Event.detail)).one() == "spaces at the end  🦊"


def test_its_clock_is_compared_with_ours(app):
    db.session.execute(text("SET time_zone = '+09:00'"))
    assert abs(leases._seconds_ahead()) < 5
