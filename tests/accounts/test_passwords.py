"""A new password is never an old one, whatever became of cost and pepper meanwhile."""

from itertools import pairwise

import pytest

from portal.accounts import hashing
from tests.conftest import OTHER_PASSWORD, PASSWORD, SETTINGS, sign_in
from tests.policy.test_password_numbers import THIRD_PASSWORD
from tests.policy.world import ANN, World, choose, type_code

FOURTH_PASSWORD = "marble kettle thursday"
CURRENT = "This is your current password. Choose a different one."
EARLIER = "You had this password before. Choose a different one."
NEW_PEPPER = "another pepper altogether, 0011223344556677"


@pytest.fixture
def hashes(monkeypatch):
    """Counts how often bcrypt works."""
    calls, real = [], hashing.bcrypt.hashpw
    monkeypatch.setattr(hashing.bcrypt, "hashpw", lambda *args: calls.append(1) or real(*args))
    return calls


def changed_three_times(world: World) -> None:
    world.account()
    browser = world.inside()
    steps = PASSWORD, OTHER_PASSWORD, THIRD_PASSWORD, FOURTH_PASSWORD
    for old, new in pairwise(steps):
        assert world.change_password(browser, old, new).status == 303


def refusal(world: World, new: str) -> str | None:
    browser = world.inside(password=FOURTH_PASSWORD)
    return world.change_password(browser, FOURTH_PASSWORD, new).errors.get("password")


def test_none_of_three_earlier_passwords_comes_back(app):
    world = World(app)
    changed_three_times(world)
    for old in PASSWORD, OTHER_PASSWORD, THIRD_PASSWORD:
        assert refusal(world, old) == EARLIER
    assert refusal(world, FOURTH_PASSWORD) == CURRENT


def test_nor_by_way_of_a_reset(app):
    world = World(app)
    changed_three_times(world)
    browser, mail = world.asked()
    type_code(browser, mail.code)
    assert choose(browser, PASSWORD).errors["password"] == EARLIER
    assert choose(browser, FOURTH_PASSWORD).errors["password"] == CURRENT
    assert choose(browser, "copper lantern wednesday").location == "/sign-in"


def test_nor_after_the_cost_went_up(make_app):
    changed_three_times(World(make_app()))
    world = World(make_app(BCRYPT_COST="5"))
    for old in PASSWORD, OTHER_PASSWORD, THIRD_PASSWORD:
        assert refusal(world, old) == EARLIER
    assert refusal(world, FOURTH_PASSWORD) == CURRENT


def test_nor_for_a_sign_in_from_before_the_cost_went_up(make_app):
    """The hash is still of the old cost: nobody signed in since."""
    before = World(make_app())
    changed_three_times(before)
    browser, after = before.inside(password=FOURTH_PASSWORD), World(make_app(BCRYPT_COST="5"))
    browser.client.application = after.app
    page = after.change_password(browser, FOURTH_PASSWORD, FOURTH_PASSWORD)
    assert page.errors["password"] == CURRENT
    page = after.change_password(browser, FOURTH_PASSWORD, PASSWORD)
    assert page.errors["password"] == EARLIER


def test_nor_after_the_pepper_was_changed(make_app):
    changed_three_times(World(make_app()))
    peppers = {"PASSWORD_PEPPER": NEW_PEPPER}
    peppers |= {"PASSWORD_PEPPER_PREVIOUS": SETTINGS["PASSWORD_PEPPER"]}
    world = World(make_app(**peppers))
    for old in PASSWORD, OTHER_PASSWORD, THIRD_PASSWORD:
        assert refusal(world, old) == EARLIER
    assert refusal(world, FOURTH_PASSWORD) == CURRENT


def test_nor_after_both(make_app):
    changed_three_times(World(make_app()))
    more = {"PASSWORD_PEPPER": NEW_PEPPER, "BCRYPT_COST": "5"}
    more |= {"PASSWORD_PEPPER_PREVIOUS": SETTINGS["PASSWORD_PEPPER"]}
    world = World(make_app(**more))
    assert refusal(world, OTHER_PASSWORD) == EARLIER


def test_without_the_earlier_pepper_nobody_gets_in_and_a_reset_still_helps(make_app):
    World(make_app()).account()
    world = World(make_app(PASSWORD_PEPPER=NEW_PEPPER))
    assert sign_in(world.visitor(), ANN).status == 422
    world.command("users", "clear-throttles", ANN)
    browser, mail = world.asked()
    type_code(browser, mail.code)
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert sign_in(browser, ANN, OTHER_PASSWORD).location == "/profile"


def test_one_bcrypt_answers_for_the_whole_history(app, hashes):
    world = World(app)
    changed_three_times(world)
    browser, mail = world.asked()
    type_code(browser, mail.code)
    hashes.clear()
    assert choose(browser, "copper lantern wednesday").status == 303
    assert len(hashes) == 1


def test_composed_and_decomposed_letters_are_one_password(app):
    world = World(app)
    world.account()
    browser = world.inside()
    composed, decomposed = "gr\u00fcner apfelbaum im wind", "gru\u0308ner apfelbaum im wind"
    assert world.change_password(browser, PASSWORD, composed).status == 303
    assert sign_in(world.visitor(), ANN, decomposed).location == "/profile"
    page = world.change_password(browser, composed, decomposed)
    assert page.errors["password"] == CURRENT


def test_a_long_password_counts_to_its_last_letter(app):
    world = World(app)
    world.account()
    browser = world.inside()
    long = (
        "gravel stoop unbutton peddling cuddle copper lantern tuesday wooden planet friday 🌵 end"
    )
    assert world.change_password(browser, PASSWORD, long).status == 303
    assert sign_in(world.visitor(), ANN, long[:-1]).status == 422
    assert sign_in(world.visitor(), ANN, long).location == "/profile"


def test_the_name_chosen_later_counts_too(app):
    world = World(app)
    world.account()
    browser = world.inside()
    browser.get("/profile")
    assert browser.submit("/profile/name", username="zebrafink").status == 303
    page = world.change_password(browser, PASSWORD, "my zebrafink sings today")
    assert page.errors["password"] == (
        "Your password contains your name or email address. Choose another."
    )


def test_the_portals_name_is_no_password(make_app):
    world = World(make_app(PORTAL_NAME="Quillmoor"))
    world.account()
    page = world.change_password(world.inside(), PASSWORD, "at quillmoor every tuesday")
    assert "Choose another." in page.errors["password"]
