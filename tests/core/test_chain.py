# ruff: noqa: S608 - what is done by SQL here is what a thief of the database could do
"""The chain of events: one for all, whole, and whatever is done to its rows by SQL is found."""

import json
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal import create_app
from portal.core import audit, chain, clock, ledger, sealing
from portal.core.audit import By
from portal.core.db import db, transaction
from tests.policy.world import World

BY = By(person_id=7, network="192.0.2.0/24", device="Firefox on Linux", desk=True)
NOW = datetime(2026, 11, 21, 3, 4, 5, 678901, tzinfo=UTC)
FIRST_KEY, NEXT_KEY = "the first data key 0123456789abcdef", "the next data key fedcba9876543210"
ODD = [
    "🦊 Zoë 李",
    "a\0b",
    "half \ud800 of a pair",
    "x" * 10_000,
    "line\nline\r\n",
    "'; --",
    " end ",
]
SHIFT = "UPDATE event SET place = place + 1000 WHERE place >= 6"
FIELDS = {
    "kind": "'account:blocked'", "person_id": "99", "actor_id": "99", "network": "'elsewhere'",
    "device": "''", "verified_by": "'a call'", "reason": "'none'", "ticket": "'HD-1'",
    "detail": "'other'", "request": "'0'", "at": "'2026-01-01 00:00:00.000000'", "id": "5000",
}  # fmt: skip
WRITER = """
import json, sys
from portal import create_app
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
app = create_app(json.loads(sys.argv[1]))
with app.app_context():
    for number in range(int(sys.argv[3])):
        with transaction():
            audit.record("test", None, By(), detail=f"{sys.argv[2]} {number}")
"""


@pytest.fixture
def settings(shared_settings):
    return shared_settings | {"DATA_KEY": FIRST_KEY}


@pytest.fixture
def world(make_app):
    app = make_app(DATA_KEY=FIRST_KEY)
    with app.app_context():
        yield World(app)
        db.session.remove()


def put(count=1, **more):
    for number in range(count):
        with transaction():
            audit.record("test", 48, BY, **({"detail": f"number {number}"} | more))


def do(*statements):
    for statement in statements:
        db.session.execute(text(statement))
    db.session.commit()
    db.session.expire_all()


def found(noted=None):
    """How, at which place, which event."""
    return [(each.how, each.place, each.event_id) for each in chain.verify(noted).findings]


def places(world):
    return world.rows("SELECT place FROM event ORDER BY place")


def test_an_empty_chain_is_whole(world):
    assert chain.verify() == chain.Report(0, 0, "0:", [], False)


def test_a_whole_chain_tells_its_head(world):
    put(12)
    ((mark,),) = world.rows("SELECT mark FROM event WHERE place = 12")
    assert chain.verify() == chain.Report(12, 0, f"12:{mark}", [], False)


def test_what_is_undone_leaves_no_gap(world):
    put()
    with pytest.raises(ValueError, match="no"), transaction():
        audit.record("test", 1, BY)
        raise ValueError("no")
    put()
    assert places(world) == [(1,), (2,)]
    assert found() == []


def test_what_is_undone_with_a_savepoint_is_neither_chained_nor_counted(world):
    with transaction() as session:
        audit.record("kept", 1, BY)
        before = session.begin_nested()
        audit.record("undone", 1, BY, parts=["part"])
        before.rollback()
        with session.begin_nested():
            audit.record("kept", 2, BY)
    with transaction() as session:
        before = session.begin_nested()
        audit.record("undone", 1, BY)
        before.rollback()
    assert world.rows("SELECT kind, place FROM event ORDER BY place") == [("kept", 1), ("kept", 2)]
    assert world.rows("SELECT name, part, count FROM tally") == [("kept", "", 2)]
    assert found() == []


def test_what_is_recorded_just_before_the_commit_is_chained_too(world):
    with transaction():
        audit.record("test", 1, BY)
        audit.before_commit(lambda: audit.record("late", 1, BY))
    assert places(world) == [(1,), (2,)]
    assert world.rows("SELECT name, count FROM tally ORDER BY name") == [("late", 1), ("test", 1)]
    assert found() == []


