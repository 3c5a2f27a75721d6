"""Sums agree with what happened, whoever writes at the same moment."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from portal.core import audit, chain, tally
from portal.core.db import before_commit, db, transaction
from portal.core.tally import Tally
from tests.conftest import Post, ask, open_account
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


# Of the code's life: it has to last whatever else the machine does.
OWN = {"THROTTLES": "off", "CODE_LIFETIME_SECONDS": "600"}


@pytest.fixture
def settings(shared_settings):
    return shared_settings | OWN


@pytest.fixture
def app(make_app):
    return make_app(**OWN)


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


def test_who_only_counts_and_who_records_never_wait_for_each_other_in_a_circle(app):
    """Some count alone, some have an event chained, some notice late that there is one."""

    def do(number):
        with app.app_context(), transaction():
            audit.count("second" if number % 2 else "first", "part")
            if number % 3 == 0:
                audit.record("first", None, audit.OPERATOR, parts=["part"])
            if number % 3 == 1:
                before_commit(lambda: audit.record("second", None, audit.OPERATOR))
            audit.count("first" if number % 2 else "second")

    with ThreadPoolExecutor(8) as hands:
        list(hands.map(do, range(240)))
    told = rows(app, "SELECT name, part, count FROM tally ORDER BY name, part")
    firsts = [("first", "", 320), ("first", "part", 200)]
    assert told == [*firsts, ("second", "", 320), ("second", "part", 120)]
    with app.app_context():
        assert (chain.verify().count, chain.verify().findings) == (160, [])


def test_very_many_parts_of_a_day_are_counted_as_one(app, monkeypatch):
    monkeypatch.setattr(tally, "MOST_PARTS", 4)
    day = date(2026, 11, 21)
    with app.app_context():
        for number in (1, 2, 3, 4, 5, 2):
            with transaction():
                tally.add([("asked", day, (f"{number}.example",))])
        with transaction():
            tally.add([("asked", day + timedelta(days=1), ("5.example",))])
        mine = select(Tally.part, Tally.count).where(Tally.name == "asked", Tally.day == day)
        found = {part: count for part, count in db.session.execute(mine)}  # noqa: C416 - rows
    each = {"1.example": 1, "2.example": 2, "3.example": 1}
    assert found == {"": 6, **each, tally.OTHER: 2}
