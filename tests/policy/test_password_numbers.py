"""The numbers of passwords, each shown to be the one that counts."""

import threading
import time as real_time
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.accounts import hashing
from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.world import World

THIRD_PASSWORD = "silver teapot monday"
LONG = "gravel stoop unbutton peddling cuddle copper lantern tuesday wooden planet"


def refusal(world: World, password: str) -> str | None:
    """What the sign-up page says against this password; None when it takes it."""
    browser = world.visitor()
    browser.get("/sign-up")
    both = {"password": password, "confirm_password": password}
    page = browser.submit("/sign-up", full_name="Ann Miller", email="new@example.org", **both)
    assert page.status in (303, 422)
    return page.errors.get("password")


class Crowd:
    """Counts how many are inside at the same time; nobody leaves before `expected` were."""

    def __init__(self, expected: int) -> None:
        self.inside, self.most, self.expected = 0, 0, expected
        self.changed = threading.Condition()

    def around(self, call):
        def counted(*args, **more):
            with self.changed:
                self.inside += 1
                self.most = max(self.most, self.inside)
                self.changed.notify_all()
                self.changed.wait_for(lambda: self.most >= self.expected, timeout=10)
            real_time.sleep(0.05)  # one more than expected would come now
            try:
                return call(*args, **more)
            finally:
                with self.changed:
                    self.inside -= 1

        return counted


def test_password_min_length(make_app):
    world = World(make_app(PASSWORD_MIN_LENGTH="12"))
    assert refusal(world, "zG7-pQ2-mW9") == "Use at least 12 characters. This has 11."
    assert refusal(world, "zG7-pQ2-mW9x") is None
    assert "At least 12 characters; 14 or more is better" in world.visitor().get("/sign-up").text


def test_password_max_length(make_app):
    world = World(make_app(PASSWORD_MAX_LENGTH="64"))
    assert refusal(world, LONG[:65]) == "Use at most 64 characters. This has 65."
    assert refusal(world, LONG[:64]) is None


def test_password_advised_length(make_app):
    page = World(make_app(PASSWORD_ADVISED_LENGTH="17")).visitor().get("/sign-up")
    assert "At least 8 characters; 17 or more is better" in page.text
    assert page.tree.css_first("[data-advised]").attributes["data-advised"] == "17"


def test_password_passphrase_length(make_app):
    world = World(make_app(PASSWORD_PASSPHRASE_LENGTH="30"))
    assert refusal(world, "gravel stoop unbutton peddlin") == (
        "Add a capital letter and a digit, or make it a passphrase of 30 characters or more."
    )
    assert refusal(world, "gravel stoop unbutton peddling") is None


@pytest.mark.parametrize("score, taken", [(1, True), (2, False)])
def test_password_min_score(make_app, score, taken):
    world = World(make_app(PASSWORD_MIN_SCORE=str(score)))
    weak = "This password is easy to guess. Three or four random words work well."
    assert refusal(world, "Kx4!Kx4!Kx4!") == (None if taken else weak)


@pytest.mark.parametrize("kept, banner", [(0, None), (1, "Your password is changed.")])
def test_password_history(make_app, kept, banner):
    world = World(make_app(PASSWORD_HISTORY=str(kept)))
    ann = world.account()
    browser = world.inside()
    assert world.change_password(browser, ann.password, OTHER_PASSWORD).status == 303
    assert world.change_password(browser, OTHER_PASSWORD, THIRD_PASSWORD).status == 303
    page = world.change_password(browser, THIRD_PASSWORD, OTHER_PASSWORD)
    assert page.errors["password"] == "You had this password before. Choose a different one."
    page = world.change_password(browser, THIRD_PASSWORD, PASSWORD)
    assert (browser.follow().banner if page.status == 303 else None) == banner


def test_bcrypt_cost(make_app):
    world = World(make_app(BCRYPT_COST="5"))
    world.account()
    [(kept,)] = world.rows("SELECT password_hash FROM person")
    assert "$2b$05$" in kept


@pytest.mark.parametrize("at_once", [1, 3])
def test_hashes_at_once(make_app, monkeypatch, at_once):
    world = World(make_app(HASHES_AT_ONCE=str(at_once)))
    crowd = Crowd(at_once)
    monkeypatch.setattr(hashing.bcrypt, "hashpw", crowd.around(hashing.bcrypt.hashpw))
    browsers = [world.visitor(address=f"192.0.2.{number}") for number in range(5)]
    with ThreadPoolExecutor(5) as threads:
        pages = threads.map(lambda each: sign_in(each, "nobody@example.org"), browsers)
    assert [page.status for page in pages] == [422] * 5
    assert crowd.most == at_once


@pytest.mark.parametrize("value, status, banner", [
    ("0", 303, "Your password is changed."), ("1", 422, None),
])  # fmt: skip
def test_require_code_for_password_change(make_app, value, status, banner):
    world = World(make_app(REQUIRE_CODE_FOR_PASSWORD_CHANGE=value))
    world.account()
    browser = world.inside()
    page = world.change_password(browser, PASSWORD, OTHER_PASSWORD)
    assert page.status == status
    assert (browser.follow().banner if page.status == 303 else None) == banner
