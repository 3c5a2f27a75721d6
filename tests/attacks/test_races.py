"""Many at the same moment, from two processes on one database: no try too many, no use twice."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.codes.models import Otp
from portal.core.audit import By
from portal.core.db import db
from portal.core.errors import TooSoon
from portal.recovery import service
from tests.conftest import Post, ask, open_account
from tests.rigs.visitor import Visitor

ROOT = Path(__file__).parents[2]
GUESSERS = """
import json, sys, threading, time
from portal import create_app
from portal.core.audit import By
from portal.core.errors import PortalError
from portal.recovery import service

job = json.load(sys.stdin)
app, answers = create_app(job["settings"]), []

def guess(code):
    with app.app_context(), app.test_request_context():
        while time.time() < job["at"]:
            time.sleep(0.001)
        try:
            answers.append("grant" if service.confirm_code(job["flow"], code, By()) else "?")
        except PortalError as refused:
            answers.append(type(refused).__name__)
        except Exception as broken:
            answers.append("defect " + repr(broken))

crowd = [threading.Thread(target=guess, args=[code]) for code in job["codes"]]
[each.start() for each in crowd]
[each.join() for each in crowd]
print(json.dumps(answers))
"""


@pytest.fixture
def asked(app):
    """Somebody has asked and been written to.  -> the flow's id and the code."""
    post, owner = Post(app), Visitor(app, address="192.0.2.9")
    open_account(owner, "ann@example.org")
    owner.follow()
    owner.submit("/sign-up/code", code=post.newest().code)
    browser = Visitor(app)
    ask(browser, "ann@example.org")
    with browser.client.session_transaction(base_url=browser.site) as kept:
        return kept["recovery"], post.newest().code


def crowds(settings, flow, *lists):
    """Each list of codes is tried by a process of its own, all at one moment.  -> the answers."""
    at = time.time() + 1.8  # noqa: TID251 - processes meet at a moment of the real clock
    job = {"settings": settings, "flow": flow, "at": at}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", GUESSERS],
            cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in lists
    ]  # fmt: skip
    for each, codes in zip(started, lists, strict=True):
        each.stdin.write(json.dumps(job | {"codes": codes}))
        each.stdin.close()
        each.stdin = None
    answers = []
    for each in started:
        out, trouble = each.communicate(timeout=60)
        assert each.returncode == 0, trouble
        answers += json.loads(out)
    return answers


def codes_of(app):
    with app.app_context():
        rows = db.session.scalars(select(Otp).where(Otp.purpose == "password_reset")).all()
        return [(row.attempts, row.consumed_at is not None) for row in rows]


def test_otp_01_of_a_hundred_guesses_at_once_five_are_looked_at(app, shared_settings, asked):
    flow, code = asked
    wrong = [f"{(int(code) + 1 + step) % 1_000_000:06d}" for step in range(100)]
    answers = crowds(shared_settings, flow, wrong[:50], wrong[50:])
    assert len(answers) == 100
    assert answers.count("Rejected") == 5
    assert answers.count("TooSoon") == 95
    assert codes_of(app) == [(5, False)]
    with app.app_context(), app.test_request_context(), pytest.raises(TooSoon):
        service.confirm_code(flow, code, By())


def test_otp_02_forty_times_the_right_code_at_once_is_one_success(app, shared_settings, asked):
    flow, code = asked
    answers = crowds(shared_settings, flow, [code] * 20, [code] * 20)
    assert len(answers) == 40
    assert answers.count("grant") == 1
    assert not [each for each in answers if each.startswith("defect")]
    assert codes_of(app)[0][1]
