"""The operator's commands, as they are typed."""

import os
from pathlib import Path

import pytest

from portal.core import tally
from portal.core.settings import setting
from portal.profile import stores
from portal.staff import sums
from tests.conftest import PASSWORD, ask, open_account, sign_in
from tests.policy.test_page_numbers import plain, upload
from tests.policy.world import World, type_code
from tests.rigs import authenticator

PUBLIC = {
    "PUBLIC_URL": "https://account.example.org",
    "EMAIL_BACKEND": "smtp",
    "BCRYPT_COST": "12",
    "TRUSTED_PROXIES": "127.0.0.1/32",
}


@pytest.fixture
def world(app):
    return World(app)


def said(result, code=0):
    assert result.exit_code == code, result.output
    return result.output.strip()


def test_block_and_unblock(world, ann):
    browser, mail = world.asked()
    words = said(world.command("users", "block", " ANN@Example.org"))
    assert words == "The account is blocked and signed out everywhere."
    assert sign_in(world.visitor(), ann.email).status == 422
    assert type_code(browser, mail.code).status == 422
    assert world.visitor().get(mail.link).status == 410
    assert said(world.command("users", "unblock", ann.email)) == "The account can be used again."
    assert sign_in(world.visitor(), ann.email).location == "/profile"


def test_a_blocked_person_gets_no_way_back_in(world, ann, time):
    world.command("users", "block", ann.email)
    before = len(world.post.deliver())
    assert ask(world.visitor(), ann.email).location == "/recover/code"
    assert len(world.post.deliver()) == before


def test_acts_of_the_operator_are_on_record(world, ann):
    for act in "block", "unblock", "clear-throttles":
        world.command("users", act, ann.email)
    found = world.rows("SELECT kind, network FROM event ORDER BY id DESC LIMIT 3")
    assert found == [
        ("account:throttles-cleared", "console"),
        ("account:unblocked", "console"),
        ("account:blocked", "console"),
    ]


def test_clear_throttles(world, ann):
    for number in range(10):
        sign_in(world.visitor(), ann.email, f"wrong {number}")
    browser, mail = world.asked()
    for _ in range(5):
        type_code(browser, "000000" if mail.code != "000000" else "000001")
    assert sign_in(world.visitor(), ann.email).status == 429
    assert ask(world.visitor(), ann.email).status == 429
    words = said(world.command("users", "clear-throttles", ann.email))
    assert words == "There is nothing to wait for any more."
    assert sign_in(world.visitor(), ann.email).location == "/profile"
    browser, mail = world.asked()
    assert type_code(browser, mail.code).status == 303


@pytest.mark.parametrize("act", ["block", "unblock", "clear-throttles"])
def test_nobody_has_this_address(world, act):
    assert said(world.command("users", act, "nobody@example.org"), 1) == (
        "Error: Nobody has this address."
    )


def test_purge_takes_what_ended_long_ago_and_leaves_the_rest(world, ann, time):
    old_browser = world.inside(remember=True)
    world.asked()
    time.pass_(days=25)
    browser = world.visitor()
    open_account(browser, "new@example.org")
    world.post.deliver()
    time.pass_(days=7)
    words = said(world.command("purge"))
    assert [line.split(maxsplit=1)[1] for line in words.splitlines()] == [
        "codes and flows", "invitations", "sign-ins", "devices", "accounts that nobody proved",
        "deleted accounts", "numbers that nobody proved", "changes of an address", "waiting times",
        "sums by mail domain", "apps that nobody confirmed", "messages", "pictures of nobody",
    ]  # fmt: skip
    assert len(world.rows("SELECT id FROM otp")) == 1
    kinds = world.rows("SELECT purpose FROM challenge ORDER BY opened_at")
    assert kinds == [("not_you",), ("verify_email",)]  # a notice's link is good for a week
    assert len(world.rows("SELECT id FROM outbox")) == 1
    assert world.rows("SELECT count(*) FROM person") == [(2,)]
    assert old_browser.get("/profile").location == "/sign-in"