def test_a_place_that_is_taken_undoes_all_of_its_transaction_and_says_so(world):
    """Also where nobody waited for the answer: what failed first is told, not the last."""
    put(2)
    do("UPDATE event_head SET place = place - 1")
    with pytest.raises(IntegrityError), transaction():
        audit.record("late", 1, BY)
    assert places(world) == [(1,), (2,)]
    assert world.rows("SELECT name, count FROM tally") == [("test", 2)]
    do("UPDATE event_head SET place = place + 1")
    put()
    assert (places(world), found()) == ([(1,), (2,), (3,)], [])


def test_kinds_and_their_parts_are_counted_by_the_day(world):
    with transaction():
        audit.record("test", 1, BY, parts=["email", "example.org"])
        audit.record("test", 2, BY, parts=["email"])
        audit.count("seen", "email")
    rows = world.rows("SELECT name, part, count FROM tally ORDER BY name, part")
    seen = [("seen", "", 1), ("seen", "email", 1)]
    assert rows == [*seen, ("test", "", 2), ("test", "email", 2), ("test", "example.org", 1)]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_text_stops_an_event_from_being_written_down_and_proven(world, odd):
    by = By(1, odd, odd, odd, odd, verified_by=odd, desk=True, request=odd)
    with transaction():
        event = audit.record("test", 1, by, detail=odd, parts=[odd])
        event_id = event.id
    db.session.expire_all()
    kept = audit.get(event_id)
    assert kept.detail == odd.replace("\0", "").replace("\ud800", "?")[:200]
    assert (kept.ticket, kept.request) == (kept.detail[:50], kept.detail[:16])
    assert found() == []


def test_microseconds_survive(world, monkeypatch):
    for at in NOW, NOW.replace(microsecond=0), NOW.replace(microsecond=1):
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        put()
    assert found() == []


@pytest.mark.parametrize("name", FIELDS)
def test_an_edited_row_is_found(world, name):
    put(12)
    do(f"UPDATE event SET {name} = {FIELDS[name]} WHERE place = 5")
    assert found() == [("edited", 5, 5000 if name == "id" else 5)]


def test_an_edited_row_that_hides_from_the_log_is_found(world):
    put(12)
    if db.engine.dialect.name == "sqlite":  # where any number is as good as true
        do("UPDATE event SET desk = 2 WHERE place = 5")
        do("UPDATE event SET at = '2026-11-21T03:04:05+23:59' WHERE place = 7")
        do("UPDATE event SET at = 'never' WHERE place = 9")
        assert found() == [("edited", 5, 5), ("edited", 7, 7), ("edited", 9, 9)]
    else:
        do("UPDATE event SET desk = false WHERE place = 5")
        assert found() == [("edited", 5, 5)]


def test_a_row_edited_with_its_mark_is_found_and_the_next_is_not_accused(world):
    put(12)
    do(f"UPDATE event SET detail = 'x', mark = '{'0' * 64}' WHERE place = 5")
    assert found() == [("edited", 5, 5), ("unclear", 6, 6)]
    do("UPDATE event SET mark = 'ö🦊' WHERE place = 5")
    assert found() == [("inserted", 5, 5), ("unclear", 6, 6)]


def test_a_mark_of_another_key_is_none(world, monkeypatch):
    put(4)
    event = SimpleEvent(place=5, id=5)
    with monkeypatch.context() as patch:
        patch.setitem(world.app.config, "DATA_KEY", "a key of the thief's own, 0123456789")
        mark = sealing.mark(audit.words(event, head()[1]))
    insert(5, 5, mark)
    do(f"UPDATE event_head SET place = 5, mark = '{mark}'")
    assert found() == [("edited", 5, 5)]


