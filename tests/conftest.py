"""The portal as every test meets it: real, migrated, alone, its clock in our hands."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from re import findall, search
from typing import Any

import itsdangerous.timed
import pytest
from flask import Flask
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

from portal import create_app
from portal.accounts import people
from portal.accounts.service import staffing
from portal.core import clock, keyring
from portal.core.audit import OPERATOR
from portal.core.db import db
from portal.delivery import service as delivery
from tests.rigs import authenticator, databases
from tests.rigs.applications import Applications
from tests.rigs.authenticator import Factor
from tests.rigs.databases import Database
from tests.rigs.memory import Memory, told
from tests.rigs.visitor import Memento, Page, Visitor

pytest_plugins = ["tests.rigs.fixtures"]
LONG = "endurance", "journey", "long"
ONCE = os.environ.get("TEST_ONCE")  # what meets a database of any kind, with its first parameters
OF_KIND = {"database", "empty_url"}  # fixtures of the kind that TEST_DATABASE names
PASSWORD = "copper lantern tuesday"
OTHER_PASSWORD = "wooden planet friday"
CODE = r"(?<!\d)\d{6}(?!\d)"
ALERT = r"^(New sign-in|Someone is trying to sign in) to your "
KEYS = Path(tempfile.mkdtemp(prefix="latchkey-tests-")) / "signing-keys.json"
keyring.make(KEYS)
SETTINGS = {
    "SIGNING_KEYS_FILE": str(KEYS),
    "SECRET_KEY": "a test's own key, 0123456789abcdef",
    "PASSWORD_PEPPER": "a test's own pepper, fedcba9876543210",
    "DATA_KEY": "a test's own data key, 02468ace13579bdf",
    "EMAIL_BACKEND": "mailbox",
    "BCRYPT_COST": "4",
    "HELP_PHONE": "0800 000 000",
}


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(tmp_path_factory):
    """Every test has an application of its own; their templates are not compiled each time."""
    cache = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    before, Flask.jinja_options = Flask.jinja_options, {"bytecode_cache": cache}
    yield
    Flask.jinja_options = before


@pytest.fixture(scope="session", autouse=True)
def compiled_rules():
    """Nor are their URL rules: what Werkzeug makes of one is the same for all applications."""
    made, compile_ = {}, Rule._compile_builder

    def once(rule: Rule, append_unknown: bool = True) -> Any:
        key = rule.rule, str(rule._trace), str(rule.defaults), append_unknown
        if key not in made:
            made[key] = compile_(rule, append_unknown)
        return made[key]

    Rule._compile_builder = once
    yield
    Rule._compile_builder = compile_


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is loaded to find the tests is no garbage: nobody looks through it, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes minutes starts first, so that no worker is left alone with it in the end."""
    if ONCE:
        first = {_function(item): item for item in reversed(items) if _needs(item) & OF_KIND}
        kept = set(first.values())
        config.hook.pytest_deselected(items=[each for each in items if each not in kept])
        items[:] = [each for each in items if each in kept]
    items.sort(key=lambda item: not any(map(item.get_closest_marker, LONG)))


def _function(item: pytest.Item) -> str:
    """The name of a test, without its parameters."""
    return item.nodeid.partition("[")[0]


