"""Every page of the portal, also with errors: one table, and how to get to each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image
from playwright.sync_api import expect

from tests.journeys.steps import Mouse
from tests.rigs.chromium import Tab
from tests.rigs.server import Server

EMAIL, NAME = "sana.iqbal@example.org", "Sana Iqbal"
PASSWORD, NEXT_PASSWORD = "copper lantern tuesday", "wooden planet friday"
SHORT, LONG = "Sana7!", "I restore old clocks. " * 30
TOO_BIG = "x" * 70_000
TRIES = "3"  # wrong passwords until the page that asks to wait
SETTINGS = {
    "WRONG_PASSWORDS_PER_ACCOUNT": TRIES,
    "HELP_PHONE": "0800 000 000",
    "HELP_EMAIL": "help@example.org",
}
SIGN_IN = {"Email address": EMAIL, "Password": PASSWORD}
WRONG = {"Email address": "nobody@example.org", "Password": "not this one"}
WISH = {"Full name": NAME, "Email address": EMAIL}
WISH |= {"Create a password": PASSWORD, "Password again": PASSWORD}
WEAK_WISH = WISH | {"Email address": "sana@", "Create a password": SHORT}
NEW = {"New password": NEXT_PASSWORD, "New password again": NEXT_PASSWORD}
DIFFERENT = {"New password": NEXT_PASSWORD, "New password again": PASSWORD}
PROFILE = {"Job title": "District nurse", "Organisation": "Northfold Care"}
WRONG_LINKS = {"Website": "http://sana.example", "LinkedIn": "https://example.org/sana"}
CODE = {"6-digit code": "000000"}
STALE = """() => document.querySelectorAll('[name=csrf_token]').forEach(
    token => { token.value = 'of yesterday'; })"""

Way = Callable[["Guide"], None]


@dataclass(frozen=True)
class Sight:
    """One state of one page: go to `path`, fill in what is `typed`, press the button.

    No path: what the sight before has left. `before` and `after` are done around it.
    """

    name: str
    heading: str
    path: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    press: str = ""
    error: bool = False
    before: Way = lambda guide: None
    after: Way = lambda guide: None


class Guide:
    """Leads one browser through all of SIGHTS, in this order."""

    def __init__(self, tab: Tab, portal: Server) -> None:
        self.tab, self.portal, self.hands = tab, portal, Mouse(tab)

    def tour(self) -> Iterator[Sight]:
        """Yields each sight while the browser stands before it."""
        for sight in SIGHTS:
            sight.before(self)
            self._visit(sight)
            sight.after(self)
            self.hands.sees(sight.heading)
            yield sight

    def _visit(self, sight: Sight) -> None:
        if sight.path:
            self.tab.goto(self._resolved(sight.path))
        for label, text in sight.typed.items():
            self.hands.fill(label, text)
        if sight.press:
            self.hands.send(sight.press)

    def _resolved(self, path: str) -> str:
        """LINK stands for the one in the newest message."""
        return self.portal.wait_for_mail(EMAIL).links[0] if path == LINK else path


def _goes_stale(guide: Guide) -> None:
    guide.tab.page.evaluate(STALE)


def _signs_in_with_a_stale_form(guide: Guide) -> None:
    guide.tab.goto("/sign-in")
    _goes_stale(guide)


def _goes_home_with_a_stale_form(guide: Guide) -> None:
    guide.tab.goto("/profile")
    _goes_stale(guide)


def _confirmed(guide: Guide) -> None:
    guide.hands.send("Confirm this address")


def _message_has_left(guide: Guide) -> None:
    expect(guide.tab.page.locator(".count")).to_be_visible()


def _second_message(guide: Guide) -> None:
    guide.portal.wait_for_mail(EMAIL, 2)


def _time_is_up(guide: Guide) -> None:
    line = guide.tab.page.locator("#code-time")
    expect(line).to_have_text(re.compile("has run out"), timeout=40_000)
    guide.tab.page.reload()


def _chooses_a_picture(guide: Guide) -> None:
    file = BytesIO()
    hills = Image.linear_gradient("L").resize((900, 600))
    Image.merge("RGB", (hills, hills.rotate(180), hills.rotate(90))).save(file, "PNG")
    _choose(guide, "hills.png", file.getvalue())
    expect(guide.tab.page.locator(".crop-stage img")).to_be_visible()


def _chooses_a_text(guide: Guide) -> None:
    guide.tab.goto("/profile")
    _choose(guide, "letter.txt", b"Not a picture.")


def _choose(guide: Guide, name: str, data: bytes) -> None:
    chosen = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    guide.tab.page.locator("[type=file]").set_input_files(chosen)


def _fails_to_sign_in(guide: Guide) -> None:
    for _again in range(int(TRIES)):
        guide.tab.goto("/sign-in")
        for label, text in WRONG.items():
            guide.hands.fill(label, text)
        guide.hands.send("Sign in")


def _loses_its_disk(guide: Guide) -> None:
    """What nobody foresaw: a file lies where the folder of the pictures should be."""
    uploads = guide.portal.folder / "uploads"
    uploads.rename(uploads.with_name("gone"))
    uploads.write_text("")
    guide.tab.goto("/profile")
    _chooses_a_picture(guide)


LINK = "the link in the newest message"
ENTRANCE = (
    Sight("help", "Help and contact", "/help"),
    Sight("privacy", "Privacy", "/privacy"),
    Sight("mailbox-empty", "Mailbox", "/dev/mailbox"),
    Sight("no-such-page", "There is no such page", "/no-such-page"),
    Sight("sign-in", "Sign in", "/sign-in"),
    Sight("sign-in-empty", "Sign in", press="Sign in", error=True),
    Sight("sign-in-wrong", "Sign in", "/sign-in", WRONG, "Sign in", error=True),
    Sight("sign-in-stale", "Sign in", typed=WRONG, press="Sign in", error=True)
    ,
)
SIGHTS = ENTRANCE
