"""What wrong codes leave in the history, and what the owner is told: it depends on the place."""

from itertools import cycle

import pytest
from sqlalchemy import event

from portal.core.db import db
from tests.conftest import PASSWORD, sign_in
from tests.policy.world import ELSEWHERE, World
from tests.rigs import authenticator
from tests.rigs.authenticator import APP, HERE, enter, prove

CONFIRM = "/security/confirm"
KNOWN = "Someone knows the password of your Latchkey account"
INSIDE = "Someone typed wrong codes in your Latchkey account"
CHANGES = ["off", "replace", "new-codes"]
REFUSED = "SELECT detail FROM event WHERE kind = 'second-step:refused' ORDER BY id"


@pytest.fixture
def world(app, time):
    return World(app)


@pytest.fixture
def factor(inside, time):
    return authenticator.set_up(inside)


@pytest.fixture
def half(world, ann, factor):
    """A browser that nobody used before, after the right password."""
    browser = world.visitor(address=ELSEWHERE)
    assert sign_in(browser, ann.email).location == APP
    return browser


def far(factor):
    """What the app shows in some minutes: wrong now."""
    return authenticator.code(factor.key, 9)


def confirm(browser, code):
    browser.get(CONFIRM)
    return browser.submit(CONFIRM, code=code)


def alarms(post):
    return [mail for mail in post.deliver() if mail.subject in (KNOWN, INSIDE)]


def test_wrong_codes_where_somebody_is_signed_in_say_nothing_of_the_password(
    inside, factor, post, ann
):
    for _ in range(5):
        assert confirm(inside, far(factor)).errors.keys() == {"code"}
    (mail,) = alarms(post)
    assert (mail.to, mail.subject) == (ann.email, INSIDE)
    words = f"In a browser that is signed in to {ann.email} someone typed 5 wrong codes"
    for part in mail.text, mail.html.replace("<strong>", "").replace("</strong>", ""):
        assert "Nothing was changed with them." in part
        assert "a browser that you are signed in with" in part
        assert "knows" not in part
        assert "typed the password" not in part
    assert words in mail.text
    assert mail.not_you


def test_nor_do_those_that_would_change_the_second_factor(inside, factor, post):
    for _turn, change in zip(range(5), cycle(CHANGES), strict=False):
        prove(inside, change, PASSWORD, far(factor))
    assert [mail.subject for mail in alarms(post)] == [INSIDE]


def test_the_two_places_are_counted_each_for_itself(inside, half, factor, post):
    """So that neither message counts in what happened at the other."""
    for _ in range(4):
        confirm(inside, far(factor))
        half.get(APP)
        half.submit(APP, code=far(factor))
    assert alarms(post) == []
    half.get(APP)
    half.submit(APP, code=far(factor))
    (mail,) = alarms(post)
    assert mail.subject == KNOWN
    assert "typed the password of ann@example.org and then 5 wrong codes" in mail.text
    confirm(inside, far(factor))
    assert [mail.subject for mail in alarms(post)].count(INSIDE) == 1


def test_the_history_says_where_it_was(world, inside, half, factor):
    half.get(APP)
    half.submit(APP, code=far(factor))
    confirm(inside, far(factor))
    assert world.rows(REFUSED) == [("mismatch",), ("mismatch, signed in",)]
    told = inside.get("/security/activity").find(".timeline .detail")
    assert [line.startswith("In a browser that was signed in.") for line in told[:2]] == [
        True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_password_that_changes_in_between_is_no_wrong_code(app, world, inside, factor, change):
    """Somebody chose another one after it was looked at and before the code was."""
    turns = "SELECT count FROM throttle WHERE name = 'second step'"
    changed = []

    def meanwhile(_session):
        if not changed and world.rows(f"{turns} AND count = 1"):
            changed.append(True)
            world.write("UPDATE person SET password_hash = 'another'")

    event.listen(db.session, "after_commit", meanwhile)
    try:
        page = prove(inside, change, PASSWORD, factor.code())
    finally:
        event.remove(db.session, "after_commit", meanwhile)
    assert changed
    assert (page.status, page.errors.keys()) == (422, {"password"})
    assert world.rows(REFUSED) == []
    assert world.rows(turns) == [(0,)]
    assert inside.get(HERE).find("#part-state") == ["It is on"]


def test_a_code_that_comes_again_is_noted_where_it_was_and_raises_no_alarm(
    world, inside, half, factor, post
):
    enter(half, factor)
    used = authenticator.code(factor.key, factor.used - authenticator._step())
    for _ in range(6):
        assert confirm(inside, used).status == 422
    assert world.rows(REFUSED) == [("used, signed in",)] * 6
    assert alarms(post) == []
