"""What time, length and odd orders of steps must not open, or close for the owner."""

import pytest

from portal.accounts import people
from portal.accounts.service import staffing
from portal.core.audit import OPERATOR
from portal.core.errors import Rejected
from tests.conftest import OTHER_PASSWORD, PASSWORD, open_account, sign_in
from tests.policy.world import ELSEWHERE, World, choose, type_code
from tests.rigs import authenticator
from tests.rigs.authenticator import APP, enter

EMAIL = "ann@example.org"
TOKEN = "/api/v1/auth/token"


@pytest.fixture
def world(app, time):
    return World(app)


@pytest.fixture
def ann(world):
    return world.account()


@pytest.fixture
def factor(world, ann):
    return authenticator.set_up(world.inside())


def guess(world, factor, times):
    """With the password, from nowhere that is known.  -> the statuses."""
    browser, statuses = world.visitor(address=ELSEWHERE), []
    assert sign_in(browser, EMAIL).location == APP
    for _ in range(times):
        browser.get(APP)
        statuses.append(browser.submit(APP, code=authenticator.code(factor.key, 9)).status)
    return statuses


def test_2fa_01_waiting_from_window_to_window_does_not_help_to_guess(world, factor, time):
    looked_at = 0
    for _ in range(40):
        looked_at += guess(world, factor, 6).count(422)
        time.pass_(minutes=30)
    assert looked_at == 50
    time.pass_(days=1)
    assert guess(world, factor, 5) == [422] * 5


def test_2fa_01_in_one_hour_no_more_than_twenty_are_looked_at(world, factor, time):
    looked_at = 0
    for _ in range(9):
        looked_at += guess(world, factor, 6).count(422)
        time.pass_(minutes=6)
    assert looked_at <= 20


def test_login_02_wrong_second_steps_of_strangers_end_with_a_reset(world, factor, time):
    assert guess(world, factor, 6)[-1] == 429
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)
    owner = world.visitor()
    sign_in(owner, EMAIL, OTHER_PASSWORD)
    assert enter(owner, factor).location == "/profile"


def test_a_program_without_a_code_leaves_nothing_behind(world, factor):
    before = world.rows("SELECT count(*) FROM session")
    for _ in range(3):
        typed = {"email": EMAIL, "password": PASSWORD}
        answer = world.app.test_client().post(TOKEN, json=typed)
        assert answer.json["second_factor_required"] is True
    assert world.rows("SELECT count(*) FROM session") == before


def test_a_long_way_to_go_keeps_nobody_from_the_second_step(world, factor):
    browser = world.visitor()
    browser.get(f"/sign-in?next=/{'x' * 7000}")
    page = browser.submit(browser.page.forms[0], email=EMAIL, password=PASSWORD)
    assert all(len(cookie) < 4000 for cookie in page.headers.getlist("Set-Cookie"))
    assert enter(browser, factor).location == "/profile"


def test_a_deleted_account_does_not_come_back_late_even_before_it_is_purged(world, ann, time):
    browser = world.inside()
    browser.get("/security/delete")
    assert browser.submit("/security/delete", password=PASSWORD).location == "/sign-in"
    time.pass_(days=13, hours=23)
    assert sign_in(world.visitor(), EMAIL).location == "/profile"
    browser = world.inside()
    browser.get("/security/delete")
    browser.submit("/security/delete", password=PASSWORD)
    time.pass_(days=14, seconds=1)
    page = sign_in(world.visitor(), EMAIL)
    assert (page.status, "was deleted" in page.text) == (422, True)


KEPT_OUT = [
    "UPDATE person SET held_at = created_at",
    "UPDATE person SET blocked_at = created_at",
    "UPDATE person SET deleted_at = created_at",
]


@pytest.mark.parametrize("state", KEPT_OUT)
def test_who_is_kept_out_is_neither_invited_nor_made_more_of(world, ann, state):
    world.write(state)
    for name, wanted in ("invite", "viewer"), ("role", "admin"):
        more = ["--role", wanted] if name == "invite" else [wanted]
        result = world.command("staff", name, EMAIL, *more)
        assert result.exit_code == 1
        assert "has to end first" in result.output
    assert world.rows("SELECT role FROM person") == [("user",)]


def test_not_even_the_operator_makes_an_address_staff_that_nobody_proved(world):
    open_account(world.visitor(), "new@example.org")
    with world.context(), pytest.raises(Rejected, match="not confirmed yet"):
        staffing.change_role(people.find("new@example.org"), "admin", None, OPERATOR)
