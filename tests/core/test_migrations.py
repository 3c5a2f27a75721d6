"""The history of the tables, on every database: it ends where the models are."""

from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import bindparam, inspect, text

from portal import create_app
from portal.core.db import UtcDateTime, db
from tests.conftest import OTHER_PASSWORD, SETTINGS, open_account, sign_in
from tests.policy.world import World, choose, type_code
from tests.rigs.databases import KIND

LITTLE = {
    "name": {"full_name": "Zoë 李 🦊", "username": "zoe_1"},
    "work": {"job_title": "Bäcker 🥖", "organisation": "Brot & Söhne"},
    "location": {"city": "Zürich", "country": "CH"},
    "social-links": {"github": "https://github.com/zoe"},
    "bio": {"bio": "I bake. 🥖\nA lot."},
}
EMOJI_OR_NUL = [
    ("name", "full_name"), ("work", "job_title"), ("work", "organisation"), ("location", "city"),
    ("bio", "bio"), ("social-links", "website"), ("name", "username"), ("location", "country"),
]  # fmt: skip


@pytest.fixture
def app(empty_url, tmp_path):
    """In place of the usual one: nothing is migrated yet."""
    own = {"DATABASE_URL": empty_url, "UPLOAD_FOLDER": str(tmp_path / "uploads")}
    made = create_app(SETTINGS | own)
    yield made
    with made.app_context():
        db.engine.dispose()


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version", "sqlite_sequence"}


def migrated(app) -> World:
    with app.app_context():
        upgrade()
    return World(app)


def test_after_every_step_the_tables_are_those_of_the_models(app):
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, db.metadata) == []


def test_everything_can_be_taken_back_and_done_again(app):
    with app.app_context():
        upgrade()
        full = tables()
        assert full >= {"person", "session", "otp", "challenge", "outbox", "event", "profile"}
        downgrade(revision="base")
        assert tables() == set()
        upgrade()
        assert tables() == full


def test_what_people_entered_survives_the_way_down_and_up(app):
    """All but what a step's own table held."""
    world = migrated(app)
    ann = world.account()
    browser = world.inside()
    browser.get("/profile")
    browser.submit("/profile/name", username="ann.miller")
    before = world.rows("SELECT * FROM person"), world.rows("SELECT * FROM otp")
    with app.app_context():
        db.session.remove()
        downgrade(revision="0002")
        assert "outbox" not in tables()
        upgrade()
    assert (world.rows("SELECT * FROM person"), world.rows("SELECT * FROM otp")) == before
    assert browser.get("/profile").form("/profile/name").fields["username"] == "ann.miller"
    assert sign_in(world.visitor(), ann.email).location == "/profile"


def test_sign_up_sign_in_and_a_whole_profile(app):
    world = migrated(app)
    world.account("zoe@example.org", "Zoe Beck")
    browser = world.inside("zoe@example.org")
    for section, fields in LITTLE.items():
        browser.get("/profile")
        assert browser.submit(f"/profile/{section}", **fields).status == 303
    page = browser.get("/profile")
    for section, fields in LITTLE.items():
        assert page.form(f"/profile/{section}").fields.items() >= fields.items()
    browser.submit("/sign-out")
    assert browser.get("/profile").location == "/sign-in"


def test_getting_back_in(app, time):
    world = migrated(app)
    ann = world.account()
    inside, (browser, mail) = world.inside(), world.asked()
    time.pass_(seconds=29)
    assert type_code(browser, mail.code).location == "/auth/password-reset"
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert inside.get("/profile").location == "/sign-in"
    assert sign_in(browser, ann.email, OTHER_PASSWORD).location == "/profile"
    time.pass_(days=40)
    assert world.command("purge").exit_code == 0
    assert world.rows("SELECT count(*) FROM otp") == [(0,)]


def test_usernames_and_addresses_are_unique_without_case(app, time):
    world = migrated(app)
    world.account()
    world.account("bob@example.org", "Bob Hill")
    for email, name, status in (
        ("ann@example.org", "Quick", 303),
        ("bob@example.org", "qUICK", 422),
    ):
        browser = world.inside(email)
        browser.get("/profile")
        assert browser.submit("/profile/name", username=name).status == status
    time.pass_(seconds=61)
    assert open_account(world.visitor(), "BOB@example.org").location == "/sign-up/code"
    assert world.post.newest("bob@example.org").subject == "You already have a Latchkey account"
    assert world.rows("SELECT count(*) FROM person") == [(2,)]


