"""What people are told of when they may not have done it themselves."""

import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.policy.world import ANN, ELSEWHERE, World, choose, type_code

NOBODY = "nobody@example.org"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def world(app):
    return World(app)


def subjects(world, to=ANN):
    return [mail.subject.partition(" your Latchkey")[0] for mail in world.post.alerts(to)]


def guess(world, email=ANN, count=10, **more):
    """Wrong passwords, each in a fresh browser.  -> the statuses."""
    return [
        sign_in(world.visitor(**more), email, f"wrong {number}").status for number in range(count)
    ]


# ------------------------------------------------------------------ a browser that is new


def test_a_first_sign_in_with_another_browser_is_told(world, ann, time):
    assert subjects(world) == []
    sign_in(world.visitor(agent=SAFARI), ann.email)
    [mail] = world.post.alerts(ann.email)
    told = f"on {time.at.day} {time.at:%B %Y}, {time.at:%H:%M} UTC, with Safari on iPhone."
    assert mail.subject == "New sign-in to your Latchkey account"
    assert told in mail.text
    assert "You do not need to do anything if this was you." in mail.text


def test_neither_network_nor_address_of_the_browser_is_told(world, ann):
    sign_in(world.visitor(address="203.0.113.77"), ann.email)
    [mail] = world.post.alerts()
    assert "203.0" not in mail.text + mail.html


def test_a_browser_that_is_known_is_no_news(world, ann):
    browser = world.visitor()
    for _ in range(3):
        sign_in(browser, ann.email)
        browser.get("/profile")
        browser.submit("/sign-out")
    assert len(world.post.alerts()) == 1


def test_proving_the_address_is_no_news_and_makes_the_browser_known(world):
    browser = world.visitor()
    open_account(browser, ANN)
    type_code(browser, world.post.newest().code, "/sign-up/code")
    browser.get("/profile")
    browser.submit("/sign-out")
    assert sign_in(browser, ANN).location == "/profile"
    assert world.post.alerts() == []


def test_a_shared_browser_is_new_for_each_of_its_people(world, sign_up):
    sign_up(ANN)
    sign_up("bob@example.org", "Bob Hill")
    shared = world.inside()
    assert subjects(world, "bob@example.org") == []
    sign_in(shared, "bob@example.org")
    assert subjects(world, "bob@example.org") == ["New sign-in to"]
    assert len(world.post.alerts(ANN)) == 1


def test_a_known_browser_is_new_again_after_half_a_year_and_after_a_reset(world, ann, time):
    browser = world.inside()
    time.pass_(days=181)
    sign_in(browser, ann.email)
    assert len(world.post.alerts()) == 2
    asking, mail = world.asked()
    type_code(asking, mail.code)
    choose(asking, OTHER_PASSWORD)
    sign_in(browser, ann.email, OTHER_PASSWORD)
    assert len(world.post.alerts()) == 3


def test_a_wrong_password_is_no_sign_in(world, ann):
    sign_in(world.visitor(), ann.email, "wrong password")
    assert world.post.alerts() == []


# ------------------------------------------------------------------ many wrong passwords


def test_the_tenth_wrong_password_is_told_once(world, ann):
    guess(world, count=9)
    assert subjects(world) == []
    assert guess(world, count=3) == [422, 429, 429]
    assert subjects(world) == ["Someone is trying to sign in to"]
    [mail] = world.post.alerts()
    assert "Someone typed 10 wrong passwords for ann@example.org" in mail.text
    assert "within 5 minutes has to wait" in mail.text
    assert "/recover\n" in mail.text


def test_it_is_told_once_a_day_at_most(world, ann, time):
    for _ in range(6):
        guess(world)
        time.pass_(hours=3)
    assert len(world.post.alerts()) == 1
    time.pass_(hours=7)
    guess(world)
    assert len(world.post.alerts()) == 2


def test_guesses_from_many_places_count_together(world, ann):
    """Each network keeps under its own limit."""
    for network in range(5):
        assert guess(world, count=2, address=f"203.0.{network}.7") == [422, 422]
    assert len(world.post.alerts()) == 1


def test_guesses_for_others_are_not_told(world, ann, sign_up):
    sign_up("bob@example.org", "Bob Hill")
    guess(world, "bob@example.org")
    guess(world, NOBODY, address=ELSEWHERE)
    assert world.post.alerts(ANN) == []
    assert len(world.post.alerts("bob@example.org")) == 1


def test_the_limit_comes_from_the_settings(make_app):
    world = World(make_app(WRONG_PASSWORDS_PER_ACCOUNT="3"))
    world.account()
    guess(world, count=3)
    [mail] = world.post.alerts()
    assert "Someone typed 3 wrong passwords" in mail.text


def test_an_address_that_nobody_proved_gets_no_alert(world):
    open_account(world.visitor(), ANN)
    world.post.deliver()
    guess(world)
    assert world.post.alerts() == []


def test_for_an_unknown_address_the_same_is_done_and_goes_to_nobody(world, ann):
    for number, email in enumerate((ann.email, NOBODY)):
        guess(world, email, address=f"203.0.{number}.7")
    wanted = "SELECT recipe, rank, channel, tries FROM outbox WHERE recipe LIKE 'many%'"
    assert world.rows(wanted) == [("many_wrong_passwords", 1, "email", 0)] * 2
    whose = "SELECT person_id IS NULL FROM outbox WHERE recipe LIKE 'many%' ORDER BY id"
    assert world.rows(whose) == [(0,), (1,)]
    assert len(world.post.alerts()) == 1
    done = "SELECT accepted_at IS NULL, done_at IS NULL FROM outbox WHERE recipe LIKE 'many%'"
    assert world.rows(done) == [(0, 0), (1, 0)]


# ------------------------------------------------------------------ the helpdesk


@pytest.mark.parametrize("act, told", [
    ("unblock", "You can sign in again, with the password you had."),
    ("clear-throttles", "You no longer have to wait to sign in or to ask for a code."),
])  # fmt: skip
def test_help_is_told(world, ann, act, told):
    world.command("users", "block", ann.email)
    world.command("users", act, ann.email)
    mail = world.post.newest()
    assert (mail.to, mail.subject) == (ann.email, "Latchkey support unlocked your account")
    assert "The Latchkey helpdesk unlocked the account of ann@example.org on " in mail.text
    assert told in mail.text
    assert "Did not ask? Act now." in mail.text


def test_an_address_that_nobody_proved_is_told_of_no_help(world):
    open_account(world.visitor(), ANN)
    world.command("users", "clear-throttles", ANN)
    assert [mail.subject for mail in world.post.deliver()] == ["Confirm your email address"]


def test_a_password_change_after_a_reset_is_told_with_its_link(world, ann):
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)
    notice = world.post.newest()
    assert notice.subject == "Your Latchkey password is changed"
    assert world.visitor().get(notice.not_you).h1 == "Was that not you?"
    ask(world.visitor(), NOBODY)
    assert sign_in(browser, ann.email, PASSWORD).status == 422