def test_a_deleted_row_is_found(world):
    put(12)
    do("DELETE FROM event WHERE place = 5")
    (finding,) = [each for each in chain.verify().findings if each.how == "missing"]
    assert (finding.place, finding.other) == (5, 5)
    assert found() == [("missing", 5, None), ("unclear", 6, 6)]
    do("DELETE FROM event WHERE place < 5")
    assert found()[0] == ("missing", 1, None)


def test_a_deleted_row_whose_gap_was_closed_is_found(world):
    put(12)
    do("DELETE FROM event WHERE place = 5")
    for place in range(6, 13):
        do(f"UPDATE event SET place = {place - 1} WHERE place = {place}")
    do("UPDATE event_head SET place = 11")
    assert found() == [("edited", 5, 6), *(("moved", place, place + 1) for place in range(6, 12))]


def test_an_inserted_row_is_found(world):
    put(12)
    insert(100, "NULL", "")
    assert found() == [("inserted", 0, 100)]


def test_a_row_inserted_between_others_is_found(world):
    put(12)
    do(SHIFT, "UPDATE event SET place = place - 999 WHERE place > 1000")
    insert(100, 6, "a" * 64)
    do("UPDATE event_head SET place = 13")
    moved = [("moved", place + 1, place) for place in range(6, 13)]
    assert found() == [("inserted", 6, 100), *moved]


def test_a_row_inserted_at_the_end_is_found(world):
    put(12)
    insert(100, 13, "")
    assert found() == [("head", 12, None), ("inserted", 13, 100)]
    do(f"UPDATE event SET mark = '{'b' * 64}' WHERE id = 100")
    do(f"UPDATE event_head SET place = 13, mark = '{'b' * 64}'")
    assert found() == [("edited", 13, 100)]


def test_a_row_put_before_the_first_is_found(world):
    put(3)
    insert(100, 0, "")
    insert(101, -7, "")
    assert found() == [("inserted", -7, 101), ("inserted", 0, 100)]


def test_a_copied_row_is_found(world):
    put(12)
    kept = f"SELECT 100, {COPIED}, 13, mark FROM event WHERE place = 5"
    do(f"INSERT INTO event (id, {COPIED}, place, mark) {kept}")
    do("UPDATE event_head SET place = 13, mark = (SELECT mark FROM event WHERE place = 5)")
    assert found() == [("edited", 13, 100)]


def test_rows_that_changed_places_are_found(world):
    put(12)
    for place, to in (4, 999), (9, 4), (999, 9):
        do(f"UPDATE event SET place = {to} WHERE place = {place}")
    assert found() == [("moved", 4, 9), ("moved", 9, 4)]
    assert [each.other for each in chain.verify().findings] == [9, 4]


def test_a_row_moved_to_the_end_is_found(world):
    put(6)
    do("UPDATE event SET place = 99 WHERE place = 3")
    assert {("head", 6, None), ("moved", 99, 3)} <= set(found())


def test_two_rows_at_one_place_are_both_looked_at(world, settings):
    """Where the index that forbids it was taken away first; SQLite keeps it with the table."""
    put(6)
    if not settings["DATABASE_URL"].startswith("postgresql"):
        with pytest.raises(IntegrityError):
            insert(100, 3, "c" * 64)
        return
    do("ALTER TABLE event DROP CONSTRAINT uq_event_place")
    insert(100, 3, "c" * 64)
    assert found() == [("edited", 3, 100)]
    do("DELETE FROM event WHERE id = 100")
    do("ALTER TABLE event ADD CONSTRAINT uq_event_place UNIQUE (place)")


def test_a_head_that_was_set_back_or_forward_or_taken_away_is_found(world):
    put(12)
    ((mark,),) = world.rows("SELECT mark FROM event WHERE place = 9")
    do(f"UPDATE event_head SET place = 9, mark = '{mark}'")
    assert found() == [("head", 9, None)]
    do("UPDATE event_head SET place = 15")
    assert found() == [("head", 15, None)]
    do("DELETE FROM event_head")
    assert found() == [("head", -1, None)]


