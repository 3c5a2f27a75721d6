"""What is sensitive at the desk asks once more who does it, and leads back there."""

import pytest

from portal.accounts import people
from tests.conftest import PASSWORD
from tests.policy.world import ANN, World
from tests.staff.acting import SAID, acts_on, page_of, ready

STAFF = "/admin/staff"
CONFIRM = "/security/confirm?next="
AGAIN = "Nothing is done yet. Confirm that it is you, then fill in the form again."


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def ruth(agent, ann):
    return agent("admin")


def confirm(browser, page):
    """Types the password where the answer leads.  -> the answer to that."""
    browser.get(page.location)
    return browser.submit(page.location, password=PASSWORD)


@pytest.mark.parametrize("name", ["block", "clear-factor"])
def test_a_sensitive_act_waits_until_its_colleague_is_confirmed(world, ruth, time, name):
    path = ready(world, name)
    time.pass_(minutes=9, seconds=30)
    ruth.get(path)
    time.pass_(minutes=1)
    asked = ruth.submit(f"{path}/{name}", **SAID)
    assert (asked.status, asked.location) == (303, CONFIRM + path)
    assert acts_on(world, ANN) == []
    assert ruth.get(asked.location).banner == AGAIN
    assert ruth.submit(asked.location, password=PASSWORD).location == path
    time.pass_(minutes=9)
    ruth.get(path)
    assert ruth.submit(f"{path}/{name}", **SAID).location == path
    assert len(acts_on(world, ANN)) == 1


@pytest.mark.parametrize("name", ["recovery", "sign-out", "clear-throttles", "unblock"])
def test_other_acts_go_through(world, ruth, time, name):
    path = ready(world, name)
    ruth.get(path)
    time.pass_(minutes=4)
    world.write("UPDATE session SET started_at = '2020-01-01', confirmed_at = NULL")
    assert ruth.submit(f"{path}/{name}", **SAID).location == path


def test_who_signed_in_lately_blocks_at_once(world, ruth, time):
    time.pass_(minutes=9)
    path = page_of(world)
    ruth.get(path)
    assert ruth.submit(f"{path}/block", **SAID).location == path


def test_the_log_is_taken_out_by_who_is_confirmed(world, ruth, time):
    time.pass_(minutes=11)
    query = "kind=account%3Ablocked&opened=no"
    asked = ruth.get(f"/admin/log.csv?{query}")
    assert asked.status == 303
    taken = "SELECT count(*) FROM event WHERE kind = 'log:exported'"
    assert world.rows(taken) == [(0,)]
    back = confirm(ruth, asked)
    assert back.location == f"/admin/log?{query}"
    page = ruth.follow()
    link = page.tree.css_first("a[href^='/admin/log.csv']")
    assert "download" not in link.attributes  # or a browser would save the page that asks
    assert ruth.get(page.links["Take this out as a file (CSV)"]).body.startswith(b"\xef\xbb\xbf")
    assert world.rows(taken) == [(1,)]


def test_the_form_for_a_role_is_shown_once_one_is_confirmed(world, ruth, agent, time):
    agent("viewer")
    with world.app.app_context():
        path = f"{STAFF}/{people.find('viewer@example.org').uuid}/role"
    time.pass_(minutes=11)
    asked = ruth.get(path)
    assert asked.location == CONFIRM + path
    assert confirm(ruth, asked).location == path
    assert ruth.get(path).banner is None
    assert ruth.submit(path, role="support", reason="Ends training").location == STAFF


def test_an_invitation_keeps_address_and_role(world, ruth, time):
    time.pass_(minutes=11)
    ruth.get(STAFF)
    asked = ruth.submit(STAFF, email="kim@example.org", role="admin")
    assert confirm(ruth, asked).location == STAFF
    kept = ruth.get(STAFF).form(STAFF).fields
    assert (kept["email"], kept["role"]) == ("kim@example.org", "admin")
    assert ruth.submit(STAFF).location == STAFF
    assert ruth.follow().banner == "kim@example.org is invited. The email is on its way."


def test_what_was_typed_for_an_invitation_is_any_text(ruth, time):
    time.pass_(minutes=11)
    for email, role in ("a b@c", "x y"), ("", ""), ("x" * 300, "admin"), ("<b>", "<i>"):
        ruth.get(STAFF)
        ruth.submit(STAFF, email=email, role=None)
        ruth.get(STAFF)
        token = ruth.page.form(STAFF).fields["csrf_token"]
        ruth.post(
            STAFF,
            {"csrf_token": token, "email": email, "role": role},
            kind="application/x-www-form-urlencoded",
        )
        page = ruth.get(STAFF)
        assert page.status == 200
        assert "<i>" not in page.html
