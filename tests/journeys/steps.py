"""What people do on the pages, by the words that stand there: with a mouse or by keyboard."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.rigs.chromium import Tab

MANY_TABS = 80  # more than any page has things to reach
SEEN = """node => {
    const box = node.getBoundingClientRect(), style = getComputedStyle(node);
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
        && top !== null && (node.contains(top) || top.contains(node)); }"""


class Mouse:
    """Somebody who points and clicks."""

    def __init__(self, tab: Tab) -> None:
        self.tab, self.page = tab, tab.page

    def fill(self, label: str, text: str) -> None:
        """Types into the field with this label, "(optional)" left out."""
        self.field(label).fill(text)

    def tick(self, label: str) -> None:
        self.field(label).check()

    def press(self, words: str) -> None:
        """Presses a button that changes something on this page."""
        self.button(words).click()

    def send(self, words: str) -> None:
        """Presses a button that leads to another page, and waits for that."""
        with self.page.expect_navigation():
            self.button(words).click()

    def follow(self, words: str) -> None:
        """Follows a link, and waits for its page."""
        with self.page.expect_navigation():
            self.link(words).click()

    def sees(self, heading: str) -> None:
        """Raises AssertionError on another page."""
        expect(self.page.locator("h1")).to_have_text(heading)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(re.compile(rf"^\s*{re.escape(label)}( \(optional\))?\s*$"))

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=words, exact=True)

    def link(self, words: str) -> Locator:
        return self.page.get_by_role("link", name=words, exact=True).first


class Keyboard(Mouse):
    """Somebody who has no mouse, and looks where the focus is."""

    def fill(self, label: str, text: str) -> None:
        self._reach(self.field(label))
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def tick(self, label: str) -> None:
        self._reach(self.field(label))
        self.page.keyboard.press("Space")

    def press(self, words: str) -> None:
        self._reach(self.button(words))
        self.page.keyboard.press("Space")

    def send(self, words: str) -> None:
        self._reach(self.button(words))
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def follow(self, words: str) -> None:
        self._reach(self.link(words))
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def _reach(self, wanted: Locator) -> None:
        """Goes on with Tab until it has the focus, and sees to it that this can be seen."""
        for _press in range(MANY_TABS):
            if wanted.evaluate("node => node === document.activeElement"):
                assert wanted.evaluate(SEEN), f"The focus on {wanted} cannot be seen."
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{wanted} cannot be reached by Tab on {self.tab.path}.")


def sign_up(hands: Mouse, full_name: str, email: str, password: str) -> None:
    """From the sign-in page to the page that waits for the code."""
    hands.tab.goto("/sign-in")
    hands.follow("Create an account")
    hands.fill("Full name", full_name)
    hands.fill("Email address", email)
    hands.fill("Create a password", password)
    hands.fill("Password again", password)
    hands.send("Create account")
    hands.sees("Check your email")


def type_code(hands: Mouse, code: str) -> None:
    """On a page that asks for one."""
    hands.fill("6-digit code", code)
    hands.send("Continue")


def sign_in(hands: Mouse, email: str, password: str, *, keep: bool = False) -> None:
    """From anywhere to whatever follows."""
    hands.tab.goto("/sign-in")
    hands.fill("Email address", email)
    hands.fill("Password", password)
    if keep:
        hands.tick("Keep me signed in on this device")
    hands.send("Sign in")


def ask_to_get_back_in(hands: Mouse, identifier: str) -> None:
    """From the sign-in page to the page that waits for the code; by address or number."""
    hands.tab.goto("/sign-in")
    hands.follow("I have forgotten my password")
    sms = hands.button("Send the message").count() > 0  # where they can be sent
    hands.fill("Email address or phone number" if sms else "Email address", identifier)
    hands.send("Send the message" if sms else "Send the email")
    hands.sees("Check your email" if "@" in identifier else "Check your phone")


def choose_password(hands: Mouse, password: str) -> None:
    """On the page that asks for one, to the page that follows."""
    hands.fill("New password", password)
    hands.fill("New password again", password)
    hands.send("Save new password")
