"""What nobody asks the outcome of: it is written all the same, and its trouble is told."""

import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import NullPool, create_engine, event, inspect, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from portal.codes.models import Challenge
from portal.core import audit, pipelines, rows
from portal.core.audit import OPERATOR, Event
from portal.core.db import at_once, db, transaction
from portal.core.rows import unheard
from portal.core.tally import Tally
from portal.core.worded import Worded
from tests.policy.world import World
from tests.rigs.databases import KIND

NOW = datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=UTC)
WISH = {
    "purpose": "test", "channel": "email", "door": "page", "user_id": 0, "typed_hash": "",
    "device": "", "code_seconds": 30, "max_attempts": 5, "link_seconds": 900, "link_path": "",
    "opened_at": NOW,
}  # fmt: skip
BLANK = dict.fromkeys(
    ("network", "device", "verified_by", "reason", "ticket", "detail", "request", "mark"), ""
)
TEN = {"name": "test", "day": NOW.date(), "part": "", "count": 10}
MORE = update(Tally).values(count=Tally.count + 1)
SAID = Worded(MORE)
SUMS = "SELECT count FROM tally WHERE name = 'test'"
HELD = "SELECT count FROM tally WHERE name = 'test' FOR UPDATE"
pipelines_only = pytest.mark.skipif(KIND != "postgresql", reason="others wait for each answer")


@pytest.fixture
def world(app):
    with app.app_context():
        yield World(app)
        db.session.remove()


@pytest.fixture
def said(world):
    """Each statement that is sent."""
    statements = []

    def note(_connection, _cursor, statement, *_more):
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield statements
    event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def other(world):
    """Somebody else's connection."""
    with create_engine(db.engine.url, poolclass=NullPool).connect() as line:
        yield line


def test_a_row_put_in_is_there_like_one_that_was_read(world, said):
    with transaction():
        wish = rows.put(Challenge, id="a", **WISH)
        said.clear()
        assert (wish.otp_id, wish.opened_at, db.session.get(Challenge, "a")) == (None, NOW, wish)
        assert said == []  # nothing was looked up
        wish.follows = "b"
    assert world.rows("SELECT id, follows FROM challenge") == [("a", "b")]


def test_a_row_is_changed_and_so_is_the_object(world, said):
    with transaction():
        wish = rows.put(Challenge, id="a", **WISH)
        rows.put(Challenge, id="b", **WISH)
    with transaction():
        rows.change(Challenge, "a", link_path="/new", closed_at=NOW)
        said.clear()
        assert (wish.link_path, wish.closed_at) == ("/new", NOW)
        assert not inspect(wish).modified
    db.session.remove()
    wanted = "SELECT id, link_path FROM challenge WHERE closed_at IS NULL OR link_path <> ''"
    assert world.rows(wanted + " ORDER BY id") == [("a", "/new"), ("b", "")]


def test_what_was_changed_before_is_written_before(world):
    with transaction():
        wish = rows.put(Challenge, id="a", **WISH)
        wish.device, wish.follows = "first", "first"
        rows.change(Challenge, "a", follows="second")
    assert world.rows("SELECT device, follows FROM challenge") == [("first", "second")]


def test_what_is_undone_was_never_put_in(world):
    with pytest.raises(ValueError, match="no"), transaction():
        rows.put(Challenge, id="a", **WISH)
        raise ValueError("no")
    with transaction() as session:
        before = session.begin_nested()
        rows.put(Challenge, id="b", **WISH)
        before.rollback()
        rows.put(Challenge, id="c", **WISH)
    assert world.rows("SELECT id FROM challenge") == [("c",)]


