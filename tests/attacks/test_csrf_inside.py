"""The same for buttons of staff, of half a sign-in, and of whoever has a second factor."""

import re

import pytest

from portal.accounts import people
from tests.attacks.conftest import dump
from tests.attacks.test_csrf import LATER, posts
from tests.conftest import sign_in
from tests.policy.world import World
from tests.rigs.visitor import Visitor

EVIL = "https://evil.example"
POSTS = [rule for rule in posts() if rule.rule.startswith(LATER)]
TARGET, GUEST = "target@example.org", "guest@example.org"


@pytest.fixture
def world(make_app):
    return World(make_app(REQUIRE_CODE_FOR_PASSWORD_CHANGE="1"))


@pytest.fixture
def app(world):
    return world.app


@pytest.fixture
def admin(agent, world):
    """Signed in with a second factor; somebody to act on and an invitation are there."""
    browser = agent("admin")
    world.account(TARGET)
    world.command("staff", "role", TARGET, "viewer")
    world.command("staff", "invite", GUEST, "--role", "viewer")
    return browser


@pytest.fixture
def half(admin, app):
    """The same person in another browser, halfway in."""
    browser = Visitor(app)
    assert sign_in(browser, admin.email).location == "/sign-in/second-step"
    return browser


@pytest.fixture
def paths(admin, app, world):
    """Each rule with a path on which something is."""
    with app.app_context():
        uuid = str(people.find(TARGET).uuid)
    admin.get("/security/devices")
    own = [re.search(r"[0-9a-f-]{36}", each) for each in admin.page.forms]
    sid = next((found[0] for found in own if found), uuid)
    link = re.search(r"/sign-up/invitation/(\S+)", world.post.newest(GUEST).text)
    values = {"uuid": uuid, "sid": sid, "token": link[1], "invitation": 1}
    admin.get(f"/admin/people/{uuid}")  # opened once: what is shown again leaves no second trace
    return [rule.build({n: values[n] for n in rule.arguments})[1] for rule in POSTS]


def token(browser):
    page = browser.get("/profile")
    page = browser.get("/sign-in/second-step") if page.status != 200 else page
    return page.form(page.forms[-1]).fields["csrf_token"]


def test_csrf_01_none_of_them_can_be_pressed_from_elsewhere(admin, half, paths, app):
    assert len(paths) > 20
    fields = {
        "verified_by": "called back",
        "reason": "they asked",
        "ticket": "HD-1",
        "role": "user",
    }
    fields |= {"email": "eve@example.org", "code": "123456", "password": "x", "kept": "y"}
    for path in paths:
        browser = half if path.startswith("/sign-in/") else admin
        good = {"csrf_token": token(browser)}
        before = dump(app)
        answers = [
            browser.post(path, fields),
            browser.post(path, fields | {"csrf_token": "forged"}),
            browser.post(path, fields | good, Origin=EVIL),
            browser.post(path, fields | good, Origin="null", Sec_Fetch_Site="cross-site"),
        ]
        assert {page.status for page in answers} <= {400, 303}, path
        assert dump(app) == before, path
        assert all(page.status == 400 for page in answers) or _closed(answers), path


def _closed(answers):
    """Where there is nothing to press now, whoever comes is sent to where there is."""
    return {page.location for page in answers} <= {
        "/security/two-step",
        "/security/two-step/set-up",
    }
