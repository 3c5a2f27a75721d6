"""Changing the password while signed in, through its page."""

import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.test_password_numbers import THIRD_PASSWORD
from tests.policy.world import World, type_code

PAGE = "/security/password"


@pytest.fixture
def world(app):
    return World(app)


def test_the_new_password_works_and_the_old_one_does_not(world, inside, ann):
    assert world.change_password(inside, PASSWORD, OTHER_PASSWORD).location == PAGE
    assert inside.follow().banner == "Your password is changed."
    assert sign_in(world.visitor(), ann.email).status == 422
    assert sign_in(world.visitor(), ann.email, OTHER_PASSWORD).location == "/profile"


def test_other_sign_ins_end_and_this_one_goes_on_under_a_new_id(world, inside, ann):
    others = [world.inside(), world.inside(remember=True)]
    before = inside.cookie("latchkey")
    world.change_password(inside, PASSWORD, OTHER_PASSWORD)
    assert inside.follow().banner == (
        "Your password is changed. We signed you out on 2 other devices."
    )
    assert inside.cookie("latchkey") != before
    for browser in others:
        assert browser.get("/profile").location == "/sign-in"
    thief = world.visitor()
    thief.client.set_cookie("latchkey", before, domain="127.0.0.1")
    assert thief.get("/profile").location == "/sign-in"
    assert inside.get("/profile").status == 200


def test_a_kept_sign_in_stays_kept(world, ann, time):
    browser = world.inside(remember=True)
    page = world.change_password(browser, PASSWORD, OTHER_PASSWORD)
    assert "Max-Age=2592000;" in str(page.headers.getlist("Set-Cookie"))
    time.pass_(days=20)
    assert browser.get("/profile").status == 200


def test_a_plain_notice_is_mailed(world, inside, ann):
    world.change_password(inside, PASSWORD, OTHER_PASSWORD)
    notice = world.post.newest()
    assert (notice.to, notice.subject) == (ann.email, "Your Latchkey password is changed")
    for part in notice.text, notice.html:
        assert "Ann Miller" in part
        assert "Firefox on Linux" in part
        assert "0800 000 000" in part
        assert "/recover" in part
        assert "/link/" not in part


@pytest.mark.parametrize("old", [OTHER_PASSWORD, "x", "\0", "x" * 5000])
def test_a_wrong_current_password_changes_nothing(world, inside, ann, old):
    page = world.change_password(inside, old, OTHER_PASSWORD)
    assert page.status == 422
    assert page.errors == {"old_password": "That is not your current password"}
    assert page.form(PAGE).fields["password"] == ""
    assert sign_in(world.visitor(), ann.email).location == "/profile"
    assert world.post.newest().subject == "Confirm your email address"


def test_everything_missing_is_said_at_once(inside):
    inside.get(PAGE)
    page = inside.submit(PAGE, confirm_password="x")
    assert page.status == 422
    assert page.errors == {
        "old_password": "Enter your current password",
        "password": "Enter a new password",
        "confirm_password": "The two passwords are different. Type the new password again.",
    }


def test_the_same_password_and_earlier_ones_are_refused(world, inside):
    page = world.change_password(inside, PASSWORD, PASSWORD)
    assert page.errors == {"password": "This is your current password. Choose a different one."}
    world.change_password(inside, PASSWORD, OTHER_PASSWORD)
    page = world.change_password(inside, OTHER_PASSWORD, PASSWORD)
    assert page.errors == {"password": "You had this password before. Choose a different one."}


def test_ten_wrong_current_passwords_make_it_wait(world, inside, time):
    for number in range(10):
        page = world.change_password(inside, f"wrong {number}", OTHER_PASSWORD)
        assert page.status == 422
    page = world.change_password(inside, PASSWORD, OTHER_PASSWORD)
    assert (page.status, page.headers["Retry-After"]) == (429, "300")
    assert page.summary == ["Too many wrong passwords. You can try again in 5 minutes."]
    time.pass_(seconds=301)
    assert world.change_password(inside, PASSWORD, OTHER_PASSWORD).status == 303


def test_an_open_recovery_ends_with_the_change(world, inside, ann):
    browser, mail = world.asked()
    world.change_password(inside, PASSWORD, OTHER_PASSWORD)
    assert type_code(browser, mail.code).status == 422
    assert world.visitor().get(mail.link).status == 410


def test_the_page_names_the_account_and_the_day(inside, ann, time):
    page = inside.get(PAGE)
    assert f"Last changed on {time.at.day} {time.at:%B %Y}." in page.text
    assert page.form(PAGE).fields["account"] == ann.email


def test_password_managers_are_led_to_the_page(visitor, inside):
    for browser in visitor, inside:
        page = browser.get("/.well-known/change-password")
        assert (page.status, page.location) == (302, PAGE)
    assert visitor.follow().location == f"/sign-in?next={PAGE}"
    assert inside.follow().h1 == "Change your password"


def test_a_form_from_before_the_change_is_too_old(world, inside):
    other_tab = inside.get("/profile").form("/profile/work").fields["csrf_token"]
    world.change_password(inside, PASSWORD, OTHER_PASSWORD)
    page = inside.post("/profile/work", {"csrf_token": other_tab, "job_title": "Baker"})
    assert page.status == 400


def test_of_two_changes_at_once_one_wins(world, inside, ann):
    """Both tabs stand open with the same current password."""
    first = world.change_password(inside, PASSWORD, OTHER_PASSWORD)
    second = world.change_password(inside, PASSWORD, THIRD_PASSWORD)
    assert (first.status, second.status) == (303, 422)
    assert second.errors == {"old_password": "That is not your current password"}
