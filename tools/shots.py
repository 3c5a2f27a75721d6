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
DEMO = "demo@example.org"
LETTER_LOOKS: tuple[tuple[int, Scheme], ...] = ((LETTER_WIDTHS[0], "light"), (PHONE, "dark"))
WIDE, TALL, PHONE_HEIGHT, LETTER_HEIGHT = 860, 900, 844, 1080  # of the README's windows
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
        password = portal.flask("demo").split()[-1]
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
