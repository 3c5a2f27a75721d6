"""A program that speaks to the served portal over HTTP, as its author would write it.

    ann = somebody(portal)                      # a proven account, made through the API
    program = Program(portal, ann.access)
    assert program.put("/api/v1/profile/bio", {"bio": "Baker."}).status_code == 200

Every answer has to keep the house rules of answers, whichever test asked for it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

import requests

from tests.rigs.server import Letter, Server

SECONDS, PATIENCE = 30, 15
CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
PASSWORD, OTHER_PASSWORD = "copper lantern tuesday", "wooden planet friday"
_numbers = count(1)


class Program:
    """Calls paths of one portal, with an access token if it has one; follows no redirect."""

    def __init__(self, portal: Server, access: str = "", **headers: str) -> None:
        self.portal = portal
        self.headers = headers | ({"Authorization": f"Bearer {access}"} if access else {})

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """`body` goes as JSON; `data`, `files` and `headers` as requests takes them."""
        headers = self.headers | more.pop("headers", {})
        sent = {"json": body} if body is not None else {}
        answer = requests.request(
            method,
            self.portal.url + path,
            headers=headers,
            timeout=SECONDS,
            allow_redirects=False,
            **sent,
            **more,
        )
        check(answer)
        return answer

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("POST", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> requests.Response:
        return self.call("DELETE", path, **more)


def check(answer: requests.Response) -> None:
    """House rules of every answer to a program.  Raises AssertionError."""
    where = f"{answer.request.method} {answer.request.path_url}: {answer.status_code}"
    assert answer.status_code < 500, f"{where} {answer.text}"
    assert "Set-Cookie" not in answer.headers or is_page(answer), f"{where} sets a cookie."
    assert "Cookie" not in answer.headers.get("Vary", "") or is_page(answer), f"{where} reads one."
    assert answer.headers["X-Content-Type-Options"] == "nosniff", where
    if answer.status_code == 401:
        assert answer.json(), where
    if answer.status_code == 429:
        assert int(answer.headers["Retry-After"]) > 0, where


def is_page(answer: requests.Response) -> bool:
    """Whether a person is meant to read it."""
    return answer.headers.get("Content-Type", "").startswith("text/html")


@dataclass(frozen=True)
class Somebody:
    """An account with a proven address, and what a program holds of it."""

    email: str
    password: str
    access: str
    refresh: str


def new_address(name: str = "ann") -> str:
    """An address that nobody has used in this run."""
    return f"{name}.{next(_numbers)}@example.org"


def letter(portal: Server, to: str, count: int = 1) -> Letter:
    """The newest message to this address, once there are `count` of them."""
    return portal.wait_for_mail(to, count)


def with_code(portal: Server, to: str, count: int = 2) -> Letter:
    """The newest message with a code to this address, once there are `count` of them.

    The first was the one that proved the address; notices without a code come in between.
    """
    until = time.monotonic() + PATIENCE
    while True:
        found = [mail for mail in portal.mailbox() if mail.to == to and CODE.search(mail.text)]
        if len(found) >= count:
            return found[0]
        assert time.monotonic() < until, f"{len(found)} of {count} codes to {to} came."
        time.sleep(0.1)


def link_in(mail: Letter, pattern: str) -> str:
    """The path of the message's link that matches.  Raises AssertionError without any."""
    found = [re.sub(r"^https?://[^/]+", "", link) for link in mail.links]
    matching = [path for path in found if re.search(pattern, path)]
    assert matching, f"No link like {pattern} in {mail.subject!r}."
    return matching[0]


def somebody(portal: Server, email: str = "", full_name: str = "Ann Miller") -> Somebody:
    """Registers, proves the address and signs in, through /api/v1."""
    email = email or new_address()
    program = Program(portal)
    wish = {"email": email, "password": PASSWORD, "full_name": full_name}
    assert program.post("/api/v1/auth/register", wish).status_code == 202
    code = letter(portal, email).code
    proof = program.post("/api/v1/auth/verify-email", {"email": email, "code": code})
    assert proof.status_code == 200, proof.text
    return signed_in(portal, email)


def signed_in(portal: Server, email: str, password: str = PASSWORD) -> Somebody:
    """One more sign-in of this account."""
    answer = Program(portal).post("/api/v1/auth/token", {"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    pair = answer.json()
    return Somebody(email, password, pair["access_token"], pair["refresh_token"])
