"""From the operator's command to the first search: how somebody comes to the helpdesk."""

import pytest
from playwright.sync_api import expect

from tests.journeys import steps
from tests.journeys.steps import Mouse
from tests.rigs import authenticator
from tests.rigs.chromium import PHONE

pytestmark = pytest.mark.journey
PASSWORD, OWN = "copper lantern tuesday", "wooden planet friday"
JOIN, SEARCH = "Join the Latchkey helpdesk", "People"


def test_the_first_admin_comes_in_by_the_operators_invitation(chromium_browser, portal):
    email = "ruth.ames@example.org"
    said = portal.flask("staff", "invite", email, "--role", "admin")
    assert email in said
    assert "http" not in said
    with chromium_browser.open(portal.url) as tab:
        ruth = Mouse(tab)
        _joins(ruth, portal, email, "admin")
        steps.choose_password(ruth, PASSWORD)
        ruth.sees("Sign in")
        steps.sign_in(ruth, email, PASSWORD)
        _sets_up_two_step_sign_in(ruth)
        _searches(ruth)
        ruth.follow("Staff")
        ruth.sees("Staff")
        _invites(ruth, "omar.haddad@example.org")
        with chromium_browser.open(portal.url, width=PHONE, script=False) as phone:
            _comes_without_script(Mouse(phone), portal, "omar.haddad@example.org")
        tab.goto("/admin/staff")
        expect(tab.page.get_by_role("row", name="omar.haddad@example.org")).to_contain_text("On")
        assert tab.axe() == []


def _joins(hands, portal, email, role):
    (link,) = [each for each in portal.wait_for_mail(email).links if "/invitation/" in each]
    hands.tab.goto(link)
    hands.sees(JOIN)
    hands.send(f"Join as {role}")


def _sets_up_two_step_sign_in(hands):
    hands.sees("Set up two-step sign-in")
    hands.tab.goto("/admin/people")  # there is no way round
    hands.sees("Set up two-step sign-in")
    key = hands.page.locator("#key").inner_text()
    hands.fill("6-digit code", authenticator.code("".join(key.split())))
    hands.send("Turn on two-step sign-in")
    hands.sees("Your backup codes")
    hands.tick("I have kept these")
    hands.send("Done")


def _searches(hands):
    hands.tab.goto("/admin/people")
    hands.sees(SEARCH)
    hands.page.locator("#find").fill("ruth.ames")
    with hands.page.expect_navigation():
        hands.page.keyboard.press("Enter")
    expect(hands.page.locator("main")).to_contain_text("ruth.ames@example.org")


def _invites(hands, email):
    hands.fill("Email address", email)
    hands.field("Role").select_option("support")
    hands.send("Send the invitation")
    expect(hands.page.locator(".banner")).to_contain_text(f"{email} is invited.")
    expect(hands.page.get_by_role("row", name=email)).to_contain_text("Support")


def _comes_without_script(hands, portal, email):
    _joins(hands, portal, email, "support")
    steps.choose_password(hands, OWN)
    steps.sign_in(hands, email, OWN)
    _sets_up_two_step_sign_in(hands)
    hands.tab.goto("/admin/staff")
    hands.sees("Staff")
    assert hands.button("Send the invitation").count() == 0
