"""Every page of the portal, also with errors: one table, and how to get to each."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image
from playwright.sync_api import expect

from tests.journeys import steps
from tests.journeys.steps import Mouse
from tests.rigs import authenticator
from tests.rigs.authenticator import Factor
from tests.rigs.caller import Caller
from tests.rigs.chromium import Tab
from tests.rigs.server import Server

EMAIL, NAME, NUMBER = "sana.iqbal@example.org", "Sana Iqbal", "+447400218305"
STAFF, NO_STAFF = "ruth.ames@example.org", {"Email address": "ruth@"}
PASSWORD, NEXT_PASSWORD = "copper lantern tuesday", "wooden planet friday"
TRIES = "3"  # wrong passwords until the page that asks to wait
SETTINGS = {
    "WRONG_PASSWORDS_PER_ACCOUNT": TRIES,
    "HELP_PHONE": "0800 000 000",
    "HELP_EMAIL": "help@example.org",
}
STALE = """() => document.querySelectorAll('[name=csrf_token]').forEach(
    token => { token.value = 'of yesterday'; })"""
CHECK, CHECK_PHONE = "Check your email", "Check your phone"
NEW_ADDRESS = "Change your email address"
# What is typed, by label.
ADDRESS = {"Email address": EMAIL}
EITHER = "Email address or phone number"
PHONE = {"Phone number": NUMBER}
NO_PHONE = {"Phone number": "07400 218305"}
SIGN_IN = ADDRESS | {"Password": NEXT_PASSWORD}
WRONG = {"Email address": "nobody@example.org", "Password": "not this one"}
TOO_BIG = {"Email address": "x" * 70_000}
WISH = ADDRESS | {"Full name": NAME, "Create a password": PASSWORD, "Password again": PASSWORD}
WEAK = {"Email address": "sana@", "Create a password": "Sana7!", "Password again": "Sana7"}
APP_OWNER = "noor.haddad@example.org"
CODE = {"6-digit code": "000000"}
NO_BACKUP = {"Backup code": "aaaaa-bbbbb"}
CURRENT = {"Current password": PASSWORD}
SET_UP, NEW_BACKUPS = "Set up two-step sign-in", "Make new backup codes"
APP_CODE, TURN_OFF = "Enter the code from your app", "Turn off two-step sign-in"
TWO_STEP_PAGE = "/security/two-step"
ANOTHER = "sana@example.net"
OTHER_ADDRESS, NO_ADDRESS = {"New email address": ANOTHER}, {"New email address": "sana@"}
NO_NAME = {"Full name": "", "Username": "42"}
WORK = {"Job title": "District nurse", "Organisation": "Northfold Care"}
WRONG_LINKS = {"Website": "http://sana.example", "LinkedIn": "https://example.org/sana"}
LINKS = {"Website": "https://sana.example", "GitHub": "@sana", "LinkedIn": "", "YouTube": "@sana"}
LONG_BIO = {"Short biography": "I restore old clocks. " * 30}
BIO = {"Short biography": "I visit people at home across north Leeds.\n\nI restore old clocks."}
OLD = {"Current password": "not this one"}
RIGHT = {"Current password": NEXT_PASSWORD}
NEW = {"New password": NEXT_PASSWORD, "New password again": NEXT_PASSWORD}
DIFFERENT = {"New password": NEXT_PASSWORD, "New password again": PASSWORD}
SHORT = {"New password": "Sana7!", "New password again": "Sana7"}

Way = Callable[["Guide"], None]


def _nothing(guide: Guide) -> None:
    """Most sights need no more than their path, what is typed, and a button."""


PATIENCE = 20_000  # milliseconds that a message may take on a busy machine


@dataclass(frozen=True)
class Sight:
    """One state of one page.

    To get there: open `path`, or the link in message number `letter`, or stay where the sight
    before was; do what comes `first`; fill in what is `typed`; `press` the button; then do `last`.
    """

    name: str
    heading: str
    path: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    press: str = ""
    error: bool = False
    letter: int = 0
    first: Way = _nothing
    last: Way = _nothing


class Guide:
    """Leads one browser through all of SIGHTS, in this order."""

    def __init__(self, tab: Tab, portal: Server) -> None:
        self.tab, self.page, self.portal, self.hands = tab, tab.page, portal, Mouse(tab)
        self.app = Factor("", [])

    def tour(self) -> Iterator[Sight]:
        """Yields each sight while the browser stands before it."""
        for sight in SIGHTS:
            self._visit(sight)
            self.hands.sees(sight.heading)
            yield sight

    def _visit(self, sight: Sight) -> None:
        if sight.path or sight.letter:
            self.tab.goto(sight.path or self._link(sight.letter))
        sight.first(self)
        for label, text in sight.typed.items():
            self.hands.fill(label, text)
        if sight.press:
            self.hands.send(sight.press)
        sight.last(self)

    def _link(self, letter: int) -> str:
        return self.portal.wait_for_mail(EMAIL, letter).links[0]


def _the_code_has_come(guide: Guide) -> None:
    """By SMS; it is typed at once."""
    guide.hands.fill("6-digit code", guide.portal.wait_for_mail(NUMBER).code)


def _the_new_address_is_asked(guide: Guide) -> None:
    guide.tab.goto(guide.portal.wait_for_mail(ANOTHER).links[0])


def _the_form_is_old(guide: Guide) -> None:
    guide.page.evaluate(STALE)


def _the_message_has_left(guide: Guide) -> None:
    expect(guide.page.locator(".count")).to_be_visible(timeout=PATIENCE)


def _the_message_has_come(guide: Guide) -> None:
    guide.portal.wait_for_mail(EMAIL)
    guide.page.reload()
    _the_message_has_left(guide)


def _the_time_is_up(guide: Guide) -> None:
    line = guide.page.locator("#code-time")
    expect(line).to_have_text(re.compile("has run out"), timeout=40_000)
    guide.page.reload()


def _a_picture_is_chosen(guide: Guide) -> None:
    file = BytesIO()
    hills = Image.linear_gradient("L").resize((900, 600))
    Image.merge("RGB", (hills, hills.rotate(180), hills.rotate(180))).save(file, "PNG")
    _choose(guide, "hills.png", file.getvalue())
    expect(guide.page.locator(".crop-stage img")).to_be_visible()


def _a_text_is_chosen(guide: Guide) -> None:
    _choose(guide, "letter.txt", b"Not a picture.")


def _choose(guide: Guide, name: str, data: bytes) -> None:
    chosen = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    guide.page.locator("[type=file]").set_input_files(chosen)


def _the_app_has_the_key(guide: Guide) -> None:
    key = guide.page.locator("#key").inner_text().replace(" ", "")
    guide.app = Factor(key, [])
    guide.hands.fill("6-digit code", guide.app.code())


def _the_codes_are_kept(guide: Guide) -> None:
    guide.app.backups = guide.page.locator(".backup-codes code").all_inner_texts()
    guide.hands.tick("I have kept these")


def _a_code_is_shown(guide: Guide) -> None:
    guide.hands.fill("Code from your app, or a backup code", guide.app.backup())


def _the_new_codes_are_read(guide: Guide) -> None:
    guide.app.backups = guide.page.locator(".backup-codes code").all_inner_texts()


def _somebody_else_is_in(guide: Guide) -> None:
    guide.page.context.clear_cookies()
    steps.sign_up(guide.hands, "Noor Haddad", APP_OWNER, PASSWORD)
    steps.type_code(guide.hands, guide.portal.wait_for_mail(APP_OWNER).code)
    guide.tab.goto(TWO_STEP_PAGE)


def _half_in(guide: Guide) -> None:
    guide.tab.goto("/security")
    guide.hands.send("Sign out")
    steps.sign_in(guide.hands, APP_OWNER, PASSWORD)


def _a_backup_code_is_typed(guide: Guide) -> None:
    guide.hands.fill("Backup code", guide.app.backup())


def _many_tries(guide: Guide) -> None:
    for _again in range(int(TRIES)):
        guide.tab.goto("/sign-in")
        for label, text in WRONG.items():
            guide.hands.fill(label, text)
        guide.hands.send("Sign in")
    guide.tab.goto("/sign-in")


def _another_device(guide: Guide) -> None:
    """Somebody who is signed in here signs in on another one, too."""
    other = Caller(guide.portal.url)
    other.open("/sign-in")
    assert other.send("/sign-in", email=EMAIL, password=PASSWORD).location == "/profile"
    guide.page.reload()


def _the_alert_is_opened(guide: Guide) -> None:
    """The newest message about a sign-in on a device that was not known."""
    guide.portal.wait_for_mail(EMAIL, 8)
    mails = [each for each in guide.portal.mailbox() if each.subject.startswith("New sign-in")]
    guide.tab.goto(mails[0].links[0])


def _somebody_became_staff(guide: Guide) -> None:
    """As long as she can: nobody gives a role to an account that is held."""
    guide.portal.flask("staff", "role", EMAIL, "viewer")
    _the_alert_is_opened(guide)


def _staff_is_invited(guide: Guide) -> None:
    guide.portal.flask("staff", "invite", STAFF, "--role", "admin")
    guide.tab.goto(guide.portal.wait_for_mail(STAFF).links[0])


def _staff_has_joined(guide: Guide) -> None:
    link = guide.page.url
    guide.hands.send("Join as admin")
    steps.choose_password(guide.hands, PASSWORD)
    guide.tab.goto(link)


def _staff_has_come_in(guide: Guide) -> None:
    steps.sign_in(guide.hands, STAFF, PASSWORD)
    key = guide.page.locator("#key").inner_text()
    guide.hands.fill("6-digit code", authenticator.code(key))
    guide.hands.send("Turn on two-step sign-in")
    guide.hands.tick("I have kept these")
    guide.hands.send("Done")
    guide.tab.goto("/admin/staff")


def _a_role_is_chosen(guide: Guide) -> None:
    guide.hands.field("Role").select_option("support")


def _the_role_of_a_colleague(guide: Guide) -> None:
    guide.tab.goto("/admin/staff")
    with guide.page.expect_navigation():
        guide.page.get_by_role("link", name=re.compile(f"^Change role.*{NAME}")).click()


def _the_person_is_opened(guide: Guide) -> None:
    guide.hands.follow(NAME)


def _the_helpdesk_alone(guide: Guide) -> None:
    guide.hands.follow("Helpdesk")


def _the_disk_is_gone(guide: Guide) -> None:
    """A file lies where the folder of the pictures should be."""
    uploads = guide.portal.folder / "uploads"
    uploads.rename(uploads.with_name("gone"))
    uploads.write_text("")
    _a_picture_is_chosen(guide)


def _a_row_is_broken(guide: Guide) -> None:
    """What nobody foresaw."""
    _write(guide, "UPDATE profile SET links = links || '{'")


def _the_row_is_mended(guide: Guide) -> None:
    _write(guide, "UPDATE profile SET links = rtrim(links, '{')")


def _write(guide: Guide, statement: str) -> None:
    with sqlite3.connect(guide.portal.folder / "portal.db", timeout=30) as database:
        assert database.execute(statement).rowcount
    database.close()


BEFORE = (
    Sight("mailbox-empty", "Mailbox", "/dev/mailbox"),
    Sight("sign-in", "Sign in", "/sign-in"),
    Sight("sign-in-empty", "Sign in", press="Sign in", error=True),
    Sight("sign-in-wrong", "Sign in", "/sign-in", WRONG, "Sign in", error=True),
    Sight("sign-in-old", "Sign in", "", WRONG, "Sign in", error=True, first=_the_form_is_old),
    Sight("sign-in-big", "Sign in", "/sign-in", TOO_BIG, "Sign in", error=True),
    Sight("wait", "Wait a little", "/sign-in", WRONG, "Sign in", first=_many_tries),
)
SIGN_UP = (
    Sight("sign-up", "Create an account", "/sign-up"),
    Sight("sign-up-empty", "Create an account", press="Create account", error=True),
    Sight("sign-up-weak", "Create an account", "/sign-up", WEAK, "Create account", error=True),
    Sight("sign-up-code", CHECK, "/sign-up", WISH, "Create account", last=_the_message_has_come),
    Sight("sign-up-code-wrong", CHECK, "", CODE, "Continue", error=True),
    Sight("sign-up-resend-soon", CHECK, press="Send a new code", error=True),
    Sight("sign-up-link", "Confirm your email address", letter=1),
)
PROFILE = (
    Sight("profile-new", "Your profile", press="Confirm this address"),
    Sight("profile-crop", "Your profile", "/profile", first=_a_picture_is_chosen),
    Sight("profile-picture", "Your profile", press="Save picture"),
    Sight(
        "profile-wrong-kind",
        "Your profile",
        "/profile",
        press="Save picture",
        error=True,
        first=_a_text_is_chosen,
    ),
    Sight("profile-no-name", "Your profile", "/profile", NO_NAME, "Save name", error=True),
    Sight("profile-work", "Your profile", "/profile", WORK, "Save work"),
    Sight("profile-links-wrong", "Your profile", "", WRONG_LINKS, "Save links", error=True),
    Sight("profile-links", "Your profile", "/profile", LINKS, "Save links"),
    Sight("profile-bio-long", "Your profile", "", LONG_BIO, "Save biography", error=True),
    Sight("profile-bio", "Your profile", "/profile", BIO, "Save biography"),
    Sight("profile", "Your profile", "/profile"),
    Sight("security", "Security", "/security"),
    Sight("password", "Change your password", "/security/password"),
    Sight(
        "password-wrong",
        "Change your password",
        "",
        OLD | DIFFERENT,
        "Save new password",
        error=True,
    ),
    Sight("devices", "Your devices", "/security/devices", first=_another_device),
    Sight("devices-signed-out", "Your devices", press="Sign out all others"),
    Sight("activity", "What happened to your account", "/security/activity"),
    Sight("activity-none", "What happened to your account", "/security/activity?show=staff"),
    Sight("delete", "Delete your account", "/security/delete"),
    Sight("delete-wrong", "Delete your account", "", OLD, "Delete my account", error=True),
    Sight("phone", "Your phone number", "/security/phone"),
    Sight("phone-wrong", "Your phone number", "", NO_PHONE, "Send the code", error=True),
    Sight("phone-code", CHECK_PHONE, "/security/phone", PHONE, "Send the code"),
    Sight("phone-code-wrong", CHECK_PHONE, "", CODE, "Continue", error=True),
    Sight("phone-there", "Your phone number", press="Continue", first=_the_code_has_come),
    Sight("security-with-phone", "Security", "/security"),
    Sight("email", NEW_ADDRESS, "/security/email"),
    Sight("email-wrong", NEW_ADDRESS, "", NO_ADDRESS, "Send the emails", error=True),
    Sight("email-asked", NEW_ADDRESS, "/security/email", OTHER_ADDRESS, "Send the emails"),
    Sight("email-confirm", "Confirm your new email address", first=_the_new_address_is_asked),
    Sight("email-stop", "Stop this change?", letter=4),
    Sight("confirm", "Confirm it is you", "/security/confirm"),
    Sight("confirm-wrong", "Confirm it is you", "", OLD, "Continue", error=True),
    Sight(
        "sign-out-old", "Sign out", "/profile", press="Sign out", error=True, first=_the_form_is_old
    ),
    Sight("sign-out", "Sign in", press="Sign out"),
)
TWO_STEP = (
    Sight("two-step-off", "Two-step sign-in", first=_somebody_else_is_in),
    Sight("two-step-set-up", SET_UP, f"{TWO_STEP_PAGE}/set-up"),
    Sight("two-step-wrong", SET_UP, "", CODE, "Turn on two-step sign-in", error=True),
    Sight(
        "two-step-codes",
        "Your backup codes",
        press="Turn on two-step sign-in",
        first=_the_app_has_the_key,
    ),
    Sight("two-step-not-kept", "Your backup codes", press="Done", error=True),
    Sight("two-step-on", "Two-step sign-in", press="Done", first=_the_codes_are_kept),
    Sight("confirm-by-code", "Confirm it is you", "/security/confirm"),
    Sight("two-step-replace", "Replace the app", f"{TWO_STEP_PAGE}/replace"),
    Sight(
        "two-step-replace-wrong",
        "Replace the app",
        "",
        OLD | {"Code from your app, or a backup code": "x"},
        "Continue",
        error=True,
    ),
    Sight(
        "two-step-another",
        "Set up another app",
        f"{TWO_STEP_PAGE}/replace",
        CURRENT,
        "Continue",
        first=_a_code_is_shown,
    ),
    Sight("two-step-new-codes", NEW_BACKUPS, f"{TWO_STEP_PAGE}/new-codes"),
    Sight(
        "two-step-codes-again",
        "Your backup codes",
        "",
        CURRENT,
        "Make new codes",
        first=_a_code_is_shown,
        last=_the_new_codes_are_read,
    ),
    Sight("second-step", APP_CODE, first=_half_in),
    Sight("second-step-wrong", APP_CODE, "", CODE, "Continue", error=True),
    Sight("backup", "Use a backup code", "/sign-in/backup"),
    Sight("backup-wrong", "Use a backup code", "", NO_BACKUP, "Continue", error=True),
    Sight("backup-used", "Your profile", press="Continue", first=_a_backup_code_is_typed),
    Sight("two-step-turn-off", TURN_OFF, f"{TWO_STEP_PAGE}/off"),
    Sight(
        "two-step-off-again", "Two-step sign-in", "", CURRENT, "Turn off", first=_a_code_is_shown
    ),
)
RECOVERY = (
    Sight("recover", "Get back into your account", "/recover"),
    Sight("recover-empty", "Get back into your account", press="Send the message", error=True),
    Sight(
        "recover-code",
        CHECK,
        "/recover",
        {EITHER: EMAIL},
        "Send the message",
        last=_the_message_has_left,
    ),
    Sight("recover-code-wrong", CHECK, "", CODE, "Continue", error=True),
    Sight("recover-resend-soon", CHECK, press="Send a new code", error=True),
    # Meanwhile the time of the code goes by.
    Sight("help", "Help and contact", "/help"),
    Sight("privacy", "Privacy", "/privacy"),
    Sight("api", "The API", "/api/docs"),
    Sight("no-such-page", "There is no such page", "/no-such-page"),
    Sight("wrong-method", "This page cannot be used like that", "/sign-out"),
    Sight("link-dead", "This link no longer works", "/recover/link/none"),
    Sight("recover-code-run-out", CHECK, "/recover/code", first=_the_time_is_up),
    Sight("recover-link", "Choose a new password?", letter=5),
    Sight("recover-shown-code", "Your code", press="I am on another device, show me a code"),
    Sight("new-password", "Choose a new password", letter=5, press="Continue on this device"),
    Sight("new-password-weak", "Choose a new password", "", SHORT, "Save new password", error=True),
    Sight("new-password-saved", "Sign in", "", NEW, "Save new password"),
    Sight(
        "recover-sms",
        CHECK_PHONE,
        "/recover",
        {EITHER: NUMBER},
        "Send the message",
        last=_the_message_has_left,
    ),
    Sight("recover-sms-wrong", CHECK_PHONE, "", CODE, "Continue", error=True),
)
AFTER = (
    Sight("mailbox", "Mailbox", "/dev/mailbox"),
    Sight("signed-in-again", "Your profile", "/sign-in", SIGN_IN, "Sign in"),
    Sight("messages", "Messages we sent you", "/security/messages"),
    Sight("deleted", "Sign in", "/security/delete", RIGHT, "Delete my account"),
    Sight("kept", "Your profile", "/sign-in", SIGN_IN, "Sign in"),
    Sight("activity-long", "What happened to your account", "/security/activity"),
    Sight(
        "picture-not-kept",
        "Your profile",
        "/profile",
        press="Save picture",
        first=_the_disk_is_gone,
        error=True,
    ),
    Sight(
        "defect",
        "Something went wrong here",
        "/profile",
        press="Save name",
        first=_a_row_is_broken,
        last=_the_row_is_mended,
    ),
    Sight("not-you", "Was that not you?", first=_somebody_became_staff),
    Sight("held", "Everybody is signed out", press="Sign everybody out"),
    Sight("sign-in-held", "Sign in", "/sign-in", SIGN_IN, "Sign in", error=True),
    Sight("not-you-used", "This link no longer works", first=_the_alert_is_opened),
)
TEAM = (
    Sight("invitation", "Join the Latchkey helpdesk", first=_staff_is_invited),
    Sight("invitation-used", "This link no longer works", first=_staff_has_joined),
    Sight("staff", "Staff", first=_staff_has_come_in),
    Sight("staff-wrong", "Staff", "", NO_STAFF, "Send the invitation", error=True),
    Sight(
        "staff-invited",
        "Staff",
        "/admin/staff",
        {"Email address": "omar.haddad@example.org"},
        "Send the invitation",
        first=_a_role_is_chosen,
    ),
    Sight("staff-role", f"Change the role of {NAME}", first=_the_role_of_a_colleague),
    Sight("staff-role-wrong", f"Change the role of {NAME}", press="Change the role", error=True),
)
PEOPLE = (
    Sight("people", "People", "/admin/people"),
    Sight("people-nobody", "People", "/admin/people?q=nobody"),
    Sight("people-too-long", "People", "/admin/people?q=" + "x" * 201, error=True),
    Sight("people-found", "People", "/admin/people?q=sana"),
    Sight("person", NAME, first=_the_person_is_opened),
    Sight("person-helpdesk", NAME, first=_the_helpdesk_alone),
)
LOG = (
    Sight("log", "Log", "/admin/log"),
    Sight("log-no-day", "Log", "/admin/log?since=2026-02-30", error=True),
    Sight("log-nothing", "Log", "/admin/log?kind=account:restored&opened=no"),
    Sight("deliveries", "Deliveries", "/admin/deliveries"),
    Sight("deliveries-nothing", "Deliveries", "/admin/deliveries?state=in-doubt&channel=sms"),
    Sight("numbers", "Numbers", "/admin"),
    Sight("numbers-sms", "Numbers", "/admin?days=7&channel=sms"),
)
SIGHTS = BEFORE + SIGN_UP + PROFILE + RECOVERY + AFTER + TEAM + PEOPLE + LOG + TWO_STEP
