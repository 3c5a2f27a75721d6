"""Signing up, through the pages."""

import pytest
from sqlalchemy import delete

from portal.accounts.models import Person
from portal.core.db import transaction
from tests.conftest import OTHER_PASSWORD, PASSWORD, open_account, sign_in
from tests.policy.world import ANN, ELSEWHERE, World, choose, type_code, wrong
from tests.rigs.visitor import Visitor

NEW = "new@example.org"
NO_EMAIL = "Enter an email address in the correct format, like name@example.com"
RANDOM_WORDS = "Three or four random words work well."
PHRASE = "or make it a passphrase of 20 characters or more."
PERSONAL = "Your password contains your name or email address. Choose another."
DIFFERENT = "The two passwords are different. Type the new password again."
LEAKED = f"This password is on a list of leaked passwords. Choose another. {RANDOM_WORDS}"
CODE = "/sign-up/code"


@pytest.fixture
def world(app):
    return World(app)


def fill_in(browser, **changed):
    typed = {"full_name": "Ann Miller", "email": NEW, "password": PASSWORD} | changed
    browser.get("/sign-up")
    return browser.submit("/sign-up", **{"confirm_password": typed["password"]} | typed)


def test_the_code_proves_the_address_and_signs_in(visitor, post):
    assert open_account(visitor, NEW).location == CODE
    page = visitor.follow()
    assert NEW in page.text
    mail = post.newest()
    assert (mail.to, mail.subject) == (NEW, "Confirm your email address")
    assert visitor.submit(CODE, code=mail.code).location == "/profile"
    assert visitor.follow().banner == "Your address is confirmed. Welcome."


def test_before_the_proof_nobody_is_in(visitor, post):
    open_account(visitor, NEW)
    post.deliver()
    assert visitor.get("/profile").location == "/sign-in"


def test_the_link_in_the_same_browser_signs_in(visitor, post):
    open_account(visitor, NEW)
    link = post.newest().link
    page = visitor.get(link)
    assert (page.status, page.h1) == (200, "Confirm your email address")
    assert "n…@example.org" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert visitor.submit(link).location == "/profile"
    assert visitor.follow().status == 200


def test_the_link_in_another_browser_goes_on_to_choosing_a_password(world, visitor, post):
    open_account(visitor, NEW)
    link, phone = post.newest().link, world.visitor(address=ELSEWHERE)
    phone.get(link)
    assert phone.submit(link).location == "/auth/password-reset"
    assert phone.get("/profile").location == "/sign-in"
    assert choose(phone, OTHER_PASSWORD).location == "/sign-in"
    assert sign_in(phone, NEW).status == 422
    assert sign_in(phone, NEW, OTHER_PASSWORD).location == "/profile"
    assert visitor.get("/profile").location == "/sign-in"


def test_opening_the_link_changes_nothing(visitor, post):
    open_account(visitor, NEW)
    mail = post.newest()
    for _ in range(2):
        assert visitor.get(mail.link).status == 200
    assert type_code(visitor, mail.code, CODE).location == "/profile"


def test_link_and_code_work_once_and_each_ends_the_other(world, visitor, post):
    open_account(visitor, NEW)
    mail = post.newest()
    type_code(visitor, mail.code, CODE)
    for browser in visitor, world.visitor():
        page = browser.get(mail.link)
        assert (page.status, page.h1) == (410, "This link no longer works")
        assert "Send a new email" in page.links
    assert visitor.get(CODE).location == "/sign-up"


def test_a_taken_address_looks_the_same(world, time):
    world.account()
    time.pass_(seconds=61)
    fresh, taken = world.visitor(), world.visitor()
    pages = []
    for browser, address in (fresh, NEW), (taken, ANN):
        first = open_account(browser, address)
        second = browser.follow()
        world.post.deliver()
        third = browser.get(CODE)
        fourth = browser.submit(CODE, code="000000")
        shown = [page.text.replace(address, "...") for page in (second, third, fourth)]
        pages.append([first.status, first.location, fourth.status, *shown])
    assert pages[0] == pages[1]