def _needs(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def database(request, tmp_path_factory) -> Iterator[Database]:
    """This worker's database, of the kind that TEST_DATABASE names."""
    with databases.of_kind(request, tmp_path_factory.mktemp("database")) as made:
        app = create_app(SETTINGS | {"DATABASE_URL": made.url})
        with app.app_context():
            upgrade()
            db.engine.dispose()
        made.keep(())
        yield made


@pytest.fixture(scope="session")
def memory(database) -> Memory:
    return Memory(database)


@pytest.fixture(scope="session")
def applications(database, memory, tmp_path_factory) -> Applications:
    uploads = str(tmp_path_factory.mktemp("uploads"))
    own = {"DATABASE_URL": database.url, "UPLOAD_FOLDER": uploads}
    return Applications(SETTINGS | own, memory)


@pytest.fixture
def make_app(applications):
    """make_app(CODE_LIFETIME_SECONDS="60") -> an application on a database of this test alone.

    It may have served earlier tests, of which nothing is left; asked twice, this makes two.
    """
    applications.restart()
    yield applications.lend
    applications.take_back()


@pytest.fixture
def shared_settings(make_app, applications) -> dict[str, str]:
    """Settings by which another process works on the database of `make_app`'s applications."""
    return dict(applications.settings)


@pytest.fixture
def app(make_app) -> Flask:
    return make_app()


@pytest.fixture
def visitor(app) -> Visitor:
    """A browser that nobody has used yet."""
    return Visitor(app)


@dataclass(frozen=True)
class Mail:
    """A message that arrived."""

    to: str
    subject: str
    text: str
    html: str

    @property
    def code(self) -> str:
        found = findall(CODE, self.text)
        assert len(found) == 1, f"No code in {self.subject!r}."
        return found[0]

    @property
    def has_code(self) -> bool:
        return search(CODE, self.text) is not None

    @property
    def link(self) -> str:
        """The path of the link that does something."""
        return self._path(r"/\S+/link/\S+")

    @property
    def not_you(self) -> str:
        """The path of the link for those who it was not."""
        return self._path(r"/recover/not-you/\S+")

    @property
    def confirm_email(self) -> str:
        """The path of the link that makes this address the account's."""
        return self._path(r"/recover/email/\S+")

    @property
    def keep_email(self) -> str:
        """The path of the link that stops a change of address."""
        return self._path(r"/recover/keep-email/\S+")

    @property
    def is_alert(self) -> bool:
        return search(ALERT, self.subject) is not None

    def _path(self, pattern: str) -> str:
        found = search(rf"^https?://[^/]+({pattern})$", self.text, flags=8)
        assert found, f"No such link in {self.subject!r}."
        return found[1]


class Post:
    """The worker and the mailbox of one application."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def deliver(self) -> list[Mail]:
        """Sends what is due.  -> all messages so far, newest first."""
        with self.app.app_context():
            delivery.deliver_due()
        caught = self.app.test_client().get("/dev/mailbox.json").json
        return [Mail(each["to"], each["subject"], each["text"], each["html"]) for each in caught]

    def newest(self, to: str | None = None) -> Mail:
        """Sends what is due.  -> the newest message, to this address if one is given.

        Alerts are left out: they follow a sign-in or a mistake, whatever a story is about.
        """
        found = [mail for mail in self.deliver() if to in (None, mail.to) and not mail.is_alert]
        assert found, f"No mail for {to}."
        return found[0]

    def with_code(self, to: str) -> Mail:
        """Sends what is due.  -> the newest message with a code to this address."""
        found = [mail for mail in self.deliver() if mail.to == to and mail.has_code]
        assert found, f"No code for {to}."
        return found[0]

    def alerts(self, to: str | None = None) -> list[Mail]:
        """Sends what is due.  -> the alerts so far, newest first."""
        return [mail for mail in self.deliver() if to in (None, mail.to) and mail.is_alert]


@pytest.fixture
def post(app) -> Post:
    return Post(app)


class Time:
    """The portal's clock, stopped; it moves when a test says so."""

    def __init__(self) -> None:
        self.at = clock.now()

    def pass_(self, **span: float) -> None:
        self.at += timedelta(**span)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def time(monkeypatch) -> Time:
    moved = Time()
    monkeypatch.setattr(clock, "now", moved.now)
    stamp = lambda _self: int(moved.at.timestamp())  # noqa: E731
    monkeypatch.setattr(itsdangerous.timed.TimestampSigner, "get_timestamp", stamp)
    return moved


@dataclass
class Account:
    """Somebody with a proven address, signed in nowhere."""

    email: str
    password: str
    full_name: str


@pytest.fixture
def sign_up(app):
    """sign_up("ann@example.org") -> an account, made through the doors."""

    def make(email: str = "ann@example.org", full_name: str = "Ann Miller") -> Account:
        return new_account(app, email, full_name)

    return make


def new_account(app: Flask, email: str, full_name: str) -> Account:
    """Somebody who signed up from elsewhere, through the doors, and left."""

    def tell() -> Account:
        browser = Visitor(app, address="192.0.2.9")
        open_account(browser, email, full_name)
        browser.follow()
        code = Post(app).newest(email).code
        assert browser.submit("/sign-up/code", code=code).location == "/profile"
        browser.get("/profile")
        browser.submit("/sign-out")
        return Account(email, PASSWORD, full_name)

    return told(app, ("signed up", email, full_name), tell)


def open_account(browser: Visitor, email: str, full_name: str = "Ann Miller") -> Page:
    """Fills in the sign-up page."""
    browser.get("/sign-up")
    wish = {"full_name": full_name, "email": email}
    return browser.submit("/sign-up", **wish, password=PASSWORD, confirm_password=PASSWORD)


def sign_in(browser: Visitor, email: str, password: str = PASSWORD, **more: object) -> Page:
    """Fills in the sign-in page."""
    browser.get("/sign-in")
    return browser.submit("/sign-in", email=email, password=password, **more)


def ask(browser: Visitor, email: str) -> Page:
    """Asks to get back in."""
    browser.get("/recover")
    return browser.submit("/recover", identifier=email)


@pytest.fixture
def ann(sign_up) -> Account:
    return sign_up()


@pytest.fixture
def agent(app, sign_up) -> Callable[..., Visitor]:
    """agent("support") -> a browser in which staff of this role is signed in.

    What their app has is `.factor`, their address `.email`.
    """

    def make(role: str = "support", email: str = "", full_name: str = "") -> Visitor:
        address, name = email or f"{role}@example.org", full_name or f"Ruth {role.title()}"
        browser = Visitor(app, address="192.0.2.20")

        def tell() -> tuple[Memento, Factor]:
            sign_up(address, name)
            with app.app_context():
                person = people.find(address)
                assert person is not None
                staffing.change_role(person, role, None, OPERATOR)
            assert sign_in(browser, address).location == "/profile"
            factor = authenticator.set_up(browser)
            return browser.memento(), factor

        seen, factor = told(app, ("agent", role, address, name), tell)
        browser.recall(seen)
        browser.factor, browser.email = factor, address
        return browser

    return make


@pytest.fixture
def inside(app, ann) -> Visitor:
    """Ann's browser, signed in."""
    browser = Visitor(app)

    def tell() -> Memento:
        assert sign_in(browser, ann.email).location == "/profile"
        return browser.memento()

    browser.recall(told(app, ("signed in", ann.email), tell))
    return browser
