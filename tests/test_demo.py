"""A try-out with invented people: enough of them, with a month behind each."""

import re
from datetime import timedelta

import pytest

from portal.core import chain
from tests.conftest import sign_in
from tests.policy.world import World
from tests.rigs.authenticator import BACKUP
from tests.rigs.memory import told

pytestmark = pytest.mark.long

DEMO = "demo@example.org"


@pytest.fixture
def world(app):
    return World(app)


def filled(world):
    """-> (password, {role: (address, backup code)})"""
    return told(world.app, "demo", lambda: fill(world), fresh=timedelta(hours=1))


def fill(world):
    result = world.command("demo")
    assert result.exit_code == 0, result.output
    staff = re.findall(r"^(\w+) +(\S+), same password, backup code (\S+)$", result.output, re.M)
    password = re.search(rf"Sign in as {DEMO} with the password (\S+)$", result.output, re.M)
    return password[1], {role: (email, code) for role, email, code in staff}


def test_five_hundred_people_have_a_month_behind_them(world):
    password, staff = filled(world)
    assert world.rows("SELECT count(*) >= 500 FROM person") == [(1,)]
    assert world.rows("SELECT count(*) > 3000 FROM event WHERE kind = 'sign-in:begun'") == [(1,)]
    with world.context():
        report = chain.verify()
    assert (report.findings, report.count > 4000) == ([], True)
    assert sorted(staff) == ["admin", "support", "viewer"]
    assert sign_in(world.visitor(), DEMO, password).location == "/profile"
    again, _staff = fill(world)
    assert again != password
    assert world.rows("SELECT count(*) < 510 FROM person") == [(1,)]


def test_staff_come_in_by_a_backup_code_and_every_page_of_the_desk_shows_something(world):
    password, staff = filled(world)
    email, code = staff["admin"]
    browser = world.visitor()
    assert sign_in(browser, email, password).location == "/sign-in/second-step"
    browser.get(BACKUP)
    assert browser.submit(BACKUP, code=code).location == "/profile"
    for path in "/admin?days=30", "/admin/people?q=sana", "/admin/log", "/admin/deliveries":
        page = browser.get(path)
        assert page.status == 200
        assert page.find("tbody tr"), path
    assert "new.colleague@library.example" in browser.get("/admin/staff").text


def test_what_was_invented_keeps_the_rules(world):
    filled(world)
    by = "SELECT DISTINCT role FROM event JOIN person ON person.id = event.actor_id WHERE desk"
    assert set(world.rows(by)) <= {("support",), ("admin",)}
    late = "FROM event e JOIN person p ON p.id = e.person_id WHERE e.kind = 'sign-in:begun'"
    for never in "e.at > p.blocked_at", "e.at > p.deleted_at", "p.email_proven_at IS NULL":
        assert world.rows(f"SELECT count(*) {late} AND {never}") == [(0,)]


@pytest.mark.parametrize(
    "settings", [{"EMAIL_BACKEND": "console"}, {"PUBLIC_URL": "http://10.0.0.1"}]
)
def test_nobody_is_invented_where_real_people_might_be(app, settings):
    app.config.update(settings)
    result = World(app).command("demo")
    assert result.exit_code == 1
    assert "on this machine" in result.output
