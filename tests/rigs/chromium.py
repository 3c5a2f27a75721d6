"""A real browser: Debian's Chromium, driven by Playwright, measured by axe-core.

    with chromium_browser.open(portal.url, width=390, scheme="dark") as tab:
        tab.goto("/sign-in")
        tab.page.get_by_label("Email address").fill("ann@example.org")
        assert tab.axe() == []

A tab that saw an error on the console, a script error, a breach of the content security policy or
a part that did not load fails the test when it is closed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

Scheme = Literal["light", "dark"]

PHONE, DESK = 390, 1280  # the two widths that pages are designed for, in CSS pixels
HEIGHT = 900
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Told of the document when a form is answered with 4xx on purpose; parts are watched by `_watch`.
ANSWERED = "Failed to load resource: the server responded with a status of"
RUN_AXE = "() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
LOOK_OUT = """addEventListener('securitypolicyviolation', event => console.error(
    `CSP refused ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile || ''}`))"""
TOO_WIDE = """wanted => [...document.querySelectorAll('body *')]
    .filter(node => node.getBoundingClientRect().right > wanted + 1 && !node.closest('.vh'))
    .map(node => node.outerHTML.slice(0, 120))"""


def executable() -> str | None:
    """Where Chromium is; None when it is not installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def missing() -> str | None:
    """Why no browser can be started on this machine; None when one can."""
    if not executable():
        return "Chromium is not installed (Debian: apt-get install chromium)"
    node, _script = compute_driver_executable()
    tried = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return f"Playwright's driver does not start: {tried.stderr}" if tried.returncode else None


class Tab:
    """One window with cookies of its own; `page` is Playwright's."""

    def __init__(self, page: Page, site: str, width: int) -> None:
        self.page, self.site, self.width = page, site, width
        self.troubles: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.troubles.append(f"Script error: {error}"))
        page.on("response", self._watch)

    def goto(self, path: str) -> int:
        """Opens an address of the site.  -> the status of the answer."""
        answer = self.page.goto(path if path.startswith("http") else self.site + path)
        return answer.status if answer else 0

    @property
    def path(self) -> str:
        """Where the tab is: path and query."""
        return self.page.url.removeprefix(self.site)

    def axe(self) -> list[str]:
        """What axe-core finds wrong with the page as it stands, one line each.

        The rules are put in by the developer tools, so that the page's policy stays as it is.
        """
        if not self.page.evaluate("() => 'axe' in window"):
            session = self.page.context.new_cdp_session(self.page)
            session.send("Runtime.evaluate", {"expression": AXE_SCRIPT})
            session.detach()
        return [line for found in self.page.evaluate(RUN_AXE) for line in _lines(found)]

    def sideways(self, width: int | None = None) -> list[str]:
        """What sticks out to the right of the window, measured against the width that was set."""
        if width:
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            self.width = width
        scrolls = self.page.evaluate("() => document.documentElement.scrollWidth")
        if scrolls <= self.width:
            return []
        wide = self.page.evaluate(TOO_WIDE, self.width)
        return [f"{scrolls} px wide instead of {self.width}", *wide]

    def focused(self) -> str:
        """What has the keyboard: an id, else the words on it."""
        return str(
            self.page.evaluate(
                "() => document.activeElement.id || document.activeElement.innerText || "
                "document.activeElement.tagName"
            )
        )

    def picture(self, file: Path) -> None:
        """Writes the whole page to a PNG."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file, full_page=True, animations="disabled")

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(ANSWERED):
            self.troubles.append(f"Console: {message.text}")

    def _watch(self, answer: Response) -> None:
        if answer.status >= 400 and answer.request.resource_type != "document":
            self.troubles.append(f"{answer.status} for {answer.url}")


class Chromium:
    """A running browser that opens tabs, each with a fresh profile."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    @contextmanager
    def open(
        self,
        site: str,
        *,
        width: int = DESK,
        scheme: Scheme = "light",
        script: bool = True,
        **more: Any,
    ) -> Iterator[Tab]:
        """A tab on `site`, closed afterwards; `more` goes to Playwright's `new_context`.

        Raises AssertionError at the end when the tab saw trouble.
        """
        context = self.browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme=scheme,
            java_script_enabled=script,
            locale="en-GB",
            **more,
        )
        context.set_default_timeout(15_000)
        context.add_init_script(LOOK_OUT)
        tab = Tab(context.new_page(), site, width)
        try:
            yield tab
        finally:
            context.close()
        assert not tab.troubles, "\n".join(tab.troubles)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Starts the browser, once for many tabs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        try:
            yield Chromium(browser)
        finally:
            browser.close()


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for node in found["nodes"]:
        yield f"{found['id']} ({found['impact']}): {found['help']}: {node['html'][:160]}"
