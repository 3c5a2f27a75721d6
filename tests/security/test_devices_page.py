"""Where somebody is signed in, and signing out there."""

from uuid import uuid4

import pytest

from tests.conftest import PASSWORD, sign_in
from tests.policy.world import ANN, World

PAGE = "/security/devices"
OTHERS = f"{PAGE}/sign-out-others"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
BOB = "bob@example.org"


@pytest.fixture
def world(app):
    return World(app)


def on_iphone(world, email=ANN):
    browser = world.visitor(agent=IPHONE)
    assert sign_in(browser, email).location == "/profile"
    return browser


def rows(page):
    """-> device, kind: of each line."""
    return list(zip(page.find("tbody th"), page.find('tbody td[data-label="Kind"]'), strict=True))


def buttons(page):
    """The paths of the buttons that sign out one device."""
    return [path for path in page.forms if path.endswith("/sign-out") and path.startswith(PAGE)]


def test_every_sign_in_is_a_row_and_this_device_is_marked(app, world, inside):
    on_iphone(world)
    typed = {"email": ANN, "password": PASSWORD}
    assert app.test_client().post("/api/v1/auth/token", json=typed).status_code == 200
    page = inside.get(PAGE)
    assert rows(page) == [
        ("A program", "Program"), ("Safari on iPhone", "Browser"),
        ("Firefox on Linux This device", "Browser"),
    ]  # fmt: skip
    assert len(buttons(page)) == 2
    assert any(
        words.startswith("Sign out, Safari on iPhone, since ") for words in page.find("td button")
    )


def test_one_device_is_signed_out_and_the_others_go_on(world, inside):
    phone, third = on_iphone(world), world.inside()
    path = buttons(inside.get(PAGE))[1]
    assert inside.submit(path).location == PAGE
    assert inside.follow().banner == "Safari on iPhone is signed out."
    assert phone.get("/profile").location == "/sign-in"
    assert third.get("/profile").status == 200
    assert inside.get("/profile").status == 200


def test_all_others_are_signed_out_together(world, inside):
    others = [on_iphone(world), world.inside()]
    inside.get(PAGE)
    assert inside.submit(OTHERS).location == PAGE
    assert inside.follow().banner == "Signed out on 2 other devices."
    assert {each.get("/profile").location for each in others} == {"/sign-in"}
    assert OTHERS not in inside.get(PAGE).forms
    assert world.rows("SELECT detail FROM event WHERE kind = 'sign-in:all-ended'") == [("2",)]


@pytest.mark.parametrize("whose", ["bob", "nobody", "over"])
def test_what_is_not_ones_own_is_not_there(world, inside, sign_up, whose):
    sign_up(BOB, "Bob Other")
    bob = world.inside(BOB)
    over = world.inside()
    over.get("/profile")
    over.submit("/sign-out")
    wanted = {
        "bob": "SELECT sid FROM session WHERE person_id = 2 AND ended_at IS NULL",
        "over": "SELECT sid FROM session WHERE person_id = 1 AND ended_at IS NOT NULL",
    }
    sid = world.rows(wanted[whose])[-1][0] if whose in wanted else uuid4()
    token = inside.get(PAGE).form("/sign-out").fields["csrf_token"]
    assert inside.post(f"{PAGE}/{sid}/sign-out", {"csrf_token": token}).status == 404
    assert bob.get("/profile").status == 200


def test_half_a_sign_in_is_no_device(world, inside):
    world.write("UPDATE person SET two_step_at = '2026-01-01 00:00:00'")
    assert sign_in(world.visitor(), ANN).location == "/sign-in/second-step"
    assert len(rows(inside.get(PAGE))) == 1
    ((sid,),) = world.rows("SELECT sid FROM session WHERE kind = 'half'")
    token = inside.page.form("/sign-out").fields["csrf_token"]
    assert inside.post(f"{PAGE}/{sid}/sign-out", {"csrf_token": token}).status == 404


def test_ending_others_asks_for_the_password_once_the_sign_in_is_not_fresh(world, inside, time):
    phone = on_iphone(world)
    inside.get(PAGE)
    (path,) = buttons(inside.page)
    time.pass_(minutes=11)
    for pressed in path, OTHERS:
        inside.get(PAGE)
        assert inside.submit(pressed).location == f"/security/confirm?next={PAGE}"
    assert phone.get("/profile").status == 200
    inside.get(f"/security/confirm?next={PAGE}")
    assert inside.submit(f"/security/confirm?next={PAGE}", password=PASSWORD).location == PAGE
    inside.get(PAGE)
    assert inside.submit(path).location == PAGE
    assert phone.get("/profile").location == "/sign-in"


def test_a_program_that_is_not_fresh_ends_itself_but_no_other(app, world, ann, time):
    typed = {"email": ANN, "password": PASSWORD}
    post = app.test_client().post
    access = post("/api/v1/auth/token", json=typed).json["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    time.pass_(minutes=11)
    browser = world.inside()
    found = app.test_client().get("/api/v1/sessions", headers=bearer).json["sessions"]
    end = app.test_client().delete
    for each in sorted(found, key=lambda one: one["current"]):
        answer = end(f"/api/v1/sessions/{each['id']}", headers=bearer)
        assert answer.status_code == (204 if each["current"] else 403)
        if not each["current"]:
            assert answer.json["code"] == "unconfirmed"
            assert end("/api/v1/sessions", headers=bearer).status_code == 403
    assert browser.get("/profile").status == 200


def test_a_program_that_confirmed_the_password_ends_all(app, world, ann, time):
    typed = {"email": ANN, "password": PASSWORD}
    post = app.test_client().post
    access = post("/api/v1/auth/token", json=typed).json["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    time.pass_(minutes=11)
    browser = world.inside()
    confirmed = post("/api/auth/confirm-password", json={"password": PASSWORD}, headers=bearer)
    assert confirmed.status_code == 200
    assert app.test_client().delete("/api/v1/sessions", headers=bearer).status_code == 204
    assert browser.get("/profile").location == "/sign-in"


def test_without_the_forms_token_nobody_is_signed_out(world, inside):
    phone = on_iphone(world)
    inside.get(PAGE)
    (path,) = buttons(inside.page)
    for each in path, OTHERS:
        assert inside.post(each, {"csrf_token": "forged"}).status == 400
        assert inside.get(each).status == 405
    assert phone.get("/profile").status == 200