def test_a_tail_that_was_cut_off_is_found_by_a_head_noted_before(world):
    put(9)
    early = head()
    put(3)
    late = head()
    assert (found(early), found(late), found((0, ""))) == ([], [], [])
    do("DELETE FROM event WHERE place > 9")
    assert ("head", 12, None) in found()
    do(f"UPDATE event_head SET place = 9, mark = '{early[1]}'")
    assert found() == []
    assert found(early) == []
    assert found(late) == [("cut", 12, None)]
    assert found((9, late[1])) == [("cut", 9, None)]
    assert found((10**19 - 1, late[1]))[0][0] == "cut"


def test_rows_from_before_the_chain_are_counted_and_trouble_no_one(world):
    for number in range(1, 4):
        insert(number, "NULL", "")
    do("UPDATE event_head SET mark = '3:3', start = '3:3'")  # as the upgrade finds them
    assert chain.verify() == chain.Report(0, 3, "0:", [], False)
    do("SELECT setval('event_id_seq', 3)") if is_postgres() else None
    put(4)
    report = chain.verify()
    assert (report.count, report.older, report.findings) == (4, 3, [])
    do("DELETE FROM event WHERE id = 2")
    assert found() == [("older", 0, None)]
    do("UPDATE event_head SET start = '2:3'")  # what the first event was chained to is another
    assert ("edited", 1, 4) in found()


@pytest.mark.parametrize("number", [-7, 0, 99])
def test_a_row_put_in_does_not_pass_for_one_from_before(world, number):
    insert(number, "NULL", "")
    assert found() == [("inserted", 0, number)]
    put(3)
    assert found() == [("inserted", 0, number)]


def test_a_row_taken_off_the_chain_does_not_pass_for_an_older_one(world):
    put(6)
    do("UPDATE event SET place = NULL, mark = '' WHERE place <= 2")
    assert found()[0] == ("missing", 1, None)


def test_rows_of_before_stay_good_when_the_key_is_replaced(world, settings):
    put(3)
    for settings_, good in (
        ({"DATA_KEY": NEXT_KEY, "DATA_KEYS_PREVIOUS": FIRST_KEY}, True),
        ({"DATA_KEY": NEXT_KEY}, False),
    ):
        app = create_app(settings | settings_)
        with app.app_context():
            if good:
                put(3)
            assert bool(chain.verify().findings) is not good
            db.session.remove()
            db.engine.dispose()


def test_what_is_told_has_an_end(world):
    put(60)
    do("UPDATE event SET detail = 'x' WHERE place > 10 AND place % 2 = 0")
    report = chain.verify()
    assert len(report.findings) == chain.MOST
    assert report.more
    do("UPDATE event SET detail = 'x'")
    assert chain.verify().more
    do("UPDATE event SET place = NULL")
    assert len(chain.verify().findings) <= chain.MOST


def test_processes_that_record_at_once_make_one_chain(world, settings):
    order = [sys.executable, "-W", "ignore", "-c", WRITER, json.dumps(settings)]
    writers = [subprocess.Popen([*order, name, "60"]) for name in ("one", "two")]
    while any(writer.poll() is None for writer in writers):
        assert found() == []  # also in the middle of it
    assert [writer.wait() for writer in writers] == [0, 0]
    report = chain.verify()
    assert (report.count, report.findings) == (120, [])
    details = [detail for (detail,) in world.rows("SELECT detail FROM event ORDER BY place")]
    assert sorted(details) == sorted(f"{name} {n}" for name in ("one", "two") for n in range(60))
    assert world.rows("SELECT count FROM tally WHERE name = 'test'") == [(120,)]


def test_threads_that_record_at_once_make_one_chain(world, recorded):
    """They pass connections on to each other, also after a transaction that was undone."""
    with ThreadPoolExecutor(8) as hands:
        done = list(hands.map(recorded, range(160)))
    assert (done.count("kept"), done.count("undone")) == (120, 40)
    assert places(world) == [(place,) for place in range(1, 121)]
    assert found() == []


@pytest.fixture
def recorded(world):
    def record(number):
        with world.app.app_context():
            try:
                with transaction():
                    audit.record("test", None, BY)
                    assert 1 // (number % 4) < 2
            except ZeroDivisionError:
                return "undone"
        return "kept"

    return record


