"""Adding a phone number and getting back in by SMS: a real browser, the served product."""

import pytest
from playwright.sync_api import expect

from tests.journeys import steps
from tests.journeys.steps import Keyboard, Mouse
from tests.rigs.chromium import DESK, PHONE

pytestmark = pytest.mark.journey

FIRST, NEXT = "copper lantern tuesday", "wooden planet friday"
WAYS = {
    "with a mouse": (Mouse, DESK, True, "+44 7400 218411"),
    "by keyboard alone on a phone": (Keyboard, PHONE, True, "+44 7400 218422"),
    "without script": (Mouse, PHONE, False, "+44 7400 218433"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_person_adds_a_phone_and_gets_back_in_by_sms(chromium_browser, portal, way):
    hands_of, width, script, number = WAYS[way]
    email, kept = f"dana{number[-3:]}@example.org", number.replace(" ", "")
    with chromium_browser.open(portal.url, width=width, script=script) as tab:
        dana = hands_of(tab)
        steps.sign_up(dana, "Dana Ruiz", email, FIRST)
        steps.type_code(dana, portal.wait_for_mail(email).code)
        _adds_a_number(dana, portal, number)
        dana.send("Sign out")
        steps.ask_to_get_back_in(dana, number)
        message = portal.wait_for_mail(kept, 2)
        assert (message.channel, message.links) == ("sms", [])
        expect(dana.button("Hide the timer")).to_be_visible(visible=script)
        steps.type_code(dana, message.code)
        dana.sees("Choose a new password")
        assert dana.field("For the account").input_value() == email
        steps.choose_password(dana, NEXT)
        dana.sees("Sign in")
        steps.sign_in(dana, email, NEXT)
        dana.sees("Your profile")


def _adds_a_number(hands, portal, number):
    hands.follow("Security")
    hands.follow("Add a phone number")
    hands.sees("Your phone number")
    hands.fill("Phone number", number)
    hands.send("Send the code")
    hands.sees("Check your phone")
    steps.type_code(hands, portal.wait_for_mail(number.replace(" ", "")).code)
    hands.sees("Your phone number")
    expect(hands.page.locator(".banner")).to_have_text("Your phone number is confirmed.")
    expect(hands.page.locator("#part-number")).to_have_text("Your number")
