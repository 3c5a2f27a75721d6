"""Deleting one's own account, and coming back."""

from datetime import timedelta

import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.policy.world import ANN, World, choose, type_code
from tests.rigs.authenticator import enter, set_up

PAGE = "/security/delete"


@pytest.fixture
def world(app):
    return World(app)


def delete(browser, password=PASSWORD):
    browser.get(PAGE)
    return browser.submit(PAGE, password=password)


def test_deleting_ends_everything_at_once_and_says_until_when_it_can_be_undone(world, inside, time):
    other = world.inside(remember=True)
    assert delete(inside).location == "/sign-in"
    until = time.at + timedelta(days=14)
    assert inside.follow().banner == (
        f"Your account is deleted. Sign in before {until.day} {until:%B %Y} to keep it."
    )
    for browser in inside, other:
        assert browser.get("/profile").location == "/sign-in"


def test_the_page_says_what_goes_what_is_kept_and_how_long(make_app):
    world = World(make_app(DELETION_DAYS="20", CODE_RETENTION_DAYS="7"))
    world.account()
    page = world.inside().get(PAGE)
    assert page.h1 == "Delete your account"
    assert "For 20 days you can undo it" in page.text
    assert "For 7 days after each message" in page.text
    assert page.find(".btn.is-danger") == ["Delete my account"]


@pytest.mark.parametrize("typed, words", [
    ("", "Enter your current password"), ("wrong one", "That is not your current password"),
    ("\0", "That is not your current password"),
    ("x" * 10_000, "That is not your current password"),
])  # fmt: skip
def test_without_the_password_nothing_is_deleted(world, inside, typed, words):
    page = delete(inside, typed)
    assert (page.status, page.errors) == (422, {"password": words})
    assert inside.get("/profile").status == 200
    assert world.rows("SELECT deleted_at FROM person") == [(None,)]


def test_wrong_passwords_here_count_like_those_of_signing_in(inside, time):
    for number in range(10):
        assert delete(inside, f"wrong {number}").status == 422
    page = delete(inside)
    assert (page.status, page.headers["Retry-After"]) == (429, "300")
    time.pass_(seconds=301)
    assert delete(inside).status == 303


def test_however_long_ago_the_sign_in_was_the_password_is_asked_for_once(world, inside, time):
    time.pass_(minutes=11)
    assert delete(inside, "not this one").errors.keys() == {"password"}
    assert world.rows("SELECT deleted_at FROM person") == [(None,)]
    assert delete(inside).location == "/sign-in"
    assert inside.get("/profile").location == "/sign-in"


def test_signing_in_within_the_days_keeps_the_account_and_says_so(world, inside, time):
    delete(inside)
    time.pass_(days=13)
    world.command("purge")
    assert sign_in(inside, ANN).location == "/profile"
    assert inside.follow().banner == "Your account is kept."
    assert inside.get("/profile").banner is None
    assert world.rows("SELECT deleted_at, deleted_by_id FROM person") == [(None, None)]
    told = inside.get("/security/activity").find(".timeline li div > p:first-child")
    assert told[:3] == ["Signed in", "Account kept", "Account deleted"]


def test_afterwards_it_is_gone_and_its_address_is_free(world, inside, time):
    delete(inside)
    time.pass_(days=14, seconds=1)
    world.command("purge")
    assert world.rows("SELECT id FROM person") == []
    assert sign_in(world.visitor(), ANN).errors != {}
    browser = world.visitor()
    open_account(browser, ANN, "Another Ann")
    browser.follow()
    code = world.post.newest(ANN).code
    assert browser.submit("/sign-up/code", code=code).location == "/profile"
    assert world.rows("SELECT full_name FROM person") == [("Another Ann",)]