def test_many_events_are_read_in_flat_memory(world):
    fill(20_000)
    chain.verify()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    report = chain.verify()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert (report.count, report.findings) == (20_000, [])
    assert peak < 8_000_000  # all of them would be 24 MB
    do("UPDATE event SET detail = 'x' WHERE place = 13333")
    assert found() == [("edited", 13_333, 13_333)]


def test_the_command_tells_a_whole_chain_and_what_to_note(world):
    put(3)
    done = world.command("audit", "verify")
    assert done.exit_code == 0
    assert "       3 events on the chain" in done.output
    noted = done.output.rpartition("The head is ")[2].strip()
    assert noted == "{}:{}".format(*head())
    put(2)
    assert world.command("audit", "verify", "--head", noted).exit_code == 0
    do("DELETE FROM event WHERE place > 2")
    ((mark,),) = world.rows("SELECT mark FROM event WHERE place = 2")
    do(f"UPDATE event_head SET place = 2, mark = '{mark}'")
    assert world.command("audit", "verify").exit_code == 0
    done = world.command("audit", "verify", "--head", noted)
    assert done.exit_code == 1
    assert "cut: the head noted as 3 is not on the chain" in done.output


def test_the_command_says_which_row_and_how(world):
    put(9)
    do("UPDATE event SET detail = 'x' WHERE place = 2", "DELETE FROM event WHERE place = 7")
    insert(100, "NULL", "")
    done = world.command("audit", "verify")
    assert done.exit_code == 1
    assert done.output.splitlines()[:4] == [
        "edited: event 2 at place 2 was edited",
        "missing: place 7",
        "unclear: event 8 at place 8 cannot be checked: the row before it is not what it was",
        "inserted: event 100 without a place was put in",
    ]
    assert "The chain is broken." in done.output


@pytest.mark.parametrize(
    "noted", ["", "5", "x:y", "-1:" + "a" * 64, "9" * 30 + ":" + "a" * 64, "1:\0"]
)
def test_a_head_that_is_none_is_said_so(world, noted):
    done = world.command("audit", "verify", "--head", noted)
    assert done.exit_code == 1
    assert "A head is a place and a mark" in done.output


# ------------------------------------------------------------------ what tests do by SQL

COPIED = (
    "kind, person_id, actor_id, desk, network, device, verified_by, reason, ticket, detail, "
    "request, at"
)


def is_postgres():
    return db.engine.dialect.name == "postgresql"


def head():
    return ledger.head()


class SimpleEvent:
    """What `insert` puts in, as an event."""

    def __init__(self, place, id):  # noqa: A002 - the column's name
        self.place, self.id, self.kind, self.person_id, self.actor_id = place, id, "test", 48, None
        self.desk, self.at = True, NOW
        for name in "network", "device", "verified_by", "reason", "ticket", "detail", "request":
            setattr(self, name, "")


def insert(event_id, place, mark):
    at = "2026-11-21 03:04:05.678901" + ("+00" if is_postgres() else "")
    values = f"{event_id}, 'test', 48, NULL, true, '', '', '', '', '', '', '', '{at}'"
    with transaction() as session:
        if (
            db.engine.dialect.name == "mysql"
        ):  # where 0 asks for the next number, unless told not to
            session.execute(text("SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')"))
        columns = f"id, {COPIED}, place, mark"
        session.execute(text(f"INSERT INTO event ({columns}) VALUES ({values}, {place}, '{mark}')"))


def fill(count):
    """Many events, chained as `audit` does it, quicker."""
    events, mark = [], ""
    for place in range(1, count + 1):
        event = SimpleEvent(place, place)
        mark = sealing.mark(audit.words(event, mark))
        events.append(vars(event) | {"mark": mark})
    with transaction() as session:
        session.execute(audit.Event.__table__.insert(), events)
        session.execute(
            text("UPDATE event_head SET place = :p, mark = :m"), {"p": count, "m": mark}
        )
