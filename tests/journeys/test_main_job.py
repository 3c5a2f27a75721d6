"""Opening an account, saying who one is, getting back in: a real browser, the served product."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import expect

from portal.core import clock
from tests.journeys import photo, steps
from tests.journeys.steps import Keyboard, Mouse
from tests.rigs.chromium import PHONE

pytestmark = pytest.mark.journey

PASSWORDS = (
    "copper lantern tuesday",
    "wooden planet friday",
    "velvet anchor monday",
    "quiet harvest window",
)
LINKS = {
    "Website": ("https://sana.example/about", "https://sana.example/about"),
    "GitHub": ("sana-iqbal", "https://github.com/sana-iqbal"),
    "GitLab": ("@sana", "https://gitlab.com/sana"),
    "LinkedIn": (
        "https://www.linkedin.com/in/sana-iqbal",
        "https://www.linkedin.com/in/sana-iqbal",
    ),
    "X": ("@sana", "https://x.com/sana"),
    "Mastodon": ("@sana@mastodon.social", "https://mastodon.social/@sana"),
    "Instagram": ("sana.iqbal", "https://instagram.com/sana.iqbal"),
    "YouTube": ("@sana", "https://youtube.com/@sana"),
}
BIO = "I visit people at home across north Leeds.\n\nI restore old clocks, and run <b>slowly</b>."
ZOOM, RIGHT, UP, STEP = 200, 3, 2, 0.04  # what is pressed, and how far an arrow moves
SIDE = photo.WIDTH * 100 // ZOOM
LEFT = round(photo.WIDTH / 2 - SIDE / 2 + RIGHT * STEP * SIDE)
TOP = round(photo.HEIGHT / 2 - SIDE / 2 - UP * STEP * SIDE)
METADATA = (b"EXIF", b"XMP ", b"ICCP", photo.MAKER.encode())
YEAR = "public, max-age=31536000, immutable"


def test_the_whole_story(chromium_browser, portal):
    email = "sana@example.org"
    with chromium_browser.open(portal.url) as tab:
        sana = Mouse(tab)
        _opens_an_account_and_leaves(sana, portal, email)
        _stays_signed_in(sana, email)
        _fills_in_the_profile(sana)
        _puts_up_a_picture(sana)
        sana.send("Sign out")
        sana.sees("Sign in")
        _gets_back_in_by_code(sana, portal, email)
        _gets_back_in_by_link_elsewhere(sana, portal, email, chromium_browser)
        _gets_back_in_by_a_code_shown_elsewhere(sana, portal, email, chromium_browser)


@pytest.mark.parametrize("script", [False, True], ids=["without script", "by keyboard alone"])
def test_sign_up_and_recovery(chromium_browser, portal, script):
    email = f"amal-{script}@example.org".lower()
    with chromium_browser.open(portal.url, width=PHONE, script=script) as tab:
        amal = Keyboard(tab) if script else Mouse(tab)
        _opens_an_account_and_leaves(amal, portal, email)
        steps.ask_to_get_back_in(amal, email)
        code = portal.wait_for_mail(email, 2).code
        expect(amal.button("Hide the timer")).to_be_visible(visible=script)
        steps.type_code(amal, code)
        amal.sees("Choose a new password")
        steps.choose_password(amal, PASSWORDS[1])
        amal.sees("Sign in")
        steps.sign_in(amal, email, PASSWORDS[1])
        amal.sees("Your profile")


def test_without_script_the_link_shows_a_code_and_says_how_long_it_lasts(chromium_browser, portal):
    email = "jose@example.org"
    with chromium_browser.open(portal.url, script=False) as tab:
        jose = Mouse(tab)
        _opens_an_account_and_leaves(jose, portal, email)
        steps.ask_to_get_back_in(jose, email)
        (link,) = portal.wait_for_mail(email, 2).links
        tab.goto(link)
        jose.send("I am on another device, show me a code")
        expect(tab.page.locator("#code-time")).to_have_text(
            "This code had 30 seconds left when the page opened."
        )
        code = tab.page.locator(".shown-code").inner_text()
        tab.goto("/recover/code")
        steps.type_code(jose, code)
        jose.sees("Choose a new password")


def _opens_an_account_and_leaves(hands, portal, email):
    steps.sign_up(hands, "Sana Iqbal", email, PASSWORDS[0])
    steps.type_code(hands, portal.wait_for_mail(email).code)
    hands.sees("Your profile")
    expect(hands.page.locator(".banner")).to_have_text("Your address is confirmed. Welcome.")
    hands.send("Sign out")
    hands.sees("Sign in")
    hands.tab.goto("/profile")
    assert hands.tab.path == "/sign-in"


def _stays_signed_in(hands, email):
    steps.sign_in(hands, email, PASSWORDS[0], keep=True)
    hands.sees("Your profile")
    kept = [each for each in hands.page.context.cookies() if each["name"] == "latchkey"]
    month = (clock.now() + timedelta(days=30)).timestamp()
    assert kept[0]["expires"] == pytest.approx(month, abs=120)
    assert kept[0]["httpOnly"]


def _fills_in_the_profile(hands):
    _saves(hands, "Save name", "Your profile is saved.", {"Username": "sana.iqbal"})
    work = {"Job title": "District nurse", "Organisation": "Northfold Care"}
    _saves(hands, "Save work", "Your profile is saved.", work)
    hands.field("Country").select_option(label="United Kingdom")
    _saves(hands, "Save location", "Your profile is saved.", {"Town or city": "Leeds"})
    typed = {label: given for label, (given, _kept) in LINKS.items()}
    _saves(hands, "Save links", "Your profile is saved.", typed)
    _saves(hands, "Save biography", "Your profile is saved.", {"Short biography": BIO})
    hands.tab.goto("/profile")
    expected = {label: kept for label, (_given, kept) in LINKS.items()}
    expected |= work | {"Short biography": BIO, "Country": "GB", "Username": "sana.iqbal"}
    assert {label: hands.field(label).input_value() for label in expected} == expected


def _saves(hands, button, banner, fields):
    for label, text in fields.items():
        hands.fill(label, text)
    hands.send(button)
    expect(hands.page.locator(".banner")).to_have_text(banner)


def _puts_up_a_picture(hands):
    taken = photo.upright()
    file = photo.jpeg(taken)
    assert 2_000_000 < len(file) < 5_000_000
    chosen = {"name": "IMG_2041.jpg", "mimeType": "image/jpeg", "buffer": file}
    hands.field("Choose a picture").set_input_files(chosen)
    hands.field("Zoom").fill(str(ZOOM))
    for words, times in {"Move right": RIGHT, "Move up": UP}.items():
        for _press in range(times):
            hands.press(words)
    crop = hands.page.locator("[name=crop]").input_value()
    assert [int(each) for each in crop.split(",")] == pytest.approx([LEFT, TOP, SIDE], abs=1)
    hands.send("Save picture")
    expect(hands.page.locator(".banner")).to_contain_text("Your picture is saved.")
    _is_what_was_chosen(hands, taken.crop((LEFT, TOP, LEFT + SIDE, TOP + SIDE)))


def _is_what_was_chosen(hands, chosen):
    address = hands.page.locator(".disc img").get_attribute("src").rpartition("/")[0]
    for size in (512, 256, 96):
        answer = hands.page.request.get(f"{hands.tab.site}{address}/{size}")
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["cache-control"] == YEAR
        assert not [mark for mark in METADATA if mark in answer.body()]
        served = Image.open(BytesIO(answer.body()))
        assert (served.format, served.size) == ("WEBP", (size, size))
        for box in _corners(size):
            middle = tuple(edge * chosen.width / size for edge in box)
            assert _colour(served, box) == pytest.approx(_colour(chosen, middle), abs=6), box


def _corners(size):
    """The four corners, each a tenth of the side."""
    edges = (0, size // 10), (size - size // 10, size)
    return [(left, top, right, bottom) for left, right in edges for top, bottom in edges]


def _colour(picture, box):
    return ImageStat.Stat(picture.convert("RGB").crop(tuple(map(round, box)))).mean


def _gets_back_in_by_code(hands, portal, email):
    steps.ask_to_get_back_in(hands, email)
    expect(hands.page.locator("#again-hint")).to_have_text(
        re.compile(r"You can ask again in \d+ seconds\.")
    )
    _watches_the_ring(hands)
    steps.type_code(hands, portal.wait_for_mail(email, 2).code)
    hands.sees("Choose a new password")
    assert hands.field("For the account").input_value() == email
    steps.choose_password(hands, PASSWORDS[1])
    hands.sees("Sign in")
    expect(hands.page.locator(".banner")).to_contain_text("Your password is changed.")
    steps.sign_in(hands, email, PASSWORDS[0])
    hands.sees("Sign in")
    steps.sign_in(hands, email, PASSWORDS[1])
    hands.sees("Your profile")
    portal.wait_for_mail(email, 3)


def _watches_the_ring(hands):
    ring, left = hands.page.locator(".count"), hands.page.locator(".count-num span")
    expect(ring).to_be_visible()
    first = int(left.inner_text())
    assert 20 < first <= 30
    expect(left).to_have_text(str(first - 2))
    hands.press("Hide the timer")
    expect(ring).to_be_hidden()
    hands.press("Show the timer")
    expect(ring).to_be_visible()


def _gets_back_in_by_link_elsewhere(laptop, portal, email, browser):
    """Asked for in a library while the laptop is signed in; the phone opens the link."""
    with browser.open(portal.url) as away, browser.open(portal.url, width=PHONE) as pocket:
        library, phone = Mouse(away), Mouse(pocket)
        steps.ask_to_get_back_in(library, email)
        (link,) = portal.wait_for_mail(email, 4).links
        pocket.goto(link)
        phone.sees("Choose a new password?")
        phone.send("Continue on this device")
        phone.sees("Choose a new password")
        away.goto("/auth/password-reset")
        assert away.path == "/recover"
        laptop.tab.goto("/profile")
        laptop.sees("Your profile")
        steps.choose_password(phone, PASSWORDS[2])
        phone.sees("Sign in")
        assert pocket.goto(link) == 410
    laptop.tab.goto("/profile")
    assert laptop.tab.path == "/sign-in"
    portal.wait_for_mail(email, 5)


def _gets_back_in_by_a_code_shown_elsewhere(laptop, portal, email, browser):
    """Asked for on the phone; the laptop opens the link and shows a code for it."""
    with browser.open(portal.url, width=PHONE) as pocket:
        phone = Mouse(pocket)
        steps.sign_in(phone, email, PASSWORDS[2])
        steps.ask_to_get_back_in(phone, email)
        (link,) = portal.wait_for_mail(email, 6).links
        laptop.tab.goto(link)
        laptop.send("I am on another device, show me a code")
        laptop.sees("Your code")
        expect(laptop.page.locator(".count")).to_be_visible()
        steps.type_code(phone, laptop.page.locator(".shown-code").inner_text())
        phone.sees("Choose a new password")
        laptop.tab.goto("/auth/password-reset")
        assert laptop.tab.path == "/recover"
        steps.choose_password(phone, PASSWORDS[3])
        steps.sign_in(phone, email, PASSWORDS[3])
        phone.sees("Your profile")
