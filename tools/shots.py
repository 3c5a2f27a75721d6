"""Pictures of every page, as people meet them: shots/<width>-<scheme>/<number>-<page>.png.

Starts a portal of its own and walks through it with a browser, at both widths, light and dark.
"""

import tempfile
from pathlib import Path

from tests.rigs.chromium import DESK, PHONE, Chromium, Tab, chromium, missing
from tests.rigs.server import ROOT, Server

FOLDER = ROOT / "shots"
PASSWORD, NEW_PASSWORD, OTHER = "copper lantern tuesday", "wooden planet friday", "not the same"
NO_WAITING = {"SEND_COOLDOWN_SECONDS": "0", "THROTTLES": "0", "HELP_PHONE": "0800 000 000"}


class Walk:
    """One person's way through all pages in one window."""

    def __init__(self, tab: Tab, portal: Server, folder: Path, email: str) -> None:
        self.tab, self.portal, self.folder, self.email = tab, portal, folder, email
        self.number = 0

    def whole(self) -> None:
        """Every page in the order in which somebody new meets them."""
        self.strangers()
        self.signing_up()
        self.inside()
        self.new_password(self.back_in())

    def strangers(self) -> None:
        for path in "/help", "/privacy", "/no-such-page", "/recover/link/unknown", "/sign-in":
            self.open(path)
        self.press("Sign in")
        self.shoot("sign-in-error")

    def signing_up(self) -> None:
        self.open("/sign-up")
        self.press("Create account")
        self.shoot("sign-up-error")
        self.fill(full_name="Ann Miller", email=self.email)
        self.fill(password=PASSWORD, confirm_password=PASSWORD)
        self.press("Create account")
        self.shoot("sign-up-code")
        letter = self.portal.wait_for_mail(self.email)
        self.open(next(link for link in letter.links if "/link/" in link), "sign-up-link")
        self.open("/sign-up/code", "sign-up-code-again")
        self.fill(code=letter.code)
        self.press("Continue")

    def inside(self) -> None:
        for path in "/profile", "/security", "/security/password":
            self.open(path)
        self.press("Save new password")
        self.shoot("security-password-error")
        self.open("/dev/mailbox", "mailbox")
        self.open("/profile", "profile-again")
        self.press("Sign out")

    def back_in(self) -> str:
        """-> the link in the message."""
        before = len([each for each in self.portal.mailbox() if each.to == self.email])
        self.open("/recover")
        self.fill(identifier=self.email)
        self.press("Send the email")
        self.shoot("recover-code-waiting")
        letter = self.portal.wait_for_mail(self.email, before + 1)
        self.open("/recover/code", "recover-code-sent")
        self.fill(code="000000" if letter.code != "000000" else "111111")
        self.press("Continue")
        self.shoot("recover-code-error")
        return next(link for link in letter.links if "/link/" in link)

    def new_password(self, link: str) -> None:
        self.open(link, "recover-link")
        self.tab.page.locator('button[value="show-code"]').click()
        self.shoot("recover-shown-code")
        self.tab.page.go_back()
        self.tab.page.locator('button[value="continue"]').click()
        self.shoot("new-password")
        self.fill(password=NEW_PASSWORD, confirm_password=OTHER)
        self.press("Save new password")
        self.shoot("new-password-error")
        self.fill(password=NEW_PASSWORD, confirm_password=NEW_PASSWORD)
        self.press("Save new password")
        self.shoot("recovered")

    def open(self, path: str, name: str | None = None) -> None:
        """Goes there and takes a picture."""
        self.tab.goto(path)
        self.shoot(name or path.strip("/").replace("/", "-"))

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.tab.page.locator(f'main [name="{name}"]').fill(value)

    def press(self, words: str) -> None:
        self.tab.page.get_by_role("button", name=words, exact=True).first.click()
        self.tab.page.wait_for_load_state()

    def shoot(self, name: str) -> None:
        self.number += 1
        self.tab.picture(self.folder / f"{self.number:02}-{name}.png")


def walk(browser: Chromium, portal: Server) -> None:
    """All pages at both widths, light and dark."""
    for width in PHONE, DESK:
        for scheme in "light", "dark":
            with browser.open(portal.url, width=width, scheme=scheme) as tab:
                folder, email = FOLDER / f"{width}-{scheme}", f"ann-{width}-{scheme}@example.org"
                Walk(tab, portal, folder, email).whole()
                print(folder.relative_to(ROOT))


def main() -> None:
    """Raises SystemExit where there is no browser."""
    if reason := missing():
        raise SystemExit(reason)
    with (
        tempfile.TemporaryDirectory(prefix="latchkey-shots-") as folder,
        Server(Path(folder), **NO_WAITING) as portal,
        chromium() as browser,
    ):
        walk(browser, portal)


if __name__ == "__main__":
    main()
