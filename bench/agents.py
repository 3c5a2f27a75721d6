"""Somebody of the helpdesk, signed in to a portal that is served or is about to be."""

from pathlib import Path

from flask import Flask

import config
from portal import create_app
from portal.accounts import people
from portal.accounts.service import staffing
from portal.core import keyring
from portal.core.audit import OPERATOR
from tests.conftest import Post, open_account, sign_in
from tests.rigs import authenticator
from tests.rigs.server import Server
from tests.rigs.visitor import Visitor

AGENT = "ruth.lund@example.org"
COOKIE = "latchkey"


def application(portal: Server) -> Flask:
    """The same portal in this process, on the same keys and the same, migrated database."""
    keyring.make(Path(portal.environment["SIGNING_KEYS_FILE"]))
    known = {each.name for each in config.SETTINGS}
    own = {name: value for name, value in portal.environment.items() if name in known and value}
    return create_app(own | {"PUBLIC_URL": portal.url})


def signed_in(app: Flask) -> str:
    """Opens an agent's account, second factor and all.  -> the cookie of the sign-in."""
    browser = Visitor(app)
    open_account(browser, AGENT, "Ruth Lund")
    browser.follow()
    browser.submit("/sign-up/code", code=Post(app).newest(AGENT).code)
    browser.get("/profile")
    browser.submit("/sign-out")
    with app.app_context():
        staffing.change_role(people.find(AGENT), "support", None, OPERATOR)
    sign_in(browser, AGENT)
    authenticator.set_up(browser)
    return f"{COOKIE}={browser.cookie(COOKIE)}"
