"""The browser of the tests sees what goes wrong on a page, and leaves its policy as it is."""

import pytest

pytestmark = pytest.mark.journey

GREY_ON_GREY = """() => { const faint = document.createElement('p');
    faint.textContent = 'Too faint to read';
    faint.style.color = '#bbb'; faint.style.background = '#ccc';
    document.querySelector('main').append(faint); }"""
STYLED = """() => document.head.append(Object.assign(document.createElement('style'),
    {textContent: 'h1 { color: red }'}))"""
WIDE = """() => { const wide = document.createElement('div');
    wide.style.width = '2000px'; wide.textContent = 'wide';
    document.querySelector('main').append(wide); }"""


def test_axe_finds_what_is_too_faint(chromium_browser, portal):
    with chromium_browser.open(portal.url) as tab:
        assert tab.goto("/sign-in") == 200
        assert tab.axe() == []
        tab.page.evaluate(GREY_ON_GREY)
        (found,) = tab.axe()
        assert found.startswith("color-contrast")


def test_a_breach_of_the_policy_fails_the_test(chromium_browser, portal):
    with (
        pytest.raises(AssertionError, match="style-src"),
        chromium_browser.open(portal.url) as tab,
    ):
        tab.goto("/sign-in")
        tab.page.evaluate(STYLED)
        tab.page.wait_for_timeout(100)


def test_a_script_error_fails_the_test(chromium_browser, portal):
    with (
        pytest.raises(AssertionError, match=r"Script error: .*thrown"),
        chromium_browser.open(portal.url) as tab,
    ):
        tab.goto("/sign-in")
        tab.page.evaluate("() => void setTimeout(() => { throw new Error('thrown') })")
        tab.page.wait_for_timeout(100)


def test_a_part_that_is_missing_fails_the_test(chromium_browser, portal):
    with (
        pytest.raises(AssertionError, match=r"404 for .*/static/none"),
        chromium_browser.open(portal.url) as tab,
    ):
        tab.goto("/sign-in")
        tab.page.evaluate("() => fetch('/static/none.css').then(() => null)")


def test_a_page_that_says_no_is_no_trouble(chromium_browser, portal):
    with chromium_browser.open(portal.url) as tab:
        assert tab.goto("/no-such-page") == 404


def test_what_sticks_out_is_named(chromium_browser, portal):
    with chromium_browser.open(portal.url, width=390) as tab:
        tab.goto("/sign-in")
        assert tab.sideways() == []
        tab.page.evaluate(WIDE)
        assert "390" in tab.sideways()[0]


def test_script_can_be_off_and_the_dark_asked_for(chromium_browser, portal):
    with chromium_browser.open(portal.url, scheme="dark", script=False) as tab:
        assert tab.goto("/sign-in") == 200
        assert tab.page.locator(".reveal-btn").first.is_hidden()
    with chromium_browser.open(portal.url, scheme="dark") as tab:
        tab.goto("/sign-in")
        assert tab.page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
        assert tab.page.locator(".reveal-btn").first.is_visible()
