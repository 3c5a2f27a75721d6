"""Sums agree with what happened, whoever writes at the same moment."""

import json
import subprocess
import sys

import pytest
from flask_migrate import upgrade
from sqlalchemy import text

from portal import create_app
from portal.core.db import db
from tests.conftest import SETTINGS, Post, ask, open_account
from tests.rigs.visitor import Visitor

ANN = "ann@example.org"
TIMES = 15
# Each process asks for Ann and for nobody, and guesses wrongly at a code that both know of.
CALLER = """
import json, sys
from portal import create_app
from portal.codes import terms
from portal.core.audit import By
from portal.core.errors import PortalError
from portal.recovery import service
from portal.recovery.service import links

job = json.load(sys.stdin)
app = create_app(job["settings"])
with app.app_context(), app.test_request_context():
    for number in range(job["times"]):
        for address in ("ann@example.org", f"{job['name']}{number}@example.org"):
            service.start(address, None, terms.page(links.PATH), By())
        try:
            service.confirm_code(job["flow"], "%06d" % number, By())
        except PortalError:
            pass
"""


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'tally.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    own = {"DATABASE_URL": url, "UPLOAD_FOLDER": str(tmp_path / "uploads"), "THROTTLES": "off"}
    return SETTINGS | own | {"CODE_LIFETIME_SECONDS": "600"}  # whatever else the machine does


@pytest.fixture
def app(settings):
    app = create_app(settings)
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


def rows(app, statement):
    with app.app_context():
        return [tuple(row) for row in db.session.execute(text(statement))]


def flow(app):
    """-> the id of a recovery that Ann asked for, its message sent."""
    owner = Visitor(app)
    open_account(owner, ANN)
    owner.follow()
    owner.submit("/sign-up/code", code=Post(app).newest().code)
    browser = Visitor(app)
    ask(browser, ANN)
    Post(app).deliver()
    with browser.client.session_transaction(base_url=browser.site) as kept:
        return kept["recovery"]


def test_two_processes_that_count_at_once_lose_nothing(app, settings):
    job = {"settings": settings, "flow": flow(app), "times": TIMES}
    order = [sys.executable, "-W", "ignore", "-c", CALLER]
    pipe = {"text": True, "stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    both = [subprocess.Popen(order, **pipe) for _each in range(2)]
    for name, each in zip(("one", "two"), both, strict=True):
        each.stdin.write(json.dumps(job | {"name": name}))
        each.stdin.close()
        each.stdin = None
    for each in both:
        _out, trouble = each.communicate(timeout=120)
        assert each.returncode == 0, trouble
    kinds = "SELECT kind, date(at), count(*) FROM event GROUP BY kind, date(at)"
    sums = "SELECT name, day, count FROM tally WHERE part = '' AND name IN (SELECT kind FROM event)"
    told = [{(name, str(day)): count for name, day, count in rows(app, q)} for q in (kinds, sums)]
    assert told[0] == told[1]
    parts = dict(rows(app, "SELECT part, count FROM tally WHERE name = 'recovery:asked'"))
    assert parts == {"": 4 * TIMES + 1, "email": 2 * TIMES + 1, "nobody": 2 * TIMES}
    refused = rows(
        app, "SELECT count FROM tally WHERE name = 'recovery:code-refused' AND part = ''"
    )
    assert refused == [(5,)]  # the tries that a code has; further ones are not judged
    opened = rows(app, "SELECT part, count FROM tally WHERE name = 'recovery:opened'")
    assert sorted(opened) == [("", 1), ("email", 1)]
