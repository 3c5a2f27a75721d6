"""The numbers of codes, links and grants, each shown to be the one that counts."""

from datetime import timedelta

import pytest

from portal.codes import terms
from portal.core.audit import By
from portal.core.errors import Rejected, TooSoon
from portal.recovery import service as recovery
from tests.conftest import OTHER_PASSWORD, open_account
from tests.policy.world import ANN, World, choose, type_code, wrong
from tests.rigs.visitor import Visitor

RUN_OUT = "That code has run out. Send a new code, or use the button in the email."
PROOF = "/sign-up/code"
FROM = By(network="198.51.100.0/24", device="a program")


def signing_up(world: World) -> tuple[Visitor, str]:
    browser = world.visitor()
    open_account(browser, "new@example.org")
    return browser, world.post.newest().code


def asked_by_a_program(world: World) -> tuple[str, str]:
    """-> the flow and its code."""
    world.account()
    with world.context():
        flow = recovery.start(ANN, None, terms.api("/recover/link/{token}"), FROM)
    return flow, world.post.newest().code


@pytest.mark.parametrize("seconds, status", [(59, 303), (61, 422)])
def test_code_lifetime_seconds(make_app, time, seconds, status):
    world = World(make_app(CODE_LIFETIME_SECONDS="60"))
    world.account()
    browser, mail = world.asked()
    assert "The code lasts 1 minute" in mail.text
    time.pass_(seconds=seconds)
    page = type_code(browser, mail.code)
    assert page.status == status
    assert page.status == 303 or page.errors["code"] == RUN_OUT


@pytest.mark.parametrize("wrongs, status", [(1, 303), (2, 429)])
def test_code_max_attempts(make_app, wrongs, status):
    world = World(make_app(CODE_MAX_ATTEMPTS="2"))
    world.account()
    browser, mail = world.asked()
    assert "takes 2 tries" in mail.text
    for step in range(wrongs):
        assert type_code(browser, wrong(mail.code, step + 1)).status == 422
    assert type_code(browser, mail.code).status == status


def test_api_code_lifetime_seconds(make_app, time):
    world = World(make_app(API_CODE_LIFETIME_SECONDS="120", SEND_COOLDOWN_SECONDS="0"))
    flow, code = asked_by_a_program(world)
    time.pass_(seconds=121)
    with world.context(), pytest.raises(Rejected) as refusal:
        recovery.confirm_code(flow, code, FROM)
    assert refusal.value.code == "run-out"
    with world.context():
        flow = recovery.start(ANN, None, terms.api("/recover/link/{token}"), FROM)
    code = world.post.newest().code
    time.pass_(seconds=119)
    with world.context():
        assert recovery.confirm_code(flow, code, FROM)


@pytest.mark.parametrize("wrongs", [1, 2])
def test_api_code_max_attempts(make_app, wrongs):
    world = World(make_app(API_CODE_MAX_ATTEMPTS="2"))
    flow, code = asked_by_a_program(world)
    for step in range(wrongs):
        with world.context(), pytest.raises(Rejected):
            recovery.confirm_code(flow, wrong(code, step + 1), FROM)
    with world.context():
        if wrongs == 1:
            assert recovery.confirm_code(flow, code, FROM)
        else:
            with pytest.raises(TooSoon):
                recovery.confirm_code(flow, code, FROM)


@pytest.mark.parametrize("seconds, status", [(119, 303), (121, 422)])
def test_proof_code_lifetime_seconds(make_app, time, seconds, status):
    world = World(make_app(PROOF_CODE_LIFETIME_SECONDS="120"))
    browser, code = signing_up(world)
    time.pass_(seconds=seconds)
    assert type_code(browser, code, PROOF).status == status


@pytest.mark.parametrize("wrongs, status", [(2, 303), (3, 429)])
def test_proof_code_max_attempts(make_app, wrongs, status):
    world = World(make_app(PROOF_CODE_MAX_ATTEMPTS="3"))
    browser, code = signing_up(world)
    for step in range(wrongs):
        assert type_code(browser, wrong(code, step + 1), PROOF).status == 422
    assert type_code(browser, code, PROOF).status == status


@pytest.mark.parametrize("seconds, status", [(599, 200), (601, 410)])
def test_link_lifetime_seconds(make_app, time, seconds, status):
    world = World(make_app(LINK_LIFETIME_SECONDS="600"))
    world.account()
    _browser, mail = world.asked()
    until = time.at + timedelta(minutes=10)
    assert f"works once, until {until:%H:%M} UTC, 10 minutes" in mail.text
    time.pass_(seconds=seconds)
    assert world.visitor().get(mail.link).status == status


@pytest.mark.parametrize("seconds, status", [(3599, 200), (3601, 410)])
def test_proof_link_lifetime_seconds(make_app, time, seconds, status):
    world = World(make_app(PROOF_LINK_LIFETIME_SECONDS="3600"))
    open_account(world.visitor(), "new@example.org")
    mail = world.post.newest()
    assert "works once, for 1 hour" in mail.text
    time.pass_(seconds=seconds)
    assert world.visitor().get(mail.link).status == status


@pytest.mark.parametrize("seconds, location", [(119, "/sign-in"), (121, "/recover")])
def test_reset_grant_seconds(make_app, time, seconds, location):
    world = World(make_app(RESET_GRANT_SECONDS="120"))
    world.account()
    browser, mail = world.asked()
    type_code(browser, mail.code)
    browser.get("/auth/password-reset")
    time.pass_(seconds=seconds)
    both = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    assert browser.submit("/auth/password-reset", **both).location == location


def test_code_retention_days(make_app, time):
    world = World(make_app(CODE_RETENTION_DAYS="2"))
    world.account()
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)
    world.post.deliver()
    time.pass_(days=1, hours=23)
    assert world.command("purge").exit_code == 0
    assert len(world.rows("SELECT id FROM otp")) == 2
    assert len(world.rows("SELECT id FROM outbox")) == 3
    time.pass_(hours=2)
    assert world.command("purge").exit_code == 0
    assert world.rows("SELECT id FROM otp") == []
    assert world.rows("SELECT id FROM outbox") == []


@pytest.mark.parametrize("hours, status", [(47, 200), (49, 410)])
def test_notice_link_lifetime_days(make_app, time, hours, status):
    world = World(make_app(NOTICE_LINK_LIFETIME_DAYS="2"))
    world.account()
    world.inside()
    [mail] = world.post.alerts()
    assert "works once, for 2 days" in mail.text
    time.pass_(hours=hours)
    assert world.visitor().get(mail.not_you).status == status
