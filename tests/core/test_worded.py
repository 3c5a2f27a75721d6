"""Statements said straight to the driver: read and told like SQLAlchemy's own."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import NullPool, bindparam, create_engine, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from portal.accounts.models import Person
from portal.core import rows
from portal.core.db import AWAY, at_once, db, lacks_table, line, transaction, trouble
from portal.core.looks import Look
from portal.core.tally import Tally
from portal.core.worded import Worded
from portal.delivery.models import Turn
from tests.policy.world import World
from tests.rigs.databases import KIND

NUMBERS = {
    "sqlite": None,
    "postgresql": "SELECT pg_backend_pid()",
    "mariadb": "SELECT connection_id()",
}
ENDS = {"postgresql": "SELECT pg_terminate_backend({}, 5000)", "mariadb": "KILL {}"}
REFUSED = {
    "sqlite": "SQLITE_CONSTRAINT_PRIMARYKEY",
    "postgresql": "23505",
    "mariadb": "23000",
}
NOW = datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=UTC)
DAY = NOW.date()
SUMS = Worded(
    select(Tally.part, Tally.day, Tally.count)
    .where(Tally.name == bindparam("name"), Tally.count > 1)
    .order_by(Tally.part)
)
MORE = Worded(update(Tally).where(Tally.part == bindparam("which")).values(count=Tally.count + 1))


def _sum(part):
    return {"name": "test", "day": DAY, "part": part, "count": 2}


PUT_IN = Worded(insert(Tally).values({each: bindparam(each) for each in _sum("")}))


@pytest.fixture
def world(app):
    with app.app_context():
        with transaction():
            for part in "abc":
                rows.send(Tally, _sum(part))
        yield World(app)
        db.session.remove()


def test_an_answer_is_read_as_its_columns_are(world):
    with transaction() as session:
        assert rows.asked(session, SUMS, {"name": "test"}) == [[each, DAY, 2] for each in "abc"]
        assert rows.asked(session, SUMS, {"name": "nothing"}) == []
        assert SUMS.first(line(session), {"name": "test"}) == ["a", DAY, 2]
        assert SUMS.first(line(session), {"name": "nothing"}) is None
        session.execute(update(Turn).values(until=NOW))
        assert rows.asked(session, Worded(select(Turn.until))) == [[NOW]]


def test_it_tells_how_many_rows_were_changed(world):
    with transaction() as session:
        rows.unheard(session, MORE, {"which": "a"})
        assert rows.heard(session, MORE, {"which": "a"}) == 1
        assert rows.heard(session, MORE, {"which": "z"}) == 0
    assert world.rows("SELECT part, count FROM tally WHERE name = 'test' ORDER BY part") == [
        ("a", 4), ("b", 2), ("c", 2),
    ]  # fmt: skip


def test_what_an_object_has_not_written_yet_is_written_before(world):
    with transaction() as session:
        session.get_one(Tally, ("test", DAY, "b")).count = 10
        assert rows.asked(session, SUMS, {"name": "test"})[1] == ["b", DAY, 10]
        session.get_one(Tally, ("test", DAY, "b")).count = 20
        assert rows.heard(session, MORE, {"which": "b"}) == 1
    assert world.rows("SELECT count FROM tally WHERE part = 'b'") == [(21,)]


@pytest.mark.parametrize("way", [rows.heard, rows.unheard])
def test_what_is_refused_is_told_in_sqlalchemys_words_and_without_values(world, way):
    with pytest.raises(IntegrityError) as told, transaction() as session:
        way(session, PUT_IN, _sum("a"))
        rows.asked(session, SUMS, {"name": "test"})
    assert trouble(told.value) == REFUSED[KIND]
    assert told.value.params is None
    assert at_once(text("DELETE FROM tally WHERE name = 'test'")) == 3


def test_a_table_that_is_not_there_is_missed(world):
    with pytest.raises(DBAPIError) as told, transaction() as session:
        rows.asked(session, Worded(text("SELECT 1 FROM nowhere")))
    assert lacks_table(told.value) or KIND == "sqlite"


@pytest.mark.skipif(KIND == "sqlite", reason="a file hangs up on nobody")
@pytest.mark.parametrize("way", [rows.heard, rows.unheard])
def test_a_connection_that_ended_is_told_and_given_up(world, way):
    with pytest.raises(OperationalError), transaction() as session:
        number = session.scalar(text(NUMBERS[KIND]))
        with create_engine(db.engine.url, poolclass=NullPool).begin() as other:
            other.exec_driver_sql(ENDS[KIND].format(number))
        way(session, MORE, {"which": "a"})
        way(session, MORE, {"which": "b"})
    assert line(db.session()).closed is False
    with transaction() as session:
        assert rows.heard(session, MORE, {"which": "a"}) == 1
        assert session.scalar(text(NUMBERS[KIND])) != number


@pytest.mark.skipif(KIND == "sqlite", reason="a file hangs up on nobody")
@pytest.mark.parametrize("ask", ["look", "heard", "unheard"])
def test_a_connection_that_the_driver_has_closed_is_told_as_one(world, ask):
    look = Look((Turn,), select(Turn.name))
    with pytest.raises(AWAY), transaction() as session:
        session.connection().connection.dbapi_connection.close()
        if ask == "look":
            look.here({})
        else:
            getattr(rows, ask)(session, MORE, {"which": "a"})
    assert look.first({}) is not None


def test_a_moment_that_a_row_put_in_tells_is_read_as_one(world):
    if KIND == "mariadb":
        pytest.skip("of what SQLAlchemy says to MySQL nothing comes back")
    put = insert(Turn).values(name=bindparam("named"), holder="", until=bindparam("at"))
    with transaction() as session:
        told = Worded(put.returning(Turn.until))
        assert rows.asked(session, told, {"named": "test", "at": NOW}) == [[NOW]]


def test_whoever_listens_to_sqlalchemy_is_told_of_these_as_well(world):
    told = []

    def before(_line, _cursor, statement, values, context, _many):
        assert (context.statement, context.parameters) == (statement, values)
        context.started = statement
        told.append(values)

    def after(_line, _cursor, _statement, _values, context, _many):
        told.append(context.started.split()[0])

    event.listen(db.engine, "before_cursor_execute", before)
    event.listen(db.engine, "after_cursor_execute", after)
    try:
        with transaction() as session:
            told.clear()
            rows.unheard(session, MORE, {"which": "a"})
            rows.asked(session, SUMS, {"name": "test"})
            assert told[1::2] == ["UPDATE", "SELECT"]
            assert ["a" in str(told[0]), "test" in str(told[2])] == [True, True]
    finally:
        event.remove(db.engine, "before_cursor_execute", before)
        event.remove(db.engine, "after_cursor_execute", after)


@pytest.mark.parametrize(
    "statement",
    [
        select(Tally.part).where(Tally.part.in_(["a", "b"])),
        insert(Person).values(email=bindparam("email")),  # its uuid would be Python's to give
    ],
    ids=["a list", "a default"],
)
def test_what_python_would_have_to_put_together_each_time_is_refused(world, statement):
    with pytest.raises(ValueError, match=r"part|person"), transaction() as session:
        rows.asked(session, Worded(statement), {"email": "ann@example.org"})