def test_purge_ends_nothing_that_is_still_good(world, time):
    browser = world.visitor()
    open_account(browser, "new@example.org")
    code = world.post.newest().code
    said(world.command("purge"))
    assert type_code(browser, code, "/sign-up/code").location == "/profile"
    said(world.command("purge"))
    assert browser.get("/profile").status == 200


def test_purge_removes_accounts_that_nobody_proved_and_no_other(world, ann, time):
    open_account(world.visitor(), "never@example.org")
    open_account(world.visitor(), "later@example.org")
    time.pass_(days=29)
    open_account(world.visitor(), "later@example.org")
    said(world.command("purge"))
    assert len(world.rows("SELECT id FROM person")) == 3
    time.pass_(days=2)
    said(world.command("purge"))
    assert world.rows("SELECT email FROM person ORDER BY email") == [
        (ann.email,), ("later@example.org",),
    ]  # fmt: skip
    assert open_account(world.visitor(), "never@example.org").location == "/sign-up/code"


def test_purge_forgets_mail_domains_that_no_page_shows_any_more(world, ann, time):
    world.asked()
    counts = "SELECT count(*) FROM tally WHERE {} name LIKE '%by domain'"
    others = world.rows(counts.format("NOT"))
    assert world.rows(counts.format("")) == [(4,)]  # asked and accepted: all, and its domain
    time.pass_(days=90)
    said(world.command("purge"))
    assert world.rows(counts.format("")) == [(4,)]
    time.pass_(days=1)
    assert "4 sums by mail domain" in said(world.command("purge"))
    assert world.rows(counts.format("")) == [(0,)]
    assert world.rows(counts.format("NOT")) == others
    assert max(sums.PERIODS) <= tally.DAYS_BY_DOMAIN


def test_purge_forgets_an_app_that_was_never_confirmed_and_no_other(world, ann, inside, time):
    factor = authenticator.set_up(inside)
    authenticator.prove(inside, "replace", PASSWORD, factor.code())
    inside.follow()
    both = [(True,), (False,)]
    state = "SELECT confirmed_at IS NOT NULL FROM authenticator ORDER BY id"
    assert world.rows(state) == both
    time.pass_(hours=23)
    said(world.command("purge"))
    assert world.rows(state) == both
    time.pass_(hours=2)
    assert "1 apps that nobody confirmed" in said(world.command("purge"))
    assert world.rows(state) == both[:1]
    time.pass_(days=400)
    said(world.command("purge"))
    assert world.rows(state) == both[:1]


def test_purge_sweeps_pictures_that_a_crash_left_behind(world, ann, time):
    upload(world.inside(), plain(300, 300))
    with world.context():
        lost, fresh = stores.new_name(), stores.new_name()
        for name in lost, fresh:
            stores.save(name, {96: b"x"})
        root = Path(setting("UPLOAD_FOLDER"))
        for path in root.glob("*/*.webp"):
            if fresh not in path.name:
                os.utime(path, (1, 1))
    assert "1 pictures of nobody" in said(world.command("purge"))
    left = {path.name.partition("-")[0] for path in root.glob("*/*.webp")}
    ((shown,),) = world.rows("SELECT picture_name FROM person")
    assert left == {shown, fresh}


def test_purge_forgets_devices_that_nobody_used_for_long(world, ann, time):
    world.inside()
    time.pass_(days=181)
    assert "devices" in said(world.command("purge"))
    assert world.rows("SELECT * FROM known_device") == []
    assert world.rows("SELECT * FROM session_secret") == []


def test_check_lists_what_would_be_unsafe_with_its_cure(world):
    words = said(world.command("check"), 1).splitlines()
    assert "PUBLIC_URL: is plain http. Serve it over https." in words
    assert "BCRYPT_COST: is too low. Use 10 or more; 12 is the default." in words
    assert words[-1] == f"{len(words) - 1} to mend before production."


def test_check_is_content_with_a_safe_production(make_app):
    assert said(World(make_app(**PUBLIC)).command("check")) == "Nothing unsafe."


def test_every_command_says_what_it_does(world):
    words = said(world.command("--help"))
    for name in "users", "deliver", "purge", "check", "serve", "db":
        assert name in words
    assert "EMAIL" in said(world.command("users", "block", "--help"))
