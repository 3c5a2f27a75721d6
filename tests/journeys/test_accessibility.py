"""Every page and letter, with and without errors: axe-core finds nothing, nothing sticks out."""

from itertools import cycle

import pytest

from tests.journeys.atlas import SETTINGS, Guide
from tests.rigs.chromium import DESK, PHONE
from tests.rigs.server import Server

pytestmark = pytest.mark.journey

# Each page at both widths and in both schemes; which goes with which changes from page to page.
LOOKS = [((PHONE, "light"), (DESK, "dark")), ((PHONE, "dark"), (DESK, "light"))]
NARROW = 320  # WCAG 1.4.10
# WCAG 1.4.12, as a style sheet that the policy lets through: made by script, not put into the page.
SPACED = """() => { const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important;
        word-spacing: .16em !important } p { margin-bottom: 2em !important }`);
    document.adoptedStyleSheets = [sheet]; }"""
LETTERS = 14  # kinds of message that the tour gets
FRAMED = ("landmark-one-main", "region")  # a mail program puts landmarks around a letter, not we


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("atlas"), CODE_LIFETIME_SECONDS="10", **SETTINGS) as server:
        yield server


def test_every_page_and_letter_is_for_everybody(chromium_browser, served):
    found = []
    with chromium_browser.open(served.url) as tab:
        guide = Guide(tab, served)
        for sight, looks in zip(guide.tour(), cycle(LOOKS), strict=False):
            found += [f"{sight.name}: {line}" for line in _wrong(guide, sight, looks)]
    with chromium_browser.open("") as tab:
        letters = {letter.subject: letter.html for letter in served.mailbox() if letter.html}
        for looks, (subject, html) in zip(cycle(LOOKS), letters.items(), strict=False):
            tab.page.set_content(html)
            lines = [
                line for line in _unfit(tab, looks) if not any(rule in line for rule in FRAMED)
            ]
            found += [f"{subject}: {line}" for line in lines]
    assert len(letters) == LETTERS
    assert not found, "\n".join(found)


def _wrong(guide, sight, looks):
    yield from _told(guide, sight)
    yield from _unfit(guide.tab, looks)
    guide.page.evaluate(SPACED)
    yield from (f"spaced: {line}" for line in guide.tab.sideways(NARROW))
    guide.tab.sideways(DESK)


def _unfit(tab, looks):
    for width, scheme in looks:
        tab.page.emulate_media(color_scheme=scheme)
        yield from (f"{width} {scheme}: {line}" for line in tab.sideways(width))
        yield from (f"{width} {scheme}: {line}" for line in tab.axe())
    tab.page.emulate_media(color_scheme="light")
    yield from (f"narrow: {line}" for line in tab.sideways(NARROW))


def _told(guide, sight):
    """An error is told by the title, and by a summary that has the focus."""
    prefixed = guide.page.title().startswith("Error: ")
    if prefixed is not sight.error:
        yield f"the title is {guide.page.title()!r}"
    if sight.error and guide.tab.focused() != "summary":
        yield f"{guide.tab.focused()!r} has the focus, not the summary"
    if not sight.error and guide.page.locator(".summary").count():
        yield "there is a summary of errors"