def test_the_owner_of_a_taken_address_gets_a_notice_without_a_code(world, time):
    world.account()
    time.pass_(seconds=61)
    open_account(world.visitor(), ANN, "Eve Dropper")
    notice = world.post.newest()
    assert (notice.to, notice.subject) == (ANN, "You already have a Latchkey account")
    for part in notice.text, notice.html:
        assert "Eve" not in part
        assert "/link/" not in part
        assert "Ann Miller" in part
    with pytest.raises(AssertionError, match="No code"):
        notice.code  # noqa: B018


def test_a_stranger_cannot_change_an_account_by_signing_up_again(world, time):
    world.account()
    time.pass_(seconds=61)
    assert open_account(world.visitor(), ANN, "Eve Dropper").location == CODE
    world.post.deliver()
    assert sign_in(world.visitor(), ANN).location == "/profile"
    assert world.inside().get("/profile").form("/profile/name").fields["full_name"] == "Ann Miller"


def test_another_case_of_the_address_is_the_same_account(world, time):
    world.account()
    time.pass_(seconds=61)
    open_account(world.visitor(), " ANN@Example.ORG ")
    assert world.post.newest().subject == "You already have a Latchkey account"
    assert sign_in(world.visitor(), "Ann@EXAMPLE.org").location == "/profile"


def test_the_letter_leaves_out_the_name_that_a_stranger_typed(visitor, post):
    open_account(visitor, NEW, "Call 0900 Now")
    mail = post.newest()
    assert "0900" not in mail.text + mail.html


def test_a_second_sign_up_of_an_unproven_address_ends_the_first(world, time):
    first, second = world.visitor(), world.visitor(address=ELSEWHERE)
    open_account(first, NEW, "Eve Dropper")
    old = world.post.newest()
    time.pass_(seconds=61)
    fill_in(second, full_name="Ann Miller", password=OTHER_PASSWORD)
    new = world.post.newest()
    assert type_code(first, old.code, CODE).status == 422
    assert first.get(old.link).status == 410
    assert type_code(second, new.code, CODE).location == "/profile"
    name = second.get("/profile").form("/profile/name").fields["full_name"]
    assert name == "Ann Miller"
    assert sign_in(world.visitor(), NEW).status == 422
    assert sign_in(world.visitor(), NEW, OTHER_PASSWORD).location == "/profile"


def test_the_first_browsers_code_page_does_not_take_the_second_ones_code(world, time):
    first, second = world.visitor(), world.visitor(address=ELSEWHERE)
    open_account(first, NEW, "Eve Dropper")
    world.post.deliver()
    time.pass_(seconds=61)
    open_account(second, NEW)
    assert type_code(first, world.post.newest().code, CODE).status == 422


def test_sending_again_ends_the_older_message(visitor, post, time):
    open_account(visitor, NEW)
    old = post.newest()
    time.pass_(seconds=61)
    visitor.get(CODE)
    assert visitor.submit("/sign-up/resend").location == CODE
    assert visitor.follow().banner == "We have sent a new email. Use the newest one."
    new = post.newest()
    assert type_code(visitor, old.code, CODE).status == 422
    assert type_code(visitor, new.code, CODE).location == "/profile"


def test_sending_again_at_once_is_too_soon_and_the_form_stays(visitor, post, time):
    open_account(visitor, NEW)
    mail = post.newest()
    visitor.get(CODE)
    page = visitor.submit("/sign-up/resend")
    assert (page.status, page.headers["Retry-After"]) == (429, "60")
    assert page.summary == ["We have just sent one. You can ask again in 1 minute."]
    assert visitor.submit(CODE, code=mail.code).location == "/profile"


def test_another_address_can_be_given_at_once(visitor, post):
    open_account(visitor, "slip@example.org")
    page = visitor.follow()
    assert page.links["Use another address"] == "/sign-up"
    open_account(visitor, NEW)
    assert type_code(visitor, post.newest(NEW).code, CODE).location == "/profile"


def test_five_wrong_codes_and_the_right_one_is_refused_too(visitor, post):
    open_account(visitor, NEW)
    code = post.newest().code
    for step in range(5):
        page = type_code(visitor, wrong(code, step + 1), CODE)
        assert page.errors["code"] == (
            "That code is not right. Check the newest email and try again."
        )
    page = type_code(visitor, code, CODE)
    assert page.status == 429
    assert page.summary == ["Too many wrong codes. Use the button in the email, or start again."]