@pytest.mark.parametrize("then", ["commits", "asks", "says more", "opens a savepoint"])
def test_what_fails_unheard_undoes_all_of_it_and_says_so(world, then):
    """What failed first is told, not what failed after it; and the next has a whole connection."""
    with transaction():
        rows.send(Tally, TEN)
    with pytest.raises(IntegrityError), transaction() as session:
        unheard(session, SAID)
        rows.send(Tally, TEN)
        if then == "asks":
            session.scalar(text(SUMS))
        if then == "says more":
            unheard(session, SAID)
        if then == "opens a savepoint":
            session.begin_nested()
    assert world.rows(SUMS) == [(10,)]
    assert at_once(MORE) == 1
    with transaction() as session:
        unheard(session, SAID)
    assert world.rows(SUMS) == [(12,)]


def test_who_notices_in_the_middle_and_goes_on_keeps_nothing(world):
    with transaction():
        rows.send(Tally, TEN)
    with pytest.raises(DBAPIError), transaction() as session:
        unheard(session, Worded(text("UPDATE nothing SET there = 1")))
        with pytest.raises(DBAPIError):
            session.scalar(text(SUMS))
        unheard(session, SAID)
        session.scalar(text(SUMS))
    assert world.rows(SUMS) == [(10,)]


def test_how_many_rows_were_changed_is_right_after_what_nobody_heard(world):
    with transaction():
        rows.send(Tally, TEN)
        rows.send(Tally, TEN | {"part": "part"})
    with transaction() as session:
        unheard(session, SAID)
        assert session.execute(MORE).rowcount == 2
        unheard(session, SAID)
        assert session.connection().execute(MORE).rowcount == 2
        unheard(session, SAID)
        kept = session.scalars(db.select(Tally)).all()
        for each in kept:
            each.count *= 2
        unheard(session, SAID)  # two objects in one go before it: each has to be there
        for each in kept:
            session.delete(each)
    assert world.rows(SUMS) == []


@pytest.mark.parametrize("times", [1, 12])  # from the sixth on the driver has them prepared
def test_a_savepoint_undoes_what_nobody_heard_of(world, times):
    with transaction():
        rows.send(Tally, TEN)
    for _each in range(times):
        with transaction() as session:
            unheard(session, SAID)
            with pytest.raises(IntegrityError), session.begin_nested():
                unheard(session, SAID)
                session.execute(db.insert(Tally).values(TEN))
            unheard(session, SAID)
    assert world.rows(SUMS) == [(10 + 2 * times,)]


@pipelines_only
def test_nobody_waits_for_what_nobody_asks_about(world, other):
    with transaction():
        rows.send(Tally, TEN)
    other.execute(text(HELD))
    done = []
    with transaction() as session:
        unheard(session, SAID)  # whoever holds the row lets it go when this one has gone on
        done.append("said")
        threading.Timer(0.1, other.rollback).start()
        assert session.scalar(text(SUMS)) == 11
    assert done == ["said"]


@pytest.mark.parametrize("many", ["SELECT length(:long)", "SELECT cast(:long AS text)"])
@pipelines_only
def test_nobody_waits_for_a_database_that_reads_nothing(world, other, many):
    """What is too much for the line, either way, comes through in the end."""
    with transaction():
        rows.send(Tally, TEN)
    other.execute(text(HELD))
    free = threading.Timer(3, other.rollback)  # should somebody wait for it after all
    free.start()
    with transaction() as session:
        unheard(session, SAID)
        for _each in range(20):
            unheard(session, Worded(text(many)), {"long": "x" * 1_000_000})
        waited = free.finished.is_set()
        free.cancel()
        other.rollback()
        assert session.scalar(text(SUMS)) == 11
        unheard(session, SAID)
    assert not waited
    assert world.rows(SUMS) == [(12,)]


@pipelines_only
@pytest.mark.parametrize("then", ["says more", "commits"])
def test_a_connection_that_ends_before_the_commit_is_told(world, other, then):
    with transaction():
        rows.send(Tally, TEN)
    with pytest.raises(OperationalError), transaction() as session:
        number = session.scalar(text("SELECT pg_backend_pid()"))
        unheard(session, SAID)
        other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
        if then == "says more":
            unheard(session, SAID)
            audit.record("test", 1, OPERATOR)
    assert world.rows(SUMS) == [(10,)]
    assert at_once(MORE) == 1


