"""Signing in and out, through the pages."""

import pytest

from portal.core.crypto import digest
from tests.conftest import OTHER_PASSWORD, PASSWORD, open_account, sign_in
from tests.policy.world import ANN, World, cookie, type_code
from tests.rigs.visitor import Visitor

NEW = "new@example.org"
NO_MATCH = "Check your email address and password. They do not match."
DAY = 86_400


@pytest.fixture
def world(app):
    return World(app)


def sign_in_form(page):
    """The form's address: it carries along where to go afterwards."""
    [action] = [each for each in page.forms if each.startswith("/sign-in")]
    return action


def test_the_right_password_leads_to_the_profile(visitor, ann):
    assert sign_in(visitor, ann.email).location == "/profile"
    page = visitor.follow()
    assert page.status == 200
    assert "Signed in as Ann Miller" in page.text


def test_the_start_page_leads_where_the_person_belongs(visitor, inside):
    assert visitor.get("/").location == "/sign-in"
    assert inside.get("/").location == "/profile"


@pytest.mark.parametrize("email, password", [
    (ANN, OTHER_PASSWORD), ("nobody@example.org", PASSWORD), ("no address", PASSWORD),
    (ANN, PASSWORD.title()), (ANN, PASSWORD + " "), (ANN, "x" * 5000), (ANN, "\0"),
])  # fmt: skip
def test_every_mismatch_gets_the_same_words(visitor, ann, email, password):
    page = sign_in(visitor, email, password)
    assert page.status == 422
    assert page.summary == [NO_MATCH]
    assert page.form("/sign-in").fields["email"] == email
    assert page.form("/sign-in").fields["password"] == ""
    assert "After 10 wrong passwords this connection has to wait a while." in page.text
    assert "latchkey=" not in str(page.headers.getlist("Set-Cookie"))


def test_what_was_left_out_is_asked_for(visitor):
    page = sign_in(visitor, " ", "")
    assert page.status == 422
    assert page.errors == {"email": "Enter your email address", "password": "Enter your password"}


def test_a_wrong_password_names_no_field_on_its_own(visitor, ann):
    """The one message speaks of both; it stands where typing begins again."""
    page = sign_in(visitor, ann.email, OTHER_PASSWORD)
    assert set(page.errors.values()) == {NO_MATCH}


def test_the_cookie_ends_with_the_browser(visitor, ann):
    line = cookie(sign_in(visitor, ann.email), "latchkey")
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Path=/" in line
    assert "Domain" not in line
    assert "Max-Age" not in line
    assert "Expires" not in line


def test_keep_me_signed_in_lasts_thirty_days(visitor, ann, time):
    page = sign_in(visitor, ann.email, remember=True)
    assert f"Max-Age={30 * DAY};" in cookie(page, "latchkey")
    time.pass_(days=29)
    assert visitor.get("/profile").status == 200
    time.pass_(days=1, seconds=1)
    assert visitor.get("/profile").location == "/sign-in"


def test_over_https_cookies_are_of_this_host_alone(make_app):
    world = World(make_app(PUBLIC_URL="https://localhost", ALLOWED_HOSTS="localhost,127.0.0.1"))
    world.account()
    browser = world.visitor()
    page = sign_in(browser, ANN)
    assert page.location == "/profile"
    for name in "__Host-latchkey", "__Host-latchkey-device":
        line = cookie(page, name)
        assert "; Secure" in line
        assert "; HttpOnly" in line
        assert "; SameSite=Lax" in line
        assert "; Path=/" in line
        assert "Domain" not in line
    form = cookie(world.visitor().get("/sign-in"), "__Host-latchkey-form")
    assert "; Secure" in form
    assert "; HttpOnly" in form
    assert browser.follow().headers["Strict-Transport-Security"].startswith("max-age=31536000")
    browser.submit("/sign-out")
    assert browser.cookie("__Host-latchkey") in (None, "")


