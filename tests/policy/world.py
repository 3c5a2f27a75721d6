"""An application with people in it: the steps that stories share, all through the doors.

world = World(make_app(CODE_LIFETIME_SECONDS="60"))
ann = world.account()
browser, mail = world.asked(ann.email)
"""

from collections.abc import Iterator
from contextlib import contextmanager

from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy import text

from portal.core.db import db
from tests.conftest import PASSWORD, Account, Mail, Post, ask, new_account, sign_in
from tests.rigs.visitor import Page, Visitor

ANN = "ann@example.org"
NUMBER, OTHER_NUMBER = "+447400218305", "+447400654321"
PHONE, EMAIL = "/security/phone", "/security/email"
ELSEWHERE = "203.0.113.5"  # another network than visitors come from otherwise


class World:
    """One application, its worker and its mailbox."""

    def __init__(self, app: Flask) -> None:
        self.app, self.post = app, Post(app)

    def visitor(self, **more: str) -> Visitor:
        """A browser that nobody has used yet."""
        return Visitor(self.app, **more)

    def account(self, email: str = ANN, full_name: str = "Ann Miller") -> Account:
        """Somebody who signed up from elsewhere, with a proven address, signed in nowhere."""
        return new_account(self.app, email, full_name)

    def inside(self, email: str = ANN, password: str = PASSWORD, **more: object) -> Visitor:
        """A browser in which this person is signed in."""
        browser = self.visitor()
        assert sign_in(browser, email, password, **more).location == "/profile"
        return browser

    def asked(self, email: str = ANN, **more: str) -> tuple[Visitor, Mail]:
        """A browser that asked to get back in, and the message that was sent."""
        browser = self.visitor(**more)
        assert ask(browser, email).location == "/recover/code"
        return browser, self.post.with_code(email)

    def add_phone(self, browser: Visitor, number: str = NUMBER) -> Page:
        """Adds a number in a browser that is signed in.  -> the answer to its code."""
        browser.get(PHONE)
        assert browser.submit(PHONE, phone=number).location == f"{PHONE}/code"
        return type_code(browser, self.post.newest(number).code, f"{PHONE}/code")

    def wish_for(self, browser: Visitor, email: str) -> tuple[Mail, Mail]:
        """Asks for another address in a browser that is signed in.

        -> the messages to the old and to the new one.
        """
        browser.get(EMAIL)
        assert browser.submit(EMAIL, email=email).location == EMAIL
        mails = self.post.deliver()
        old = next(mail for mail in mails if mail.subject.endswith("is being changed"))
        new = next(mail for mail in mails if mail.subject.startswith("Confirm your new"))
        return old, new

    def change_password(self, browser: Visitor, old: str, new: str) -> Page:
        """Fills in the password page."""
        browser.get("/security/password")
        typed = {"old_password": old, "password": new, "confirm_password": new}
        return browser.submit("/security/password", **typed)

    def command(self, *words: str) -> Result:
        """`flask --app wsgi <words>`, as the operator types it."""
        flask = FlaskGroup(create_app=lambda: self.app, load_dotenv=False, set_debug_flag=False)
        return CliRunner().invoke(flask, words)

    def rows(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """What the database holds, where no page tells it."""
        with self.app.app_context():
            return [tuple(row) for row in db.session.execute(text(statement), values)]

    def channels(self) -> list[object]:
        """By which way each message that was ever asked for leaves."""
        return [channel for (channel,) in self.rows("SELECT channel FROM outbox ORDER BY id")]

    def write(self, statement: str, **values: object) -> None:
        """What no door does yet: a role, a broken row."""
        with self.app.app_context():
            db.session.execute(text(statement), values)
            db.session.commit()

    @contextmanager
    def context(self) -> Iterator[None]:
        """For the doors of programs, which are not there yet: stories are told directly."""
        with self.app.test_request_context("/"):
            yield


def type_code(browser: Visitor, code: str, path: str = "/recover/code") -> Page:
    """Opens the page of the code and types one."""
    browser.get(path)
    return browser.submit(path, code=code)


def wrong(code: str, step: int = 1) -> str:
    """Another code than this one."""
    return f"{(int(code) + step) % 1_000_000:06d}"


def choose(browser: Visitor, password: str) -> Page:
    """Fills in the page of the new password that was reached by code or link."""
    browser.get("/auth/password-reset")
    both = {"password": password, "confirm_password": password}
    return browser.submit("/auth/password-reset", **both)


def cookie(page: Page, name: str) -> str:
    """The Set-Cookie line of an answer; "" when it sets no such cookie."""
    lines = page.headers.getlist("Set-Cookie")
    return next((line for line in lines if line.startswith(f"{name}=")), "")
