"""Sign-ins that outlive their end, and floods of signing in."""

import threading
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

import pytest

from portal.accounts import hashing
from tests.attacks.conftest import block, dump
from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.world import ANN, World, choose, type_code
from tests.rigs.authenticator import set_up
from tests.rigs.caller import Caller
from tests.rigs.server import Server
from tests.rigs.visitor import Visitor

TOKEN, REFRESH, PROFILE = "/api/v1/auth/token", "/api/v1/auth/refresh", "/api/v1/profile"
DEVICES, CHANGE = "/security/devices", "/api/auth/change-password"
NEW = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
FLOOD = 40  # sign-ins at once, each of which waits for its turn to hash


@pytest.fixture
def world(app):
    return World(app)


class Keys:
    """All that one person holds: a browser, a kept one, and a program's two tokens."""

    def __init__(self, world):
        self.client = world.app.test_client()
        self.browsers = [world.inside(), world.inside(remember=True)]
        pair = self.client.post(TOKEN, json={"email": ANN, "password": PASSWORD}).json
        self.access, self.refresh = pair["access_token"], pair["refresh_token"]

    @property
    def open(self):
        """How many of the doors still open."""
        pages = [browser.get("/security").status for browser in self.browsers]
        bearer = {"Authorization": f"Bearer {self.access}"}
        pages.append(self.client.get(PROFILE, headers=bearer).status_code)
        pages.append(self.client.post(REFRESH, json={"refresh_token": self.refresh}).status_code)
        assert set(pages) <= {200, 303, 401}
        return pages.count(200)


def delete(world, browser):
    browser.get("/security/delete")
    browser.submit("/security/delete", password=PASSWORD)


def change_password(world, browser):
    world.change_password(browser, PASSWORD, OTHER_PASSWORD)


def change_role(world, _browser):
    world.command("staff", "role", ANN, "viewer")


def be_blocked(world, _browser):
    block(world.app, ANN)


def sign_out_others(_world, browser):
    browser.get(DEVICES)
    browser.submit(f"{DEVICES}/sign-out-others")


def turn_on_the_second_factor(_world, browser):
    set_up(browser)


def press_not_you(world, _browser):
    owner, notice = world.visitor(), world.post.alerts(ANN)[0]
    owner.get(notice.not_you)
    owner.submit(notice.not_you)


def recover(world, _browser):
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)


@pytest.mark.parametrize("end", [
    delete, change_password, change_role, be_blocked, sign_out_others, turn_on_the_second_factor,
    press_not_you, recover,
], ids=lambda end: end.__name__)  # fmt: skip
def test_session_02_nothing_that_was_held_before_opens_any_more(world, ann, time, end):
    acting = world.inside()
    keys = Keys(world)
    assert keys.open == 4
    keys = Keys(world)
    end(world, acting)
    assert keys.open == 0


def test_session_02_a_device_that_was_signed_out_is_out_and_no_other(world, ann):
    acting = world.inside()
    keys = Keys(world)
    acting.get(DEVICES)
    (path,) = [each for each in acting.page.forms if each.startswith(DEVICES)][1:2]
    acting.submit(path)
    assert keys.browsers[1].get("/security").status == 303
    assert keys.browsers[0].get("/security").status == 200
    assert keys.open == 3


def test_session_02_what_was_signed_out_cannot_act_a_moment_later(world, ann):
    """A page that stood open: its form is worth nothing, and changes nothing."""
    acting, other = world.inside(), world.inside()
    token = other.get("/security/password").form("/security/password").fields["csrf_token"]
    sign_out_others(world, acting)
    before = dump(world.app)
    typed = {"csrf_token": token, "old_password": PASSWORD, **NEW}
    assert other.post("/security/password", typed).location == "/sign-in"
    assert other.post("/security/delete", {"csrf_token": token, "password": PASSWORD}).status == 303
    assert dump(world.app) == before


def test_session_02_an_account_that_was_deleted_and_kept_opens_by_signing_in_alone(world, ann):
    acting = world.inside()
    keys = Keys(world)
    delete(world, acting)
    assert world.inside().get("/security").status == 200
    assert keys.open == 0


def test_session_03_a_cookie_of_before_is_not_good_after_the_account_came_back(world, ann):
    acting = world.inside()
    copied = acting.cookie("latchkey")
    delete(world, acting)
    assert sign_in(acting, ANN).location == "/profile"
    thief = world.visitor()
    thief.client.set_cookie("latchkey", copied, domain="127.0.0.1")
    assert thief.get("/profile").location == "/sign-in"
    assert acting.cookie("latchkey") != copied


