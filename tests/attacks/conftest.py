"""What attackers have: eyes for small differences, several networks, a look at the database."""

import re
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import Select, Table, select

from portal.accounts import people
from portal.accounts.service import standing
from portal.core.audit import OPERATOR
from portal.core.db import db
from tests.conftest import open_account
from tests.rigs.visitor import Page, Visitor

SAME_BUT_FOR = {"Date", "Set-Cookie"}
TOKEN = re.compile(r'(name="csrf_token" value=")[^"]+')
KINDS = {
    "known": "ann@example.org",
    "unproven": "new@example.org",
    "blocked": "bad@example.org",
    "unknown": "who@example.org",
}


def dump(app: Flask) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table; that a sign-in was used a moment ago is no change."""
    with app.app_context():
        return {
            table.name: [tuple(row) for row in db.session.execute(_without_clock(table))]
            for table in db.metadata.sorted_tables
        }


def _without_clock(table: Table) -> Select[tuple[object, ...]]:
    return select(*[column for column in table.columns if column.name != "seen_at"])


def png(side: int = 256) -> bytes:
    """A picture that is taken."""
    file = BytesIO()
    Image.new("RGB", (side, side), "teal").save(file, "PNG")
    return file.getvalue()


def block(app: Flask, email: str) -> None:
    """As the operator does."""
    with app.app_context():
        person = people.find(email)
        assert person is not None
        standing.block(person, None, OPERATOR)


def seen(page: Page, address: str) -> dict[str, object]:
    """All that a stranger learns from an answer; tokens and the own typing left out."""
    headers = sorted((k, v) for k, v in page.headers if k not in SAME_BUT_FOR)
    cookies = sorted(_cookie(each) for each in page.headers.getlist("Set-Cookie"))
    body = TOKEN.sub(r"\1", page.body.decode()).replace(address, "ADDRESS")
    return {"status": page.status, "headers": headers, "cookies": cookies, "body": body}


def _cookie(line: str) -> tuple[str, str]:
    name, _, rest = line.partition("=")
    return name, rest.partition(";")[2]


class Strangers:
    """Browsers that do the same thing at the same moment, each for an address of another kind."""

    def __init__(self, app: Flask, kinds: tuple[str, ...] = tuple(KINDS)) -> None:
        self.browsers = {
            kind: Visitor(app, address=f"203.0.{number}.7") for number, kind in enumerate(kinds)
        }

    def do(self, what: Callable[[Visitor, str], Page]) -> Page:
        """Does it in every browser; all have to see the same.  -> what they saw."""
        pages = {kind: what(each, KINDS[kind]) for kind, each in self.browsers.items()}
        views = {kind: seen(page, KINDS[kind]) for kind, page in pages.items()}
        for kind, view in views.items():
            for part, value in view.items():
                assert value == views["unknown"][part], f"{kind} differs from unknown in {part}"
        return pages["unknown"]

    def open(self, path: str) -> Page:
        """All open a page."""
        return self.do(lambda browser, _address: browser.get(path))

    def send(self, action: str, **fields: str) -> Page:
        """All press a button; `{}` in what they type stands for their address."""
        return self.do(
            lambda browser, address: browser.submit(
                action, **{name: value.format(address) for name, value in fields.items()}
            )
        )

    def follow(self) -> Page:
        """All go where they were sent."""
        return self.do(lambda browser, _address: browser.follow())


@pytest.fixture
def strangers(app, time, post, sign_up) -> Strangers:
    """Four browsers and their addresses: somebody's, unproven, blocked, and nobody's."""
    sign_up(KINDS["known"], "Ann Miller")
    sign_up(KINDS["blocked"], "Bad Luck")
    block(app, KINDS["blocked"])
    open_account(Visitor(app, address="192.0.2.10"), KINDS["unproven"], "New Comer")
    post.deliver()
    time.pass_(days=2)
    return Strangers(app)
