"""Two-step sign-in from its set-up to a backup code: a real browser, the served product."""

import pytest
from playwright.sync_api import expect

from tests.journeys import steps
from tests.journeys.steps import Keyboard, Mouse
from tests.rigs.authenticator import Factor
from tests.rigs.chromium import DESK, PHONE

pytestmark = pytest.mark.journey

PASSWORD = "copper lantern tuesday"
WAYS = {
    "with a mouse": (Mouse, DESK, True),
    "by keyboard alone on a phone": (Keyboard, PHONE, True),
    "without script": (Mouse, PHONE, False),
}
COPIED = "() => navigator.clipboard.readText()"


@pytest.mark.parametrize("way", WAYS)
def test_a_person_turns_it_on_and_comes_in_by_app_and_by_backup_code(chromium_browser, portal, way):
    hands_of, width, script = WAYS[way]
    email = f"noor.{list(WAYS).index(way)}@example.org"
    with chromium_browser.open(portal.url, width=width, script=script) as tab:
        noor = hands_of(tab)
        steps.sign_up(noor, "Noor Haddad", email, PASSWORD)
        steps.type_code(noor, portal.wait_for_mail(email).code)
        noor.follow("Two-step sign-in")
        noor.follow("Turn on")
        factor = _sets_up(noor, script)
        noor.send("Sign out")
        _comes_in_by_app(noor, email, factor)
        noor.send("Sign out")
        _comes_in_by_backup_code(noor, email, factor)
        noor.follow("Two-step sign-in")
        expect(noor.page.locator("#part-state")).to_have_text("It is on")
        expect(noor.page.locator("main")).to_contain_text("9 are left.")


def _sets_up(hands, script):
    """Reads the key from the page, as somebody without a camera does."""
    hands.sees("Set up two-step sign-in")
    expect(hands.page.locator("svg.qr")).to_be_visible()
    expect(hands.page.get_by_role("button", name="Copy the key")).to_be_visible(visible=script)
    factor = Factor(hands.page.locator("#key").inner_text().replace(" ", ""), [])
    hands.fill("6-digit code", factor.code())
    hands.send("Turn on two-step sign-in")
    hands.sees("Your backup codes")
    factor.backups = hands.page.locator(".backup-codes code").all_inner_texts()
    assert len(factor.backups) == 10
    _takes_them_home(hands, factor, script)
    hands.send("Done")
    expect(hands.page.locator("#summary")).to_contain_text("Tick this once you have kept")
    hands.tick("I have kept these")
    hands.send("Done")
    hands.sees("Two-step sign-in")
    return factor


def _takes_them_home(hands, factor, script):
    with hands.page.expect_download() as found:
        hands.link("Download").click()
    file = found.value.path().read_text()
    assert [code in file for code in factor.backups] == [True] * 10
    expect(hands.button("Print")).to_be_visible(visible=script)
    if not script:
        return
    hands.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    hands.press("Copy")
    expect(hands.button("Copied")).to_be_visible()
    assert hands.page.evaluate(COPIED).split() == factor.backups


def _comes_in_by_app(hands, email, factor):
    steps.sign_in(hands, email, PASSWORD)
    hands.sees("Enter the code from your app")
    hands.tab.goto("/profile")
    hands.sees("Sign in")
    hands.tab.goto("/sign-in/second-step")
    hands.fill("6-digit code", factor.code())
    hands.send("Continue")
    hands.sees("Your profile")


def _comes_in_by_backup_code(hands, email, factor):
    steps.sign_in(hands, email, PASSWORD)
    hands.follow("Use a backup code")
    hands.sees("Use a backup code")
    hands.fill("Backup code", factor.backup().upper().replace("-", " "))
    hands.send("Continue")
    hands.sees("Your profile")
