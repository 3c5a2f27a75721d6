"""2FA: coming in without it, taking it away, going round it by a reset, or using a code twice."""

import json
import subprocess
import sys
import time as real_time
from urllib.parse import urlsplit

import pytest

from tests.attacks.test_races import ROOT
from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.world import ELSEWHERE, World, choose, type_code
from tests.rigs import authenticator
from tests.rigs.authenticator import APP, HERE, enter
from tests.rigs.visitor import Visitor

EMAIL = "ann@example.org"


@pytest.fixture
def world(app, time):
    return World(app)


@pytest.fixture
def ann(world):
    return world.account()


@pytest.fixture
def owner(world, ann):
    return world.inside()


@pytest.fixture
def factor(owner):
    return authenticator.set_up(owner)


@pytest.fixture
def half(app, factor):
    """Eve, who knows the password."""
    browser = Visitor(app, address=ELSEWHERE)
    assert sign_in(browser, EMAIL).location == APP
    return browser


def with_cookie(browser, name, value):
    browser.client.set_cookie(name, value, domain=urlsplit(browser.site).hostname)
    assert browser.cookie(name) == value
    return browser


# ------------------------------------------------------------------ 2FA-01


def test_2fa_01_every_page_that_is_guarded_is_closed_to_half_a_sign_in(app, half):
    guarded = [
        rule for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/profile", "/security", "/admin")) and not rule.arguments
    ]  # fmt: skip
    assert len(guarded) > 20
    for rule in guarded:
        for method in rule.methods & {"GET", "POST"}:
            answer = half.client.open(rule.rule, method=method, base_url=half.site)
            assert answer.status_code == 303, rule.rule
            assert answer.location.startswith("/sign-in"), rule.rule


def test_2fa_01_the_secret_of_the_half_is_no_sign_in_and_no_token(app, half):
    with half.client.session_transaction(base_url=half.site) as kept:
        secret = kept["half"]["secret"]
    forged = with_cookie(Visitor(app), "latchkey", secret)
    assert forged.get("/profile").location == "/sign-in"
    headers = {"Authorization": f"Bearer {secret}"}
    client = app.test_client(use_cookies=False)
    assert client.get("/api/v1/profile", headers=headers).status_code == 401
    refreshed = client.post("/api/v1/auth/refresh", json={"refresh_token": secret})
    assert refreshed.status_code == 401


def test_2fa_01_half_a_sign_in_runs_out(half, factor, time):
    time.pass_(seconds=601)
    assert half.get(APP).location == "/sign-in"
    assert half.post(APP, {"code": factor.code()}).location == "/sign-in"


def test_2fa_01_half_a_sign_in_makes_no_browser_known(half, world):
    for number in range(10):
        sign_in(half, EMAIL, f"wrong {number}")
    assert sign_in(half, EMAIL).status == 429
    assert "latchkey-device" not in str(half.page.headers)
    assert half.cookie("latchkey-device") is None


def test_2fa_01_codes_of_a_message_are_no_second_step(half, world, factor):
    _browser, mail = world.asked(EMAIL)
    half.get(APP)
    assert half.submit(APP, code=mail.code).status == 422


# ------------------------------------------------------------------ 2FA-02


@pytest.fixture
def stolen(app, owner, factor):
    """A browser with the owner's cookie, and nothing else of the owner's."""
    browser = with_cookie(Visitor(app, address=ELSEWHERE), "latchkey", owner.cookie("latchkey"))
    assert browser.get("/profile").status == 200
    return browser


def state(world):
    kept = "SELECT two_step_at, secret, (SELECT COUNT(*) FROM backup_code) FROM person"
    return world.rows(f"{kept} JOIN authenticator ON person_id = person.id")


@pytest.mark.parametrize("path", ["off", "replace", "new-codes"])
@pytest.mark.parametrize("proof", [
    {}, {"password": PASSWORD}, {"password": PASSWORD, "code": "000000"},
    {"password": OTHER_PASSWORD, "code": "right"}, {"code": "right"},
])  # fmt: skip
def test_2fa_02_a_cookie_alone_changes_no_second_factor(world, stolen, factor, path, proof):
    before = state(world)
    if proof.get("code") == "right":
        proof = proof | {"code": factor.code()}
    stolen.get(f"{HERE}/{path}")
    page = stolen.submit(f"{HERE}/{path}", **proof)
    assert page.status == 422
    assert [row[0:3:2] for row in state(world)] == [row[0:3:2] for row in before]
    assert stolen.get(f"{HERE}/set-up").location == HERE
    assert stolen.get(f"{HERE}/codes").location == HERE


def test_2fa_02_a_confirmed_sign_in_changes_no_second_factor_either(stolen, owner, factor, time):
    time.pass_(seconds=601)
    owner.get("/security/confirm")
    assert owner.submit("/security/confirm", password=PASSWORD).location == "/security"
    assert stolen.get(f"{HERE}/set-up").location == HERE
    stolen.get(f"{HERE}/off")
    assert stolen.submit(f"{HERE}/off", code=factor.code()).status == 422


