"""Pictures of every page into shots/; with --docs the README's into docs/images/.

    python -m tools.shots [--docs]

A temporary database, an invented person, the real server and the browser of the tests.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import expect

from tests.journeys import atlas, steps
from tests.journeys.atlas import Guide
from tests.journeys.steps import Mouse
from tests.rigs.chromium import DESK, HEIGHT, PHONE, Chromium, Scheme, Tab, chromium
from tests.rigs.server import ROOT, Server

EVERYTHING, DOCS = ROOT / "shots", ROOT / "docs" / "images"
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LETTER_WIDTHS = (600, PHONE)
DOCS_SETTINGS = {
    "PUBLIC_URL": "http://account.localhost",
    "EMAIL_FROM": "no-reply@latchkey.example",
}
DEMO, DEMO_NAME, AGENT = "demo@example.org", "Sana Iqbal", "ruth.lund@example.org"
LETTER_LOOKS: tuple[tuple[int, Scheme], ...] = ((LETTER_WIDTHS[0], "light"), (PHONE, "dark"))
# Of the README's windows.
WIDE, TALL, DESK_HEIGHT, PHONE_HEIGHT, LETTER_HEIGHT = 860, 900, 1100, 844, 1080
GAP = 24  # pixels between windows in one picture
SECONDS_LEFT = "21"
COLOURS = 128  # flat colours need no more, and the files stay small


def main() -> None:
    """Takes the pictures that were asked for."""
    parser = argparse.ArgumentParser(description="Take pictures of the portal.")
    parser.add_argument("--docs", action="store_true", help="the README's pictures only")
    take = for_docs if parser.parse_args().docs else of_everything
    with chromium() as browser:
        take(browser)


def of_everything(browser: Chromium) -> None:
    """Each sight of the atlas: two widths, light and dark."""
    with _served(**atlas.SETTINGS) as portal, browser.open(portal.url) as tab:
        for number, sight in enumerate(Guide(tab, portal).tour(), 1):
            _from_all_sides(tab, f"{number:02}-{sight.name}", (PHONE, DESK))


def for_docs(browser: Chromium) -> None:
    """The pages that say most, with the person of the demo."""
    with _served(**atlas.SETTINGS, **DOCS_SETTINGS) as portal:
        told = portal.flask("demo")
        password = told.split()[-1]
        with browser.open(portal.url) as tab:
            _at_the_helpdesk(Mouse(tab), password, _backup_code(told))
        with browser.open(portal.url) as tab:
            _at_the_desk(Mouse(tab), password)
        with browser.open(portal.url, width=PHONE, scheme="dark") as tab:
            _on_the_phone(Mouse(tab), portal)
        letter = portal.wait_for_mail(DEMO).html or ""
        _keep("mail-recovery", [_letter(browser, letter, look) for look in LETTER_LOOKS])


def _at_the_desk(hands: Mouse, password: str) -> None:
    steps.sign_in(hands, DEMO, password)
    hands.sees("Your profile")
    _keep("profile", [_window(hands.tab, TALL)])
    steps.ask_to_get_back_in(hands, DEMO)
    expect(hands.page.locator(".count-num span")).to_have_text(SECONDS_LEFT, timeout=20_000)
    _keep("recover-code", [_window(hands.tab, WIDE)])


def _backup_code(told: str) -> str:
    """What the demo says of its support agent ends with it."""
    return next(line.split()[-1] for line in told.splitlines() if AGENT in line)


def _at_the_helpdesk(hands: Mouse, password: str, backup_code: str) -> None:
    steps.sign_in(hands, AGENT, password)
    hands.tab.goto("/sign-in/backup")
    hands.fill("Backup code", backup_code)
    hands.send("Continue")
    hands.tab.goto("/admin/people?q=sana iqbal")
    hands.follow(DEMO_NAME)
    hands.sees(DEMO_NAME)
    _keep("desk-person", [_window(hands.tab, DESK_HEIGHT)])
    phone = _on_a_phone(hands.tab, hands.tab.path)
    for name, path in (("numbers", "/admin"), ("log", "/admin/log")):
        hands.tab.goto(path)
        _keep(f"desk-{name}", [_window(hands.tab, DESK_HEIGHT)])
    _keep("desk-phone", [phone, _on_a_phone(hands.tab, "/admin")])


def _on_a_phone(tab: Tab, path: str) -> Image.Image:
    """The same page for somebody on the way, in the dark."""
    width, tab.width = tab.width, PHONE
    tab.page.emulate_media(color_scheme="dark")
    tab.goto(path)
    picture = _window(tab, PHONE_HEIGHT)
    tab.width = width
    tab.page.emulate_media(color_scheme="light")
    return picture


def _on_the_phone(hands: Mouse, portal: Server) -> None:
    steps.ask_to_get_back_in(hands, DEMO)
    expect(hands.page.locator(".count")).to_be_visible()
    code = _window(hands.tab, PHONE_HEIGHT)
    steps.type_code(hands, portal.wait_for_mail(DEMO, 2).code)
    hands.fill("New password", "wooden planet friday")
    _keep("recover-phone", [code, _window(hands.tab, PHONE_HEIGHT)])


def _letter(browser: Chromium, html: str, look: tuple[int, Scheme]) -> Image.Image:
    width, scheme = look
    with browser.open("", width=width, scheme=scheme) as tab:
        tab.page.set_content(html)
        return _window(tab, LETTER_HEIGHT)


@contextmanager
def _served(**settings: str) -> Iterator[Server]:
    with TemporaryDirectory() as folder, Server(Path(folder), **settings) as portal:
        yield portal


def _from_all_sides(tab: Tab, name: str, widths: tuple[int, ...]) -> None:
    for width in widths:
        tab.page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in SCHEMES:
            tab.page.emulate_media(color_scheme=scheme)
            tab.picture(EVERYTHING / f"{name}-{width}-{scheme}.png")
    print(name)


def _window(tab: Tab, height: int) -> Image.Image:
    """What is seen without scrolling in a window of this height."""
    tab.page.set_viewport_size({"width": tab.width, "height": height})
    tab.page.evaluate("document.fonts.ready.then(() => scrollTo(0, 0))")
    return Image.open(BytesIO(tab.page.screenshot(animations="disabled"))).convert("RGB")


def _keep(name: str, windows: list[Image.Image]) -> None:
    """One picture of windows side by side, in few colours."""
    width = sum(each.width for each in windows) + GAP * (len(windows) - 1)
    whole = Image.new("RGB", (width, max(each.height for each in windows)), "white")
    left = 0
    for each in windows:
        whole.paste(each, (left, 0))
        left += each.width + GAP
    file = DOCS / f"{name}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
