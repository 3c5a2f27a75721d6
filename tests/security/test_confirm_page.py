"""Showing once more who one is, before what is sensitive."""

import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD
from tests.policy.world import NUMBER, OTHER_NUMBER, PHONE, World, type_code

PAGE = "/security/confirm"
FORM = f"{PAGE}?next={PHONE}"
REMOVE = f"{PHONE}/remove"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def stale(inside, time):
    """Ann's browser, ten minutes after she signed in."""
    time.pass_(seconds=601)
    return inside


def confirmed(browser, password=PASSWORD, action=FORM):
    browser.get(action)
    return browser.submit(action, password=password)


def test_shortly_after_signing_in_nobody_is_asked(inside, time):
    time.pass_(seconds=570)
    inside.get(PHONE)
    assert inside.submit(PHONE, phone=NUMBER).location == f"{PHONE}/code"


def test_later_the_password_is_asked_for_and_what_was_typed_is_still_there(world, stale):
    stale.get(PHONE)
    assert stale.submit(PHONE, phone="+44 7400-218305").location == FORM
    page = stale.follow()
    assert page.h1 == "Confirm it is you"
    assert "We do not ask again for 10 minutes." in page.text
    assert stale.submit(FORM, password=PASSWORD).location == PHONE
    page = stale.follow()
    assert page.form(PHONE).fields["phone"] == "+44 7400-218305"
    assert stale.submit(PHONE, phone="+44 7400-218305").location == f"{PHONE}/code"
    assert stale.get(PHONE).form(PHONE).fields.get("phone", "") == ""
    assert "sms" in world.channels()


def test_nothing_has_happened_before_the_password_was_typed(world, stale):
    stale.get(PHONE)
    stale.submit(PHONE, phone=NUMBER)
    assert "sms" not in world.channels()
    assert world.rows("SELECT phone_wanted FROM person") == [(None,)]
    assert world.rows("SELECT confirmed_at FROM session WHERE confirmed_at IS NOT NULL") == []


def test_removing_a_number_asks_too(world, inside, time):
    world.add_phone(inside)
    time.pass_(seconds=601)
    inside.get(PHONE)
    assert inside.submit(REMOVE).location == FORM
    assert world.rows("SELECT phone FROM person") == [(NUMBER,)]
    confirmed(inside)
    inside.follow()
    assert inside.submit(REMOVE).location == PHONE
    assert world.rows("SELECT phone FROM person") == [(None,)]


def test_looking_at_the_page_asks_for_nothing(stale):
    assert stale.get(PHONE).status == 200


def test_a_code_that_was_asked_for_in_time_may_be_typed_later(world, inside, time):
    time.pass_(seconds=500)
    inside.get(PHONE)
    inside.submit(PHONE, phone=NUMBER)
    code = world.post.newest(NUMBER).code
    time.pass_(seconds=500)
    assert type_code(inside, code, f"{PHONE}/code").location == PHONE


def test_it_counts_for_ten_minutes_and_in_this_browser_alone(world, stale, ann, time):
    other = world.inside()
    time.pass_(seconds=601)
    assert confirmed(stale).location == PHONE
    for browser, location in ((stale, f"{PHONE}/code"), (other, FORM)):
        browser.get(PHONE)
        assert browser.submit(PHONE, phone=NUMBER).location == location
    time.pass_(seconds=601)
    stale.get(PHONE)
    assert stale.submit(PHONE, phone=OTHER_NUMBER).location == FORM


def test_nothing_else_about_the_sign_in_changes(world, stale):
    before = stale.cookie("latchkey"), world.rows("SELECT started_at, expires_at FROM session")
    token = stale.get("/profile").form("/profile/work").fields["csrf_token"]
    confirmed(stale)
    after = stale.cookie("latchkey"), world.rows("SELECT started_at, expires_at FROM session")
    assert after == before
    page = stale.post("/profile/work", {"csrf_token": token, "job_title": "Baker"})
    assert page.location == "/profile"


@pytest.mark.parametrize("typed", [OTHER_PASSWORD, "x", "\0", "x" * 5000, PASSWORD.upper()])
def test_a_wrong_password_is_said_beside_the_field(world, stale, typed):
    page = confirmed(stale, typed)
    assert (page.status, page.errors) == (
        422,
        {"password": "That is not your current password"},
    )
    assert page.form(FORM).fields["password"] == ""
    stale.get(PHONE)
    assert stale.submit(PHONE, phone=NUMBER).location == FORM


def test_no_password_at_all_is_not_counted(stale):
    for _ in range(12):
        assert confirmed(stale, "").errors == {"password": "Enter your current password"}
    assert confirmed(stale).location == PHONE


def test_ten_wrong_passwords_make_it_wait(stale, time):
    for number in range(10):
        assert confirmed(stale, f"wrong {number}").status == 422
    page = confirmed(stale)
    assert (page.status, page.headers["Retry-After"]) == (429, "300")
    assert page.summary == ["Too many wrong passwords. You can try again in 5 minutes."]
    time.pass_(seconds=301)
    assert confirmed(stale).location == PHONE


@pytest.mark.parametrize("target", [
    "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "x",
    "/security phone", "/\x7f",
])  # fmt: skip
def test_nobody_is_led_to_another_site(stale, target):
    page = stale.client.get(PAGE, base_url=stale.site, query_string={"next": target})
    assert b'action="/security/confirm"' in page.data
    form = stale.get(PAGE).form(PAGE).fields | {"password": PASSWORD}
    answer = stale.client.post(PAGE, base_url=stale.site, query_string={"next": target}, data=form)
    assert answer.location == "/security"


def test_it_is_on_record(world, stale):
    confirmed(stale)
    assert world.rows("SELECT kind FROM event ORDER BY id DESC LIMIT 1") == [("sign-in:confirmed",)]


def test_the_page_is_for_those_who_are_signed_in(visitor):
    assert visitor.get(FORM).location == f"/sign-in?next={PAGE}"
    assert visitor.post(FORM, {"password": PASSWORD}).location == "/sign-in"


def test_what_was_typed_on_one_page_does_not_stand_on_another_and_not_for_long(stale):
    stale.get(PHONE)
    stale.submit(PHONE, phone="9" * 10_000)
    assert len(stale.cookie("latchkey-form") or "") < 1000
    assert len(stale.get(PHONE).form(PHONE).fields["phone"]) == 254
    assert stale.get(PHONE).form(PHONE).fields.get("phone", "") == ""
