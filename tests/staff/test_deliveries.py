"""How messages are getting on, for those who are asked where one is."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.accounts import people
from portal.core import clock
from portal.core.db import db, transaction
from portal.delivery.models import Breaker, Outgoing
from portal.staff import post as posts
from tests.rigs.databases import KIND

PATH = "/admin/deliveries"
ENDED = {"refused": "refused 550 5.1.1", "given-up": "unreachable", "in-doubt": "in-doubt"}
HOSTILE = [
    "-" + "9" * 40,
    "'",
    "%00",
    "<script>alert(1)</script>",
    "9" * 40,
    "-1",
    "😀",
    "x" * 10_000,
    "%ED%A0%80",
]


@pytest.fixture
def reader(agent, post):
    browser = agent("viewer")
    post.deliver()
    return browser


@pytest.fixture
def put(app):
    """put("ann@example.org", trouble="refused 550") -> a row of the outbox; "": to nobody."""

    def make(email, channel="email", **more):
        with app.app_context(), transaction() as session:
            now = clock.now()
            person_id = people.find(email).id if email else more.pop("person_id", None)
            usual = {"recipe": "recovery_code", "about": "1", "rank": 0, "tries": 1, "trouble": ""}
            times = {"created_at": now, "due_at": now + timedelta(seconds=60)}
            row = Outgoing(channel=channel, person_id=person_id, **(usual | times | more))
            session.add(row)

    return make


def rows(page):
    return page.find("tbody tr")


def break_(app, channel="email", **values):
    with app.app_context(), transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(Breaker, channel), name, value)


def test_where_nothing_is_wrong_it_says_so(reader):
    page = reader.get(PATH)
    assert page.text.count("Messages leave as they come.") == 2
    assert page.text.count("Nothing waits.") == 2
    assert "No trouble" in page.text


@pytest.mark.parametrize(
    "broken, words",
    [("road", "has not taken anything since"), ("message", "it has not taken what we hand over")],
)
def test_a_broken_road_is_told(app, reader, broken, words):
    break_(app, broken=broken, faults=2, opened_at=clock.now())
    page = reader.get(PATH)
    assert words in page.text
    assert page.text.count("Messages leave as they come.") == 1


def test_a_first_fault_is_told(app, reader):
    break_(app, "sms", faults=1)
    assert "The last try failed." in reader.get(PATH).text


def test_what_waits_is_counted_to_a_bound_and_the_oldest_told(ann, reader, put, monkeypatch):
    at = clock.now() - timedelta(hours=3)
    put(ann.email, created_at=at)
    put(ann.email)
    put(ann.email, done_at=clock.now(), accepted_at=clock.now())
    page = reader.get(PATH)
    assert f" 2 messages wait, the oldest since {at.day} " in page.text
    assert f"{at:%H:%M} UTC" in page.text
    monkeypatch.setattr(posts, "MANY", 1)
    assert "More than 1 messages wait." in reader.get(PATH).text


@pytest.mark.parametrize(
    "trouble, words",
    [
        ("refused 550 5.1.1", "Refused The mail server said no: 550 5.1.1."),
        ("unreachable", "Given up The mail server could not be reached."),
        ("in-doubt", "Not certain"),
    ],
)
def test_what_ended_badly_is_told_with_its_reason(app, reader, ann, put, trouble, words):
    put(ann.email, trouble=trouble, done_at=clock.now())
    page = reader.get(PATH)
    (row,) = rows(page)
    assert words in row
    assert "Ann Miller" in row
    with app.app_context():
        uuid = people.find(ann.email).uuid
    assert page.links["Ann Miller"] == f"/admin/people/{uuid}"


def test_what_waits_with_trouble_is_told(reader, ann, put):
    put(ann.email, trouble="later 450 4.2.1")
    (row,) = rows(reader.get(PATH))
    assert "Waiting The mail server said: not now (450 4.2.1). It is tried again at" in row


def test_what_left_or_was_not_needed_or_just_waits_is_no_trouble(reader, ann, put):
    put(ann.email, done_at=clock.now(), accepted_at=clock.now())
    put(ann.email, done_at=clock.now())
    put(ann.email)
    assert rows(reader.get(PATH)) == []


def test_messages_to_nobody_are_nobody_s_business(reader, put):
    put("", trouble="refused 550 5.1.1", done_at=clock.now())
    put("", person_id=0, trouble="refused 550 5.1.1", done_at=clock.now())
    put("", person_id=0, trouble="later 450")
    page = reader.get(PATH)
    assert rows(page) == []
    assert page.text.count("Nothing waits.") == 2


def test_no_address_and_no_secret_is_shown(reader, ann, put):
    put(ann.email, trouble="refused 550 5.1.1", done_at=clock.now(), about="the-secret-id")
    page = reader.get(PATH)
    assert "ann@" not in page.html
    assert "the-secret-id" not in page.html


def test_whoever_is_gone_is_shown_by_number(reader, put):
    put("", person_id=4711, trouble="refused 550", done_at=clock.now())
    assert "account 4711 (deleted)" in reader.get(PATH).text


def test_they_are_sifted_by_state_and_channel(reader, ann, put):
    for trouble in ENDED.values():
        put(ann.email, trouble=trouble, done_at=clock.now())
    put(ann.email, "sms", trouble="later 429")
    assert len(rows(reader.get(PATH))) == 4
    for state, words in (
        ("refused", "Refused"), ("given-up", "Given up"), ("in-doubt", "Not certain"),
        ("waiting", "Waiting"),
    ):  # fmt: skip
        (row,) = rows(reader.get(f"{PATH}?state={state}"))
        assert words in row
    assert len(rows(reader.get(f"{PATH}?channel=email"))) == 3
    page = reader.get(f"{PATH}?channel=sms")
    assert len(rows(page)) == 1
    assert page.links["Refused"] == f"{PATH}?state=refused&channel=sms"
    assert rows(reader.get(f"{PATH}?channel=sms&state=refused")) == []


def test_they_are_read_page_by_page(reader, ann, put, monkeypatch):
    monkeypatch.setattr(posts, "MOST", 2)
    for number in range(5):
        put(ann.email, trouble=f"later 45{number}")
    page = reader.get(f"{PATH}?state=waiting")
    seen = rows(page)
    while "Older" in page.links:
        page = reader.get(page.links["Older"])
        seen += rows(page)
    assert len(seen) == len(set(seen)) == 5
    assert page.links["Newest"] == f"{PATH}?state=waiting"


@pytest.mark.parametrize("name", ["state", "channel", "before"])
def test_no_query_makes_it_fall_over(reader, name):
    for value in HOSTILE:
        page = reader.get(f"{PATH}?{name}={value}")
        assert page.status == 200
        assert "<script>alert" not in page.html


def test_for_people_it_is_not_there(inside):
    assert inside.get(PATH).status == 404


@pytest.mark.skipif(KIND != "sqlite", reason="the plan is read in SQLite's words")
def test_trouble_is_found_by_its_index_among_very_many_messages(app):
    with app.app_context(), transaction() as session:
        plain = posts.select(Outgoing.id).where(*posts._to_people(), posts._had_trouble())
        wanted = plain.order_by(Outgoing.id.desc()).limit(51)
        sql = str(wanted.compile(db.engine, compile_kwargs={"literal_binds": True}))
        plan = str(session.execute(text(f"EXPLAIN QUERY PLAN {sql}")).all())
    assert "ix_outbox_trouble" in plan
    assert "TEMP B-TREE" not in plan