def test_without_a_flow_the_pages_begin_again(visitor):
    assert visitor.get(CODE).location == "/sign-up"
    visitor.get("/sign-up")
    token = visitor.page.form("/sign-up").fields["csrf_token"]
    assert visitor.post("/sign-up/resend", {"csrf_token": token}).location == "/sign-up"


def test_the_proof_code_lives_ten_minutes_and_the_link_a_day(world, visitor, post, time):
    open_account(visitor, NEW)
    mail = post.newest()
    time.pass_(seconds=601)
    page = type_code(visitor, mail.code, CODE)
    assert page.errors["code"].startswith("That code has run out.")
    time.pass_(hours=23)
    assert world.visitor().get(mail.link).status == 200
    time.pass_(hours=1)
    assert world.visitor().get(mail.link).status == 410


@pytest.mark.parametrize("field, typed, words", [
    ("full_name", " ", "Enter your full name"),
    ("full_name", "Ann\x07", "Take out the characters that cannot be seen."),
    ("full_name", "x" * 101, "Shorten this to 100 characters. It has 101."),
    ("email", "", "Enter your email address"),
    ("email", "ann@", NO_EMAIL),
    ("email", "änn@example.org", NO_EMAIL),
    ("email", "a@example.org\r\nBcc: b@example.org", NO_EMAIL),
    ("password", "", "Enter a new password"),
    ("password", "Ab1!xy", "Use at least 8 characters. This has 6."),
    ("password", "gravel7stoop", f"Add a capital letter and a sign, {PHRASE}"),
    ("password", "GRAVEL-STOOP", f"Add a small letter and a digit, {PHRASE}"),
    ("password", "Summer2026!", f"This is one word with trimmings. {RANDOM_WORDS}"),
    ("password", "Password1!", LEAKED),
    ("password", "copper miller tuesday lantern", PERSONAL),
    ("confirm_password", "another", DIFFERENT),
])  # fmt: skip
def test_what_cannot_be_taken_is_said_beside_its_field(visitor, post, field, typed, words):
    page = fill_in(visitor, **{field: typed})
    assert page.status == 422
    assert page.errors == {field: words}
    assert page.summary == [words]
    assert post.deliver() == []


def test_everything_wrong_is_said_at_once_and_passwords_are_not_given_back(visitor):
    page = fill_in(visitor, full_name="", email="ann", password="secret", confirm_password="")
    assert list(page.errors) == ["full_name", "email", "password", "confirm_password"]
    assert page.title.startswith("Error: ")
    assert page.form("/sign-up").fields["email"] == "ann"
    assert page.form("/sign-up").fields["password"] == ""


def test_names_of_any_script_are_welcome(world):
    world.account(NEW, "Ἀριστοτέλης 李小龍 🦊 O'Neill")
    name = world.inside(NEW).get("/profile").form("/profile/name").fields["full_name"]
    assert name == "Ἀριστοτέλης 李小龍 🦊 O'Neill"


def test_a_blocked_person_gets_no_new_account_by_signing_up(world, time):
    world.account()
    time.pass_(seconds=61)
    world.command("users", "block", ANN)
    browser = world.visitor()
    told = world.post.newest().subject  # of the block
    assert open_account(browser, ANN).location == CODE
    assert told != world.post.newest().subject == "You already have a Latchkey account"
    assert sign_in(world.visitor(), ANN).status == 422


def test_the_owner_may_choose_on_the_phone_what_was_typed_on_the_laptop(world, visitor, post):
    """Nobody's first password is history, and it is not for the page to tell what it was."""
    open_account(visitor, NEW)
    link, phone = post.newest().link, world.visitor()
    phone.get(link)
    phone.submit(link)
    phone.follow()
    choice = {"password": PASSWORD, "confirm_password": PASSWORD}
    assert phone.submit("/auth/password-reset", **choice).location == "/sign-in"
    assert sign_in(phone, NEW).location == "/profile"
    page = world.change_password(phone, PASSWORD, PASSWORD)
    assert page.errors["password"] == "This is your current password. Choose a different one."


def test_an_account_that_was_purged_a_moment_ago_is_no_defect(app, post):
    """The code is right, and nobody is left to whom it belongs."""
    browser = Visitor(app)
    open_account(browser, "ann@example.org")
    browser.follow()
    code = post.newest().code
    with app.app_context(), transaction() as session:
        session.execute(delete(Person))
    assert browser.submit("/sign-up/code", code=code).status == 503