def test_what_the_person_reads_afterwards_is_a_mail_with_a_way_back_and_not_you(
    world, inside, time
):
    delete(inside)
    mail = world.post.newest(ANN)
    assert mail.subject == "Your Latchkey account is deleted"
    for part in mail.text, mail.html:
        assert "Sign in before" in part
        assert "After 14 days" in part
        assert "/sign-in" in part
    assert not mail.has_code
    browser = world.visitor()
    browser.get(mail.not_you)
    assert browser.submit(mail.not_you).location == "/recover/held"


def test_who_was_deleted_by_a_thief_gets_everything_back_by_mail(world, inside, time):
    """The thief knows the password, the owner reads the mail."""
    delete(inside)
    notice = world.post.newest(ANN)
    owner = world.visitor()
    owner.get(notice.not_you)
    owner.submit(notice.not_you)
    assert sign_in(world.visitor(), ANN).status == 422, "The thief must not bring it back."
    ask(owner, ANN)
    type_code(owner, world.post.with_code(ANN).code)
    choose(owner, OTHER_PASSWORD)
    assert sign_in(owner, ANN, OTHER_PASSWORD).location == "/profile"
    assert owner.follow().banner == "Your account is kept."


def test_who_deleted_and_forgot_the_password_comes_back_by_recovery_and_signing_in(world, inside):
    delete(inside)
    browser, mail = world.asked()
    type_code(browser, mail.code)
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    ((deleted_at,),) = world.rows("SELECT deleted_at FROM person")
    assert deleted_at is not None, "A new password alone brings nothing back."
    assert sign_in(browser, ANN, OTHER_PASSWORD).location == "/profile"
    assert world.rows("SELECT deleted_at FROM person") == [(None,)]


def test_programs_are_told_and_bring_nothing_back(app, world, inside):
    delete(inside)
    answer = app.test_client().post("/api/v1/auth/token", json={"email": ANN, "password": PASSWORD})
    assert (answer.status_code, answer.json["code"]) == (403, "deleted")
    assert world.rows("SELECT count(*) FROM person WHERE deleted_at IS NOT NULL") == [(1,)]


def test_what_the_operator_deleted_is_not_undone_by_signing_in_nor_by_recovery(world, ann):
    world.command("users", "delete", ANN)
    before = len(world.post.deliver())
    assert sign_in(world.visitor(), ANN).status == 422
    ask(world.visitor(), ANN)
    assert len(world.post.deliver()) == before


def test_open_wishes_die_with_it(world, inside):
    browser, mail = world.asked()
    delete(inside)
    assert type_code(browser, mail.code).status == 422
    assert world.visitor().get(mail.link).status == 410


def test_the_last_admin_stays_and_the_last_but_one_may_go(world, inside, sign_up):
    seen = "UPDATE person SET role = 'admin', two_step_at = '2026-01-01 00:00:00' WHERE id = :id"
    world.write(seen, id=1)
    page = delete(inside)
    assert page.status == 422
    assert "Make another person an admin first." in page.text
    sign_up("bob@example.org", "Bob Other")
    world.write(seen, id=2)
    assert delete(inside).status == 303


def test_two_presses_at_once_delete_once(world, inside):
    inside.get(PAGE)
    token = inside.page.form(PAGE).fields["csrf_token"]
    typed = {"csrf_token": token, "password": PASSWORD}
    assert inside.post(PAGE, typed).location == "/sign-in"
    assert inside.post(PAGE, typed).location == "/sign-in"
    asked = "SELECT count(*) FROM event WHERE kind = 'account:delete-asked'"
    assert world.rows(asked) == [(1,)]


def test_with_two_step_sign_in_only_the_second_step_keeps_the_account(world, inside):
    factor = set_up(inside)
    delete(inside)
    browser = world.visitor()
    assert sign_in(browser, ANN).location == "/sign-in/second-step"
    deleted = "SELECT count(*) FROM person WHERE deleted_at IS NOT NULL"
    assert world.rows(deleted) == [(1,)], "A password alone keeps nothing."
    assert enter(browser, factor).location == "/profile"
    assert browser.follow().banner == "Your account is kept."
    assert world.rows(deleted) == [(0,)]
