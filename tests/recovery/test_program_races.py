"""Programs at the same moment, in two processes on one database: no try too many, no use twice."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD
from tests.policy.world import World, wrong

ROOT = Path(__file__).parents[2]
CROWD = """
import json, sys, threading, time
from portal import create_app

job = json.load(sys.stdin)
app, answers = create_app(job["settings"]), []

def call(path, body):
    client = app.test_client()
    while time.time() < job["at"]:
        time.sleep(0.001)
    answers.append([path, client.post(path, json=body).status_code])

crowd = [threading.Thread(target=call, args=each) for each in job["calls"]]
[each.start() for each in crowd]
[each.join() for each in crowd]
print(json.dumps(answers))
"""
AUTH = "/api/v1/auth/"
FORGET, RESET, VALIDATE = (
    AUTH + path for path in ("forget-password", "reset-password", "validate-password-reset")
)


@pytest.fixture
def settings(shared_settings):
    return shared_settings


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def asked(world):
    """-> Ann's address, and the message that a program asked for."""
    ann = world.account()
    assert world.app.test_client().post(FORGET, json={"email": ann.email}).status_code == 200
    return ann.email, world.post.with_code(ann.email)


def at_once(settings, calls):
    """Half of the calls by one process and half by another, all at one moment.  -> the answers."""
    at = time.time() + 2.2  # noqa: TID251 - processes meet at a moment of the real clock
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", CROWD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = []
    for some in calls[::2], calls[1::2]:
        each = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)
        each.stdin.write(json.dumps({"settings": settings, "at": at, "calls": some}))
        each.stdin.close()
        each.stdin = None
        started.append(each)
    answers = []
    for each in started:
        out, trouble = each.communicate(timeout=90)
        assert each.returncode == 0, trouble
        answers += json.loads(out)
    return answers


def passwords(count):
    """All different: that one is refused because it is there already proves nothing."""
    return [f"wooden planet friday {chr(ord('a') + each)}" for each in range(count)]


def opens(world, email, password):
    body = {"email": email, "password": password}
    return world.app.test_client().post(AUTH + "token", json=body).status_code == 200


def codes(world):
    wanted = "SELECT attempts, consumed_at FROM otp WHERE purpose = 'password_reset'"
    return [(attempts, consumed is not None) for attempts, consumed in world.rows(wanted)]


@pytest.mark.parametrize("way", ["code", "link"])
def test_otp_02_of_many_right_resets_at_once_exactly_one_succeeds(settings, world, asked, way):
    email, mail = asked
    proof = {"email": email, "otp": mail.code} if way == "code" else {"token": token(mail)}
    wanted = passwords(10)
    calls = [(RESET, proof | {"new_password": each}) for each in wanted]
    answers = [status for _path, status in at_once(settings, calls)]
    assert len(answers) == 10
    assert answers.count(200) == 1
    assert set(answers) <= {200, 400, 429}
    assert codes(world)[0][1]
    assert [opens(world, email, each) for each in wanted].count(True) == 1


def test_otp_02_code_and_link_at_once_are_one_success(settings, world, asked):
    email, mail = asked
    proofs = [{"email": email, "otp": mail.code}, {"token": token(mail)}]
    wanted = zip(proofs * 4, passwords(8), strict=True)
    calls = [(RESET, proof | {"new_password": each}) for proof, each in wanted]
    answers = [status for _path, status in at_once(settings, calls[:4] + calls[:3:-1])]
    assert answers.count(200) == 1
    assert set(answers) <= {200, 400, 429}


def test_otp_01_of_many_guesses_at_once_three_are_looked_at(settings, world, asked):
    email, mail = asked
    guesses = [
        (RESET, {"email": email, "otp": code, "new_password": OTHER_PASSWORD})
        if step % 4 < 2
        else (VALIDATE, {"email": email, "otp": code})
        for step, code in enumerate(wrong(mail.code, step + 1) for step in range(40))
    ]
    answers = [status for _path, status in at_once(settings, guesses)]
    assert len(answers) == 40
    assert answers.count(400) == 3
    assert answers.count(429) == 37
    assert codes(world) == [(3, False)]
    assert opens(world, email, PASSWORD)


def test_otp_01_looking_at_the_right_code_gives_no_guess_away(settings, world, asked):
    """Tries that are given back meanwhile are those of right codes alone.

    One that found no try left for a moment is told that it is wrong as well, and was not looked at.
    """
    email, mail = asked
    right = (VALIDATE, {"email": email, "otp": mail.code})
    guesses = [(VALIDATE, {"email": email, "otp": wrong(mail.code, n + 1)}) for n in range(20)]
    calls = [each for guess in guesses for each in (guess, right, right, guess)]
    answers = at_once(settings, calls)
    assert {status for _path, status in answers} <= {200, 400, 429}
    told_wrong = [status for _path, status in answers].count(400)
    ((looked_at, used),) = codes(world)
    assert not used
    assert 0 < looked_at <= min(3, told_wrong)


def token(mail):
    return mail.link.rpartition("/")[2]