@pytest.mark.parametrize("path, form", [
    ("/sign-in", {"email": ANN, "password": PASSWORD}), ("/recover", {"identifier": ANN}),
])  # fmt: skip
def test_login_05_without_the_store_of_limits_nobody_passes(world, ann, path, form):
    """Limits are kept in the database: when they cannot be counted, nothing is done."""
    world.write("ALTER TABLE throttle RENAME TO away")
    browser = world.visitor()
    browser.get(path)
    page = browser.submit(path, **form)
    assert (page.status, page.headers["Retry-After"]) == (503, "10")
    assert browser.get("/profile").location == "/sign-in"
    answer = world.app.test_client().post(TOKEN, json={"email": ANN, "password": PASSWORD})
    assert answer.status_code == 503
    world.write("ALTER TABLE away RENAME TO throttle")
    assert sign_in(browser, ANN).location == "/profile"


def test_login_05_a_guessed_code_is_not_even_looked_at_without_it(world, ann):
    browser, mail = world.asked()
    world.write("ALTER TABLE throttle RENAME TO away")
    assert type_code(browser, mail.code).status == 503
    world.write("ALTER TABLE away RENAME TO throttle")
    assert type_code(browser, mail.code).location == "/auth/password-reset"


class Gate:
    """Stands before every hash: counts how many are there, and lets nobody on before told."""

    def __init__(self, monkeypatch):
        self.there = self.most = self.all = 0
        self.changed, self.opened = threading.Condition(), threading.Event()
        real = hashing.bcrypt.hashpw

        def hashpw(password, salt):
            self._step(1)
            assert self.opened.wait(30)
            self._step(-1)
            return real(password, salt)

        monkeypatch.setattr(hashing.bcrypt, "hashpw", hashpw)

    def _step(self, count):
        with self.changed:
            self.there += count
            self.all += max(0, count)
            self.most = max(self.most, self.there)
            self.changed.notify_all()

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: self.there >= count, timeout=30)


def test_login_09_what_is_longer_than_any_password_is_never_hashed(world, ann, monkeypatch):
    gate, inside = Gate(monkeypatch), world.inside
    gate.opened.set()
    browser = inside()
    counted = gate.all
    for long in "x" * 129, "é" * 129, "x" * 30_000:
        assert sign_in(world.visitor(), ANN, long).status == 422
        assert sign_in(world.visitor(), "nobody@example.org", long).status == 422
        world.change_password(browser, long, OTHER_PASSWORD)
        body = {"email": ANN, "password": long}
        assert world.app.test_client().post(TOKEN, json=body).status_code in (401, 422)
    assert gate.all == counted


def test_login_10_a_flood_hashes_two_at_a_time_and_leaves_the_rest_of_the_portal_alone(
    world, ann, monkeypatch
):
    gate = Gate(monkeypatch)
    with ThreadPoolExecutor(8) as threads:
        browsers = [world.visitor(address=f"192.0.2.{number}") for number in range(8)]
        pages = threads.map(lambda each: sign_in(each, ANN, "not this one"), browsers)
        gate.wait_for(2)
        quick = world.visitor()
        for path in "/healthz", "/static/css/portal.css", "/help", "/sign-in":
            assert quick.get(path, checked=False).status == 200, path
        gate.opened.set()
        assert [page.status for page in pages] == [422] * 8
    assert gate.most == 2


def test_login_10_whoever_signs_in_does_not_wait_for_a_place_among_the_flood(tmp_path):
    """In the served product: others are answered while most of the flood still waits."""
    numbers = dict.fromkeys(("WRONG_PASSWORDS_PER_ACCOUNT", "WRONG_PASSWORDS_PER_NETWORK"), "1000")
    with Server(tmp_path, HASHES_AT_ONCE="1", BCRYPT_COST="11", **numbers) as portal:
        callers = [Caller(portal.url, patience=120) for _ in range(FLOOD)]
        for each in callers:
            each.open("/sign-in")
        first, done = threading.Event(), []

        def flood(caller):
            typed = {"email": "nobody@example.org", "password": "not this one"}
            done.append(caller.send("/sign-in", **typed).status)
            first.set()

        with ThreadPoolExecutor(FLOOD) as threads:
            waiting = [threads.submit(flood, each) for each in callers]
            assert first.wait(60)
            assert Caller(portal.url).open("/healthz").status == 200
            answered = len(done)
            assert [each.result() for each in waiting] == [None] * FLOOD
    assert set(done) == {422}
    assert answered < FLOOD / 2


@pytest.mark.parametrize("email", [ANN, "nobody@example.org"])
def test_login_10_a_flood_that_is_too_great_is_turned_away_alike(app, ann, monkeypatch, email):
    """Whoever waits for a hash keeps a thread that pages need."""
    monkeypatch.setattr(hashing, "_line", BoundedSemaphore(0))
    browser = Visitor(app)
    page = sign_in(browser, email)
    assert page.status == 503
    assert page.summary == [
        "Very many people are signing in at the moment. Try again in a few seconds."
    ]
    assert browser.get("/help").status == 200
    answer = app.test_client().post(
        "/api/v1/auth/token", json={"email": email, "password": PASSWORD}
    )
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) <= hashing.BUSY_SECONDS
