"""A browser without script over a real socket: keeps cookies, sends forms, tells how long it took.

sana = Caller(portal.url)
sana.open("/recover")
assert sana.send("/recover", identifier="sana@example.org").location == "/recover/code"
"""

from __future__ import annotations

import http.client
import json
import re
import time
from contextlib import closing
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
PATIENCE = 30.0
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def location(self) -> str | None:
        """Where a redirect leads."""
        return self.headers.get("Location")


class Caller:
    """One browser; a line a request.  Raises OSError when nobody answers."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self.url, self.token = url, ""
        self._cookies: dict[str, str] = {}
        self._patience = patience

    def open(self, path: str) -> Answer:
        """Fetches a page; the token of its forms is kept for `send`."""
        answer = self._ask("GET", path, None)
        if found := TOKEN.search(answer.text):
            self.token = found[1]
        return answer

    def send(self, path: str, **fields: str) -> Answer:
        """Sends a form as the page last opened would."""
        return self._ask("POST", path, urlencode({"csrf_token": self.token, **fields}))

    @property
    def cookies(self) -> str:
        """What this browser sends along (RFC 6265, 4.2.1)."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def _ask(self, method: str, path: str, body: str | None) -> Answer:
        headers = {"Origin": self.url, "Content-Type": FORM} if body is not None else {}
        began = time.monotonic()
        where = urlsplit(self.url)
        line = http.client.HTTPConnection(str(where.hostname), where.port, timeout=self._patience)
        with closing(line):
            line.request(method, path, body, {"Cookie": self.cookies, **headers})
            got = line.getresponse()
            data = got.read()
        self._keep(got.headers)
        return Answer(got.status, got.headers, data, time.monotonic() - began)

    def _keep(self, headers: http.client.HTTPMessage) -> None:
        for line in headers.get_all("Set-Cookie") or []:
            self._cookies |= {name: each.value for name, each in SimpleCookie(line).items()}
