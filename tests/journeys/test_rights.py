"""A viewer cannot act, and an agent cannot act on an admin: not by the page, not by a forgery."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import NullPool, create_engine, text

from tests.journeys import steps
from tests.journeys.steps import Mouse
from tests.rigs.authenticator import CODES, SET_UP, Factor
from tests.rigs.caller import Caller

pytestmark = pytest.mark.journey

PASSWORD = "copper lantern tuesday"
PIA, ADA = "pia.person@example.org", "ada.admin@example.org"
VERA, OMAR = "vera.viewer@example.org", "omar.agent@example.org"
NAMES = {PIA: "Pia Person", ADA: "Ada Admin", VERA: "Vera Viewer", OMAR: "Omar Agent"}
ROLES = {ADA: "admin", VERA: "viewer", OMAR: "support"}
CHECKED = "Showed identity in person"
PROMOTE = "UPDATE person SET role = :role WHERE email = :email"
NOTHING = "There is nothing here that your role may do for this account."
REFUSED = "You may not open this page"
SENT_ELSEWHERE = """([form, path]) => {
    document.querySelector(`form[action$="${form}"]`).setAttribute('action', path); }"""


@pytest.fixture(scope="module")
def staffed(portal):
    """Four people who are signed in; three are staff.  -> their browsers without a window."""
    callers = {email: _signed_up(portal, email) for email in NAMES}
    engine = create_engine(portal.environment["DATABASE_URL"], poolclass=NullPool)
    with engine.begin() as database:
        for email, role in ROLES.items():
            database.execute(text(PROMOTE), {"role": role, "email": email})
    return callers


def test_a_viewer_reads_everything_and_acts_on_nobody(chromium_browser, portal, staffed):
    with chromium_browser.open(portal.url) as tab:
        vera = Mouse(tab)
        _comes_in(vera, VERA, staffed[VERA])
        _opens(vera, PIA)
        expect(vera.page.locator("main")).to_contain_text("Signed in")
        _is_offered_nothing(vera)
        path = tab.path
        vera.page.evaluate(SENT_ELSEWHERE, ["/sign-out", f"{path}/sign-out"])
        with vera.page.expect_navigation() as led:
            vera.button("Sign out").click()
        _is_refused(vera, led.value, "Your role does not have this right.")
    assert staffed[PIA].open("/profile").status == 200


def test_an_agent_helps_people_and_no_admin(chromium_browser, portal, staffed):
    with chromium_browser.open(portal.url) as tab:
        omar = Mouse(tab)
        _comes_in(omar, OMAR, staffed[OMAR])
        _opens(omar, ADA)
        _is_offered_nothing(omar)
        above = tab.path
        _opens(omar, PIA)
        act = omar.page.locator("details.act", has_text="Sign out all devices")
        act.locator("summary").click()
        act.get_by_label("How did you check who they are?").select_option(CHECKED)
        act.get_by_label("Reason").fill("Lost the phone")
        act.get_by_label("Ticket number").fill("HD-20418")
        omar.page.evaluate(SENT_ELSEWHERE, [f"{tab.path}/sign-out", f"{above}/sign-out"])
        with omar.page.expect_navigation() as led:
            act.get_by_role("button").click()
        _is_refused(omar, led.value, "This account may do more than yours. Ask an admin.")
    assert staffed[ADA].open("/security/two-step").status == 200
    assert staffed[PIA].open("/profile").status == 200


def _signed_up(portal, email):
    """With two-step sign-in, where the role will need it: `factor`."""
    caller = Caller(portal.url)
    caller.open("/sign-up")
    both = {"password": PASSWORD, "confirm_password": PASSWORD}
    caller.send("/sign-up", full_name=NAMES[email], email=email, **both)
    caller.open("/sign-up/code")
    code = portal.wait_for_mail(email).code
    assert caller.send("/sign-up/code", code=code).location == "/profile"
    if email in ROLES:
        key = re.search(r'id="key"[^>]*>([^<]+)<', caller.open(SET_UP).text)
        assert key
        caller.factor = Factor("".join(key[1].split()), [])
        assert caller.send(SET_UP, code=caller.factor.code()).location == CODES
    return caller


def _comes_in(hands, email, caller):
    steps.sign_in(hands, email, PASSWORD)
    hands.sees("Enter the code from your app")
    steps.type_code(hands, caller.factor.code())
    hands.sees("Your profile")


def _opens(hands, email):
    hands.tab.goto(f"/admin/people?q={email}")
    hands.follow(NAMES[email])
    hands.sees(NAMES[email])


def _is_offered_nothing(hands):
    expect(hands.page.locator("details.act")).to_have_count(0)
    expect(hands.page.locator("form[action*='/admin/people/']")).to_have_count(0)
    expect(hands.page.locator("main")).to_contain_text(NOTHING)


def _is_refused(hands, answer, words):
    assert answer.status == 403
    hands.sees(REFUSED)
    expect(hands.page.locator("main")).to_contain_text(words)
