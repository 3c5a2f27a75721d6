"""What attackers have: eyes for small differences, several networks, a look at the database."""

import re
from collections.abc import Callable, Mapping
from io import BytesIO

import pytest
from flask import Flask
from flask_migrate import upgrade
from PIL import Image
from sqlalchemy import Select, Table, func, select
from sqlalchemy.orm import Session

from portal import create_app
from portal.accounts import people
from portal.accounts.service import standing
from portal.core.audit import OPERATOR
from portal.core.db import db, transaction
from tests.conftest import PASSWORD, SETTINGS, Account, Post, open_account
from tests.rigs.visitor import Page, Visitor

Rows = dict[str, list[dict[str, object]]]
SAME_BUT_FOR = {"Date", "Set-Cookie", "X-Request-ID"}
TOKEN = re.compile(r'(name="csrf_token" value=")[^"]+')
KINDS = {
    "known": "ann@example.org",
    "unproven": "new@example.org",
    "blocked": "bad@example.org",
    "unknown": "who@example.org",
}


def dump(app: Flask) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the sums; that a sign-in was used a moment ago is no change."""
    with app.app_context():
        return {
            table.name: [tuple(row) for row in db.session.execute(_without_clock(table))]
            for table in db.metadata.sorted_tables
            if table.name != "tally"
        }


def _without_clock(table: Table) -> Select[tuple[object, ...]]:
    told = [column for column in table.columns if column.name != "seen_at"]
    return select(*told).order_by(*table.primary_key)


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

    def __init__(
        self,
        app: Flask,
        kinds: tuple[str, ...] = tuple(KINDS),
        addresses: Mapping[str, str] = KINDS,
    ) -> None:
        self.addresses = addresses
        self.browsers = {
            kind: Visitor(app, address=f"203.0.{number}.7") for number, kind in enumerate(kinds)
        }

    def do(self, what: Callable[[Visitor, str], Page]) -> Page:
        """Does it in every browser; all have to see the same.  -> what they saw."""
        pages = {kind: what(each, self.addresses[kind]) for kind, each in self.browsers.items()}
        views = {kind: seen(page, self.addresses[kind]) for kind, page in pages.items()}
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


@pytest.fixture(scope="session")
def crowd(tmp_path_factory) -> Rows:
    """What the database holds once Ann, Bad Luck and New Comer came in through the doors."""
    file = tmp_path_factory.mktemp("crowd") / "crowd.db"
    app = create_app(SETTINGS | {"DATABASE_URL": f"sqlite:///{file}"})
    with app.app_context():
        upgrade()
    for email, name in ((KINDS["known"], "Ann Miller"), (KINDS["blocked"], "Bad Luck")):
        browser = Visitor(app, address="192.0.2.9")
        open_account(browser, email, name)
        browser.follow()
        browser.submit("/sign-up/code", code=Post(app).newest(email).code)
    block(app, KINDS["blocked"])
    open_account(Visitor(app, address="192.0.2.10"), KINDS["unproven"], "New Comer")
    Post(app).deliver()
    with app.app_context():
        tables = db.metadata.sorted_tables
        return {
            t.name: [dict(row._mapping) for row in db.session.execute(t.select())] for t in tables
        }


def bring_in(app: Flask, rows: Rows) -> None:
    """Into an empty database, in place of what the migrations put there."""
    with app.app_context(), transaction() as session:
        for table in db.metadata.sorted_tables:
            if rows.get(table.name):
                session.execute(table.delete())
                session.execute(table.insert(), rows[table.name])
                go_on_counting(session, table)


def go_on_counting(session: Session, table: Table) -> None:
    """PostgreSQL counts by itself, and does not look which numbers were given by hand."""
    if (
        db.engine.dialect.name == "postgresql"
        and table.autoincrement_column is not None
        and table.name != "event_head"
    ):
        highest = select(func.max(table.autoincrement_column)).scalar_subquery()
        session.execute(select(func.setval(f"{table.name}_id_seq", highest)))


@pytest.fixture
def ann(app, crowd) -> Account:
    """Somebody with a proven address, who has been away for a while."""
    bring_in(app, {"person": [row for row in crowd["person"] if row["email"] == KINDS["known"]]})
    return Account(KINDS["known"], PASSWORD, "Ann Miller")


@pytest.fixture
def strangers(app, time, crowd) -> Strangers:
    """Four browsers and their addresses: somebody's, unproven, blocked, and nobody's."""
    bring_in(app, crowd)
    time.pass_(days=2)
    return Strangers(app)