@pytest.mark.parametrize("path, subject", [
    ("off", "Two-step sign-in is off"), ("new-codes", "New backup codes for your Latchkey account"),
])  # fmt: skip
def test_2fa_02_what_was_changed_is_told_by_mail(world, owner, factor, path, subject):
    owner.get(f"{HERE}/{path}")
    typed = {"password": PASSWORD, "code": factor.code()}
    assert owner.submit(f"{HERE}/{path}", **typed).status == 303
    mail = world.post.newest(EMAIL)
    assert (mail.subject, bool(mail.not_you)) == (subject, True)


def test_2fa_02_forms_of_other_sites_change_nothing(owner, factor):
    typed = {"password": PASSWORD, "code": factor.code()}
    for path in ("off", "replace", "new-codes", "set-up", "codes"):
        page = owner.post(f"{HERE}/{path}", typed, Origin="https://evil.example")
        assert page.status in (303, 400)
    assert owner.get(HERE).find("#part-state") == ["It is on"]
    assert "10 are left." in owner.page.text


# ------------------------------------------------------------------ 2FA-03


def test_2fa_03_a_reset_by_mail_removes_and_skips_nothing(world, factor):
    browser, mail = world.asked(EMAIL)
    type_code(browser, mail.code)
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert browser.get("/profile").location == "/sign-in"
    assert sign_in(browser, EMAIL, OTHER_PASSWORD).location == APP
    assert browser.get("/profile").location == "/sign-in"
    assert enter(browser, factor).location == "/profile"


def test_2fa_03_nor_does_one_by_link(world, app, factor):
    _browser, mail = world.asked(EMAIL)
    browser = world.visitor()
    browser.get(mail.link)
    browser.submit(mail.link, action="continue")
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert sign_in(browser, EMAIL, OTHER_PASSWORD).location == APP
    assert enter(browser, factor, backup=True).location == "/profile"


@pytest.mark.parametrize("ask, path, names", [
    ("/api/v1/auth/forget-password", "/api/v1/auth/verify-otp", ("otp_code", "new_password")),
    ("/forgot-password", "/reset-password", ("otp", "new_password")),
])  # fmt: skip
def test_2fa_03_nor_does_one_through_a_program(world, app, factor, ask, path, names):
    client = app.test_client(use_cookies=False)
    assert client.post(ask, json={"email": EMAIL}).status_code == 200
    code = world.post.with_code(EMAIL).code
    body = {"email": EMAIL, names[0]: code, names[1]: OTHER_PASSWORD}
    answer = client.post(path, json=body)
    assert answer.status_code == 200
    assert "token" not in json.dumps(answer.json)
    entered = {"email": EMAIL, "password": OTHER_PASSWORD}
    assert client.post("/api/v1/auth/token", json=entered).status_code == 403
    assert sign_in(world.visitor(), EMAIL, OTHER_PASSWORD).location == APP


def test_2fa_03_a_hold_removes_nothing(world, half, factor):
    enter(half, factor)
    alert = next(mail for mail in world.post.alerts(EMAIL) if "New sign-in" in mail.subject)
    browser = world.visitor()
    browser.get(alert.not_you)
    browser.submit(alert.not_you)
    assert half.get("/profile").location == "/sign-in"
    recovering, mail = world.asked(EMAIL)
    type_code(recovering, mail.code)
    assert choose(recovering, OTHER_PASSWORD).location == "/sign-in"
    assert sign_in(recovering, EMAIL, OTHER_PASSWORD).location == APP
    assert enter(recovering, factor).location == "/profile"


def test_2fa_03_signing_up_with_the_address_once_more_removes_nothing(world, factor):
    eve = world.visitor(address=ELSEWHERE)
    eve.get("/sign-up")
    wish = {"full_name": "Eve Stone", "email": EMAIL, "password": OTHER_PASSWORD}
    eve.submit("/sign-up", **wish, confirm_password=OTHER_PASSWORD)
    assert not world.post.newest(EMAIL).has_code
    assert sign_in(world.visitor(), EMAIL).location == APP


@pytest.mark.parametrize("late", ["code", "link"])
def test_2fa_03_a_proof_of_the_address_that_comes_late_lets_nobody_in(world, time, late):
    """Two messages of one sign-up: the first opens the account, the second comes out later."""
    browser = world.visitor()
    browser.get("/sign-up")
    wish = {"full_name": "Kim Stone", "email": "kim@example.org", "password": PASSWORD}
    browser.submit("/sign-up", **wish, confirm_password=PASSWORD)
    browser.follow()
    world.post.deliver()
    time.pass_(seconds=61)
    other = world.visitor()
    other.get("/sign-up")
    other.submit("/sign-up", **wish, confirm_password=PASSWORD)
    other.follow()
    second = world.post.newest("kim@example.org")
    assert other.submit("/sign-up/code", code=second.code).location == "/profile"
    authenticator.set_up(other)
    path = second.link if late == "link" else "/sign-up/code"
    browser.get(path)
    if browser.page.status == 200:
        fields = {"code": second.code} if late == "code" else {}
        browser.submit(path, **fields)
    assert browser.page.location != "/profile"
    assert browser.get("/profile").location == "/sign-in"