@pytest.mark.skipif(KIND == "sqlite", reason="one writes at a time anyway")
def test_who_only_counts_does_not_wait_for_the_chain(world, other):
    other.execute(text("SELECT place FROM event_head FOR UPDATE"))
    audit.count_now("test")
    assert world.rows(SUMS) == [(1,)]


@pipelines_only
def test_who_waits_for_the_chain_does_not_wait_for_the_disk(world, said):
    """The one whose event it is does: a second transaction is written after the first."""
    with transaction():
        audit.record("test", 1, OPERATOR)
    assert said[-2:] == ["COMMIT", pipelines.WRITTEN]
    assert pipelines.NO_WAIT in said
    said.clear()
    audit.count_now("test")
    assert said[-1] == "COMMIT"
    assert pipelines.NO_WAIT not in said


@pipelines_only
def test_what_need_not_last_is_kept_without_the_disk(world, said):
    with transaction(lasting=False):
        rows.put(Challenge, id="a", **WISH)
    assert said[:2] == ["BEGIN", pipelines.NO_WAIT]
    assert said[-1] == "COMMIT"
    assert world.rows("SELECT id FROM challenge") == [("a",)]


def test_a_row_begun_has_its_key_at_once(world, said):
    with transaction():
        one, two = (rows.begin(Event, kind="begun", desk=False, at=NOW, **BLANK) for _ in "ab")
        said.clear()
        assert (db.session.get(Event, two.id), two.person_id, said) == (two, None, [])
        assert two.id > one.id
    db.session.remove()
    assert world.rows("SELECT kind, mark FROM event") == [("begun", "")] * 2


@pytest.mark.parametrize("asked", [True, False])
def test_whoever_wants_to_know_an_event_is_told_its_id(world, asked):
    heard = []
    with transaction():
        first, second = (audit.record("test", n, OPERATOR) for n in (1, 2))
        if asked:
            assert second.id
        for each in second, first:
            each.told(lambda number, each=each: heard.append((each, number)))
    assert sorted(heard, key=lambda told: told[1]) == [(first, first.id), (second, second.id)]


def test_what_comes_of_an_id_is_undone_with_its_event(world):
    def note(number):
        rows.send(Tally, TEN | {"part": str(number)})

    with transaction() as session:
        with suppress(LookupError), session.begin_nested():
            audit.record("undone", 1, OPERATOR).told(note)
            raise LookupError
        kept = audit.record("kept", 1, OPERATOR)
        kept.told(note)
    with suppress(LookupError), transaction():
        audit.record("undone", 1, OPERATOR).told(note)
        raise LookupError
    assert world.rows("SELECT part FROM tally WHERE name = 'test'") == [(str(kept.id),)]


def test_a_row_that_was_undone_can_be_put_in_once_more(world):
    with suppress(LookupError), transaction():
        gone = rows.put(Challenge, id="a", **WISH)
        raise LookupError
    with transaction():
        assert db.session.get(Challenge, "a", populate_existing=True) is None
        assert rows.put(Challenge, id="a", **WISH) is not gone
    assert world.rows("SELECT id FROM challenge") == [("a",)]


@pytest.mark.parametrize("asked", [True, False])
def test_an_event_has_an_id_as_soon_as_somebody_asks(world, asked):
    with transaction():
        first, second, third = (audit.record("test", n, OPERATOR) for n in (1, 2, 3))
        ids = [second.id] if asked else []
        assert (second.event in db.session) == asked  # else it is not written yet
    assert world.rows("SELECT person_id, place FROM event ORDER BY place") == [
        (1, 1), (2, 2), (3, 3),
    ]  # fmt: skip
    kept = dict(world.rows("SELECT person_id, id FROM event ORDER BY place"))
    assert list(kept.values()) == sorted(kept.values())  # lists of events stand in their order
    assert {n: each.id for n, each in enumerate((first, second, third), 1)} == kept
    assert ids in ([], [kept[2]])
    assert audit.get(first.id).person_id == 1
