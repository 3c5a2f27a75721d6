"""A locked-out caller is found, verified, helped and back in: two browsers, agent and person."""

import pytest
from playwright.sync_api import expect

from tests.journeys import steps
from tests.journeys.steps import Mouse
from tests.rigs import authenticator
from tests.rigs.chromium import PHONE

pytestmark = pytest.mark.journey

PASSWORD, OWN = "wooden planet friday", "velvet anchor monday"
RUTH, NOOR = "ruth.helps@example.org", "noor.locked@example.org"
CHECKED = "Called back on the number we hold"


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_locked_out_caller_is_helped_and_back_in(chromium_browser, portal, script):
    plain = "" if script else "plain."
    noor_email, ruth_email = plain + NOOR, plain + RUTH
    with (
        chromium_browser.open(portal.url, width=PHONE, script=script) as phone,
        chromium_browser.open(portal.url, script=script) as desk,
    ):
        noor, ruth = Mouse(phone), Mouse(desk)
        _opens_an_account(noor, portal, noor_email, "Noor Locked")
        _is_locked_out(noor, noor_email)
        _opens_an_account(ruth, portal, ruth_email, "Ruth Helps")
        portal.flask("staff", "role", ruth_email, "support")
        _starts_work(ruth, ruth_email)
        _finds(ruth, noor_email)
        _sends_a_way_back(ruth, noor_email)
        if script:
            assert desk.axe() == []
        _gets_back_in(noor, portal, noor_email)
        _sees_it_worked(ruth, noor_email)


def _opens_an_account(hands, portal, email, name):
    steps.sign_up(hands, name, email, PASSWORD)
    steps.type_code(hands, portal.wait_for_mail(email).code)
    hands.send("Sign out")


def _is_locked_out(noor, email):
    for number in range(11):
        steps.sign_in(noor, email, f"forgotten {number}")
    noor.sees("Wait a little")


def _starts_work(ruth, email):
    steps.sign_in(ruth, email, PASSWORD)
    ruth.sees("Set up two-step sign-in")
    key = "".join(ruth.page.locator("#key").inner_text().split())
    ruth.fill("6-digit code", authenticator.code(key))
    ruth.send("Turn on two-step sign-in")
    ruth.tick("I have kept these")
    ruth.send("Done")


def _finds(ruth, email):
    ruth.tab.goto("/admin/people")
    ruth.page.locator("#find").fill(email)
    with ruth.page.expect_navigation():
        ruth.page.keyboard.press("Enter")
    ruth.follow("Noor Locked")
    ruth.sees("Noor Locked")
    expect(ruth.page.locator("main")).to_contain_text("wrong passwords")


def _sends_a_way_back(ruth, email):
    act = ruth.page.locator("details.act", has_text="Send recovery email")
    act.locator("summary").click()
    with ruth.page.expect_navigation():
        act.get_by_role("button").click()
    expect(ruth.page.locator(".summary")).to_contain_text("Choose how you checked who they are")
    expect(act.get_by_role("button")).to_be_visible()  # it is open again
    act.get_by_label("How did you check who they are?").select_option(CHECKED)
    act.get_by_label("Reason").fill("Forgot the password")
    act.get_by_label("Ticket number").fill("HD-20418")
    with ruth.page.expect_navigation():
        act.get_by_role("button").click()
    expect(ruth.page.locator(".banner")).to_contain_text(f"Recovery email sent to {email}.")


def _gets_back_in(noor, portal, email):
    link = _link(noor, portal, email)
    noor.tab.goto(link)
    noor.send("Continue on this device")
    steps.choose_password(noor, OWN)
    steps.sign_in(noor, email, OWN)
    noor.tab.goto("/security/activity")
    expect(noor.page.locator("main")).to_contain_text("Recovery email sent by Ruth Helps")


def _link(hands, portal, email):
    """Of the message that the agent sent; others came before it."""
    for _turn in range(75):
        links = [link for mail in portal.mailbox() if mail.to == email for link in mail.links]
        if found := [link for link in links if "/recover/link/" in link]:
            return found[0]
        hands.page.wait_for_timeout(200)
    raise AssertionError(f"No way back for {email}.")


def _sees_it_worked(ruth, email):
    ruth.page.reload()
    expect(ruth.page.locator("main")).to_contain_text("Got back in with a new password")
    expect(ruth.page.locator("main")).not_to_contain_text("/recover/link/")