def test_what_the_cookie_holds_is_kept_as_a_digest_only(world, ann):
    browser = world.inside()
    secret = browser.cookie("latchkey")
    assert len(secret) == 43
    kept = world.rows("SELECT digest FROM session_secret")
    assert (digest(secret),) in kept
    assert secret not in str(kept)


def test_every_sign_in_gets_a_new_secret_and_a_planted_one_is_nothing(visitor, ann):
    visitor.client.set_cookie("latchkey", "planted", domain="127.0.0.1")
    sign_in(visitor, ann.email)
    first = visitor.cookie("latchkey")
    sign_in(visitor, ann.email)
    assert len({"planted", first, visitor.cookie("latchkey")}) == 3


@pytest.mark.parametrize("wanted, location", [
    ("/security", "/security"), ("/security/password", "/security/password"),
    ("/profile?x=1", "/profile?x=1"),
    ("", "/profile"), ("https://evil.example", "/profile"), ("//evil.example", "/profile"),
    ("/\\evil.example", "/profile"), ("\\\\evil.example", "/profile"), ("evil", "/profile"),
    ("/%09/evil.example", "/profile"), ("javascript:alert(1)", "/profile"),
    ("/a%0d%0ab", "/profile"),
])  # fmt: skip
def test_next_leads_to_pages_of_the_portal_only(visitor, ann, wanted, location):
    page = visitor.get(f"/sign-in?next={wanted}")
    page = visitor.submit(sign_in_form(page), email=ann.email, password=PASSWORD)
    assert page.location == location


def test_whoever_must_sign_in_first_comes_back(visitor, ann):
    page = visitor.get("/security/password")
    assert page.location == "/sign-in?next=/security/password"
    page = visitor.follow()
    page = visitor.submit(sign_in_form(page), email=ann.email, password=PASSWORD)
    assert page.location == "/security/password"


def test_next_survives_a_wrong_password(visitor, ann):
    page = visitor.get("/sign-in?next=/security")
    page = visitor.submit(sign_in_form(page), email=ann.email, password="wrong")
    page = visitor.submit(sign_in_form(page), email=ann.email, password=PASSWORD)
    assert page.location == "/security"


def test_an_unproven_address_goes_on_to_its_code_with_a_fresh_mail(world, post, time):
    open_account(world.visitor(), NEW)
    old = post.newest()
    time.pass_(seconds=61)
    browser = world.visitor()
    assert sign_in(browser, NEW).location == "/sign-up/code"
    assert NEW in browser.follow().text
    assert len(post.deliver()) == 2
    assert type_code(browser, old.code, "/sign-up/code").status == 422
    assert type_code(browser, post.newest().code, "/sign-up/code").location == "/profile"


def test_within_the_cool_down_the_mail_of_before_is_the_one(world, post):
    open_account(world.visitor(), NEW)
    browser = world.visitor()
    assert sign_in(browser, NEW).location == "/sign-up/code"
    [only] = post.deliver()
    browser.follow()
    assert browser.submit("/sign-up/code", code=only.code).location == "/profile"


def test_an_unproven_address_with_a_wrong_password_is_told_nothing(world, post):
    open_account(world.visitor(), NEW)
    page = sign_in(world.visitor(), NEW, OTHER_PASSWORD)
    assert (page.status, page.summary) == (422, [NO_MATCH])
    assert len(post.deliver()) == 1


def test_a_blocked_person_is_sent_to_the_help_line_after_the_right_password_only(world, ann):
    world.command("users", "block", ann.email)
    page = sign_in(world.visitor(), ann.email)
    assert page.status == 422
    assert page.summary == [
        "This account is blocked. The helpdesk can tell you why and what to do. 0800 000 000"
    ]
    page = sign_in(world.visitor(), ann.email, OTHER_PASSWORD)
    assert page.summary == [NO_MATCH]


