"""Sign-ins: how long they last, and what ends them."""

import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.world import ANN, World, choose, cookie, type_code

SETTINGS_12_H = {"SESSION_ABSOLUTE_SECONDS": str(24 * 3600), "SESSION_IDLE_SECONDS": str(24 * 3600)}


@pytest.fixture
def world(app):
    return World(app)


def promote(world, role="support"):
    world.write("UPDATE person SET role = :role", role=role)


def secure(world):
    """As if the staff among them had set up a second factor in the sign-in they are in."""
    world.write("UPDATE person SET two_step_at = created_at WHERE role != 'user'")


def test_thirty_minutes_without_a_request_end_it(inside, time):
    assert inside.get("/profile").status == 200
    time.pass_(minutes=29, seconds=40)
    assert inside.get("/profile").status == 200
    time.pass_(minutes=29, seconds=40)
    assert inside.get("/profile").status == 200
    time.pass_(minutes=30, seconds=1)
    assert inside.get("/profile").location == "/sign-in"


def test_twelve_hours_end_it_in_any_case(inside, time):
    for _ in range(28):
        time.pass_(minutes=25)
        assert inside.get("/profile").status == 200
    time.pass_(minutes=20, seconds=1)
    assert inside.get("/profile").location == "/sign-in"


def test_once_over_it_stays_over(inside, time):
    time.pass_(minutes=31)
    assert inside.get("/profile").location == "/sign-in"
    time.pass_(minutes=-31)
    inside.get("/profile")
    time.pass_(minutes=31)
    assert inside.get("/profile").location == "/sign-in"


def test_kept_sign_ins_outlive_idle_nights(world, ann, time):
    browser = world.inside(remember=True)
    for _ in range(29):
        time.pass_(days=1)
        assert browser.get("/profile").status == 200
    time.pass_(days=1, seconds=1)
    assert browser.get("/profile").location == "/sign-in"


@pytest.mark.parametrize("role", ["viewer", "support", "admin"])
def test_staff_are_never_kept_signed_in(world, ann, time, role):
    promote(world, role)
    browser = world.visitor()
    page = sign_in(browser, ann.email, remember=True)
    assert "Max-Age" not in cookie(page, "latchkey")
    secure(world)
    for _ in range(28):
        time.pass_(minutes=25)
        assert browser.get("/profile").status == 200
    time.pass_(minutes=20, seconds=1)
    assert browser.get("/profile").location == "/sign-in"


def test_staff_stay_twelve_hours_at_most_whatever_the_settings_say(make_app, time):
    world = World(make_app(**SETTINGS_12_H))
    world.account()
    person = world.inside()
    promote(world)
    staff = world.inside()
    secure(world)
    time.pass_(hours=11, minutes=59)
    assert staff.get("/profile").status == 200
    time.pass_(minutes=2)
    assert staff.get("/profile").location == "/sign-in"
    assert person.get("/profile").status == 200


def test_a_reset_ends_every_sign_in_at_once(world, ann):
    kept, other = world.inside(remember=True), world.inside()
    browser, mail = world.asked()
    type_code(browser, mail.code)
    assert kept.get("/profile").status == 200
    choose(browser, OTHER_PASSWORD)
    for each in kept, other, browser:
        assert each.get("/profile").location == "/sign-in"


def test_a_block_ends_every_sign_in_and_the_end_stays(world, ann):
    browser = world.inside()
    world.command("users", "block", ann.email)
    assert browser.get("/profile").location == "/sign-in"
    world.command("users", "unblock", ann.email)
    assert browser.get("/profile").location == "/sign-in"
    assert sign_in(browser, ann.email).location == "/profile"


def test_a_reset_forgets_known_devices(world, ann):
    mine = world.inside()
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)
    for number in range(10):
        sign_in(world.visitor(), ann.email, f"wrong {number}")
    assert sign_in(mine, ann.email, OTHER_PASSWORD).status == 429


def test_devices_are_counted_while_they_can_be_used(world, ann, time):
    browser = world.inside(remember=True)
    assert "You are signed in on this device only." in browser.get("/security").text
    world.inside()
    assert "on 2 devices, this one included" in browser.get("/security").text
    time.pass_(minutes=31)
    assert "You are signed in on this device only." in browser.get("/security").text


def test_a_notice_counts_only_the_devices_that_were_still_signed_in(world, ann, time):
    world.inside()
    time.pass_(minutes=31)
    browser = world.inside()
    world.inside()
    world.change_password(browser, PASSWORD, OTHER_PASSWORD)
    assert browser.follow().banner == (
        "Your password is changed. We signed you out on 1 other device."
    )
    assert "We signed you out on 1 device." in world.post.newest().text


def test_a_sign_in_is_kept_with_network_and_a_name_for_the_device(world, ann):
    world.inside()
    [*_, (network, device)] = world.rows("SELECT network, device FROM session ORDER BY id")
    assert (network, device) == ("198.51.100.0/24", "Firefox on Linux")


@pytest.mark.parametrize("secret", ["", "x", "ä", "x" * 4000])
def test_a_made_up_cookie_is_nobody(world, ann, secret):
    browser = world.visitor()
    browser.client.set_cookie("latchkey", secret, domain="127.0.0.1")
    assert browser.get("/profile").location == "/sign-in"


def test_pages_that_are_guarded_send_strangers_to_sign_in(visitor, ann):
    for path in "/profile", "/security", "/security/password":
        assert visitor.get(path).location.startswith("/sign-in")
    visitor.get("/sign-in")
    token = visitor.page.form("/sign-in").fields["csrf_token"]
    for path in (
        "/profile/name", "/profile/work", "/profile/location", "/profile/social-links",
        "/profile/bio", "/profile/picture", "/profile/picture/remove", "/security/password",
    ):  # fmt: skip
        assert visitor.post(path, {"csrf_token": token}).location == "/sign-in"


def test_one_persons_browser_never_sees_another(world, sign_up):
    sign_up(ANN)
    sign_up("bob@example.org", "Bob Hill")
    assert "Ann Miller" in world.inside(ANN).get("/profile").text
    page = world.inside("bob@example.org").get("/profile")
    assert "Bob Hill" in page.text
    assert "Ann Miller" not in page.html