@pytest.mark.parametrize(
    "text",
    ["a\0b", "🦊" * 50, "\ufffe\uffff", "' OR 1=1 --"],
    ids=["nul", "emoji", "no characters", "SQL"],
)
def test_no_text_makes_a_page_fall_over(app, text):
    world = migrated(app)
    ann = world.account()
    browser = world.inside()
    for section, field in EMOJI_OR_NUL:
        browser.get("/profile")
        assert browser.submit(f"/profile/{section}", **{field: text}).status in (303, 422)
    stranger = world.visitor()
    assert sign_in(stranger, text, text).status == 422
    assert sign_in(stranger, ann.email, text).status == 422
    for path, field in ("/recover", "identifier"), ("/sign-up", "email"), ("/sign-up", "full_name"):
        stranger.get(path)
        assert stranger.submit(path, **{field: text}).status == 422
    browser, _mail = world.asked()
    assert type_code(browser, text).status == 422


@pytest.mark.postgres
def test_the_table_of_codes_is_exactly_the_papers(postgres_url):
    world = migrated(create_app(SETTINGS | {"DATABASE_URL": postgres_url}))
    found = world.rows(
        "SELECT column_name, udt_name, character_maximum_length, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_name = 'otp' ORDER BY ordinal_position"
    )
    assert found == [
        ("id", "int8", None, "NO", "nextval('otp_id_seq'::regclass)"),
        ("user_id", "int8", None, "NO", None),
        ("otp_hash", "varchar", 255, "NO", None),
        ("purpose", "varchar", 50, "NO", None),
        ("channel", "varchar", 20, "NO", None),
        ("expires_at", "timestamptz", None, "NO", None),
        ("consumed_at", "timestamptz", None, "YES", None),
        ("attempts", "int2", None, "NO", "'0'::smallint"),
        ("max_attempts", "int2", None, "NO", "'5'::smallint"),
        ("created_at", "timestamptz", None, "NO", "now()"),
        ("updated_at", "timestamptz", None, "NO", "now()"),
    ]
    keys = "SELECT constraint_type FROM information_schema.table_constraints"
    kinds = {kind for (kind,) in world.rows(f"{keys} WHERE table_name = 'otp'")}
    assert kinds - {"CHECK"} == {"PRIMARY KEY"}
    with world.app.app_context():
        indexed = {tuple(each["column_names"]) for each in inspect(db.engine).get_indexes("otp")}
        assert indexed == {("user_id", "purpose"), ("expires_at",)}
        db.engine.dispose()


def test_no_id_is_ever_given_twice(app, time):
    """SQLite gives the highest again unless it is told; PostgreSQL counts on by itself."""
    world = migrated(app)
    if app.config["DATABASE_URL"].startswith("sqlite"):
        made = dict(world.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        for table in db.metadata.sorted_tables:
            wanted = bool(table.dialect_options["sqlite"]["autoincrement"])
            assert ("AUTOINCREMENT" in made[table.name]) is wanted, table.name
    world.account()
    bob = world.account("bob@example.org", "Bob Hill")
    world.command("users", "delete", bob.email)
    time.pass_(days=15)
    world.command("purge")
    eve = world.account("eve@example.org", "Eve Long")
    assert world.rows("SELECT id FROM person") == [(1,), (3,)]
    page = world.inside(eve.email).get("/security/activity")
    assert "deleted" not in page.text


EVENT = """INSERT INTO event (kind, person_id, network, device, reason, ticket, detail, at)
    VALUES ('sign-in:begun', 41, '', '', '', '', '', :at)"""
AT = bindparam("at", datetime(2026, 1, 1, 20, tzinfo=UTC), UtcDateTime)


def upgraded_with_an_event_of_before(app) -> World:
    with app.app_context():
        upgrade(revision="0011")
        db.session.execute(text(EVENT).bindparams(AT))
        db.session.commit()
        upgrade()
        db.session.remove()
    return World(app)


def test_numbers_of_people_who_are_gone_are_not_given_again_after_an_upgrade(app):
    world = upgraded_with_an_event_of_before(app)
    world.account()
    # Others than SQLite remember what they gave: here nobody had that number.
    assert world.rows("SELECT id FROM person") == [(42 if KIND == "sqlite" else 1,)]


def test_what_happened_before_is_counted_on_its_day_in_utc(empty_url, tmp_path):
    far = "?options=-c%20timezone%3DAsia/Tokyo" if KIND == "postgresql" else ""
    app = create_app(SETTINGS | {"DATABASE_URL": empty_url + far})
    world = upgraded_with_an_event_of_before(app)
    assert [str(day) for (day,) in world.rows("SELECT day FROM tally")] == ["2026-01-01"]
    with world.app.app_context():
        db.engine.dispose()