def test_signing_out_ends_this_sign_in_and_no_other(world, ann):
    one, other = world.inside(), world.inside()
    secret = one.cookie("latchkey")
    one.get("/profile")
    assert one.submit("/sign-out").location == "/sign-in"
    assert one.follow().banner == "You are signed out."
    assert one.cookie("latchkey") in (None, "")
    one.client.set_cookie("latchkey", secret, domain="127.0.0.1")
    assert one.get("/profile").location == "/sign-in"
    assert other.get("/profile").status == 200


def test_signing_out_wants_the_button(inside):
    assert inside.get("/sign-out").status == 405
    page = inside.post("/sign-out", {"csrf_token": "forged"})
    assert (page.status, page.h1) == (400, "Sign out")
    assert inside.get("/profile").status == 200


def test_ten_wrong_passwords_wait_five_minutes_wherever_they_were_typed(world, ann, time):
    for number in range(10):
        assert sign_in(world.visitor(), ann.email, f"wrong {number}").status == 422
    page = sign_in(world.visitor(), ann.email)
    assert (page.status, page.headers["Retry-After"]) == (429, "300")
    assert "Too many wrong passwords. You can try again in 5 minutes, " in page.text
    assert page.links["Choose a new password"] == "/recover"
    time.pass_(seconds=301)
    assert sign_in(world.visitor(), ann.email).location == "/profile"


def test_an_unknown_address_waits_like_a_known_one(world, ann):
    pages = []
    for email in ann.email, "nobody@example.org":
        for number in range(10):
            sign_in(world.visitor(), email, f"wrong {number}")
        page = sign_in(world.visitor(), email, "wrong")
        pages.append((page.status, page.text))
    assert pages[0] == pages[1]


def test_right_passwords_are_not_counted(world, ann):
    assert {sign_in(world.visitor(), ann.email).status for _ in range(12)} == {303}


def test_strangers_never_keep_the_owner_out_of_a_known_device(world, ann):
    mine = world.inside()
    for number in range(11):
        sign_in(world.visitor(), ann.email, f"wrong {number}")
    assert sign_in(world.visitor(), ann.email).status == 429
    assert sign_in(mine, ann.email).location == "/profile"


def test_a_known_device_has_a_count_of_its_own(world, ann):
    mine = world.inside()
    statuses = [sign_in(mine, ann.email, f"wrong {number}").status for number in range(11)]
    assert statuses == [422] * 10 + [429]
    assert sign_in(world.visitor(), ann.email).location == "/profile"


def test_a_device_known_to_one_person_is_unknown_to_another(world, sign_up):
    sign_up(ANN)
    sign_up("bob@example.org", "Bob Hill")
    bobs = world.inside("bob@example.org")
    for number in range(10):
        sign_in(world.visitor(), ANN, f"wrong {number}")
    assert sign_in(bobs, ANN).status == 429


def test_a_copied_device_cookie_is_dead_once_its_owner_signs_in_again(app, ann, inside):
    copied = inside.cookie("latchkey-device")
    sign_in(inside, ann.email)
    assert inside.cookie("latchkey-device") != copied
    thief = Visitor(app)
    thief.client.set_cookie("latchkey-device", copied, domain="127.0.0.1")
    for _ in range(10):
        assert sign_in(thief, ann.email, "wrong password").status == 422
    assert sign_in(thief, ann.email).status == 429
    assert sign_in(inside, ann.email).location == "/profile"


def test_two_people_on_one_browser_are_both_known_there(app, sign_up):
    ann, bob = sign_up("ann@example.org"), sign_up("bob@example.org", "Bob Hill")
    shared, stranger = Visitor(app), Visitor(app)
    for person in ann, bob:
        sign_in(shared, person.email)
    for person in ann, bob:
        for _ in range(11):
            sign_in(stranger, person.email, "wrong password")
        assert sign_in(stranger, person.email).status == 429
        assert sign_in(shared, person.email).location == "/profile"