def test_2fa_03_coming_back_to_a_deleted_account_takes_the_second_step(world, owner, factor):
    world.write("UPDATE person SET deleted_at = :now, deleted_by_id = id", now=world_now(world))
    browser = world.visitor()
    assert sign_in(browser, EMAIL).location == APP
    assert world.rows("SELECT deleted_at IS NULL FROM person") == [(0,)]
    assert enter(browser, factor).location == "/profile"
    assert world.rows("SELECT deleted_at IS NULL FROM person") == [(1,)]


def world_now(world):
    return world.rows("SELECT two_step_at FROM person")[0][0]


# ------------------------------------------------------------------ twice at once

CROWD = """
import json, sys, threading, time
from datetime import timedelta
from portal import create_app
from portal.accounts import sessions
from portal.core import clock
from portal.core.audit import By
from portal.core.errors import PortalError
from portal.security.service import second_step

job = json.load(sys.stdin)
app, answers = create_app(job["settings"]), []
enter = getattr(second_step, job["story"])

def come_in(secret):
    with app.app_context(), app.test_request_context():
        half = sessions.of_half(secret)
        while time.time() < job["at"]:
            time.sleep(0.001)
        if half is None:  # this process was late
            return answers.append("late")
        try:
            enter(half, job["code"], None, By(network=secret[:8]))
            answers.append("in")
        except PortalError as refused:
            answers.append(type(refused).__name__ + " " + refused.code)
        except Exception as broken:
            answers.append("defect " + repr(broken))

crowd = [threading.Thread(target=come_in, args=[secret]) for secret in job["secrets"]]
[each.start() for each in crowd]
[each.join() for each in crowd]
print(json.dumps(answers))
"""
MANY = {"SECOND_STEP_MAX_ATTEMPTS": "10"}


@pytest.fixture
def settings(shared_settings):
    return shared_settings | MANY


@pytest.fixture
def served(make_app):
    return make_app(**MANY)


def halves(app, count):
    """The secrets of so many sign-ins that wait for their second step."""
    found = []
    for number in range(count):
        browser = Visitor(app, address=f"203.0.{number}.7")
        assert sign_in(browser, EMAIL).location == APP
        with browser.client.session_transaction(base_url=browser.site) as kept:
            found.append(kept["half"]["secret"])
    return found


def at_once(settings, story, code, *lists):
    """Each list of halves is gone on with by a process of its own, all at one moment."""
    at = real_time.time() + 4  # noqa: TID251 - processes meet at a moment of the real clock
    job = {"settings": settings, "story": story, "code": code, "at": at}
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", CROWD],
            cwd=ROOT, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in lists
    ]  # fmt: skip
    for each, secrets in zip(started, lists, strict=True):
        each.stdin.write(json.dumps(job | {"secrets": secrets}))
        each.stdin.close()
        each.stdin = None
    answers = []
    for each in started:
        out, trouble = each.communicate(timeout=120)
        assert each.returncode == 0, trouble
        answers += json.loads(out)
    return answers


@pytest.mark.parametrize("story, refused", [
    ("by_app", "Rejected used"), ("by_backup_code", "Rejected mismatch"),
])  # fmt: skip
def test_2fa_01_one_code_lets_one_of_eight_in_at_the_same_moment(settings, served, story, refused):
    world = World(served)
    world.account()
    factor = authenticator.set_up(world.inside())
    secrets = halves(served, 8)
    code = factor.code() if story == "by_app" else factor.backup()
    answers = at_once(settings, story, code, secrets[:4], secrets[4:])
    assert sorted(answers) == [refused] * 7 + ["in"]
    live = "SELECT COUNT(*) FROM session WHERE kind = 'browser' AND ended_at IS NULL"
    assert world.rows(live) == [(2,)]  # and the one in which it was set up


def test_2fa_01_one_half_becomes_one_sign_in_at_the_same_moment(settings, served):
    world = World(served)
    world.account()
    factor = authenticator.set_up(world.inside())
    (secret,) = halves(served, 1)
    answers = at_once(settings, "by_app", factor.code(), [secret] * 4, [secret] * 4)
    assert answers.count("in") == 1
    assert not [each for each in answers if each.startswith("defect")]


def test_2fa_01_of_forty_guesses_at_once_no_more_than_the_limit_are_looked_at(settings, served):
    world = World(served)
    world.account()
    authenticator.set_up(world.inside())
    (secret,) = halves(served, 1)
    answers = at_once(settings, "by_backup_code", "aaaaa-bbbbb", [secret] * 20, [secret] * 20)
    assert answers.count("Rejected mismatch") == 10
    assert answers.count("TooSoon ") == 30
