"""A browser without script on one kept connection: cookies, forms with their hidden fields.

browser = Browser(8000)
browser.open("/sign-in")
browser.send("/sign-in", email="ann@example.org", password="...").status
"""

import html
import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

TAG, ATTRIBUTE = re.compile(r"<input\b[^>]*>"), re.compile(r'(\w+)="([^"]*)"')
PATIENCE = 60
TOKENS = "csrf_token", "csrfmiddlewaretoken"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What came back, after how many seconds, and what it sets."""

    status: int
    location: str
    text: str
    seconds: float


class Browser:
    """Raises OSError or HTTPException when nobody answers."""

    def __init__(self, port: int) -> None:
        self._origin = f"http://127.0.0.1:{port}"
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._cookies: dict[str, str] = {}
        self.token: dict[str, str] = {}  # the last page's, against forgery

    def open(self, path: str) -> Answer:
        """Fetches a page; its token is kept for `send`."""
        answer = self.ask("GET", path, None, {})
        for tag in TAG.findall(answer.text):
            named = dict(ATTRIBUTE.findall(tag))
            if named.get("name") in TOKENS:
                self.token = {named["name"]: html.unescape(named["value"])}
        return answer

    def send(self, path: str, **fields: str) -> Answer:
        """Sends a form of the page last opened."""
        return self.ask("POST", path, self.body(**fields), self.headers())

    def body(self, **fields: str) -> str:
        """What `send` sends."""
        return urlencode(self.token | fields)

    def headers(self) -> dict[str, str]:
        """What a form is sent with."""
        return {"Content-Type": FORM, "Origin": self._origin} | self.cookies()

    def cookies(self) -> dict[str, str]:
        """The header of this browser's cookies."""
        kept = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Cookie": kept} if kept else {}

    def ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        """One request of any kind; leads nowhere by itself."""
        began = time.perf_counter()
        self._line.request(method, path, body, self.cookies() | dict(headers))
        got = self._line.getresponse()
        raw = got.read()
        took = time.perf_counter() - began
        for line in got.headers.get_all("Set-Cookie") or []:
            self._cookies |= {name: each.value for name, each in SimpleCookie(line).items()}
        location = urlsplit(got.headers.get("Location") or "").path
        return Answer(got.status, location, raw.decode(), took)

    def close(self) -> None:
        """Hangs up."""
        self._line.close()
