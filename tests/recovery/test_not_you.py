""" "That was not me": one press shuts everybody out until the owner has a new password."""

import pytest

from portal.accounts import people
from portal.codes import terms
from portal.core.audit import By
from portal.core.errors import NotAllowed, Rejected, TooSoon
from portal.delivery import service as delivery
from portal.delivery import transports
from portal.recovery.service import support
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, sign_in
from tests.policy.world import ANN, World, choose, type_code

HELD = (
    "This account is on hold: its owner told us that somebody else had come in. "
    'Choose a new password first, by "I have forgotten my password" below.'
)
NO_MATCH = "Check your email address and password. They do not match."


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def alert(world, ann):
    """The mail about a thief who signed in."""
    world.inside()
    [mail] = world.post.alerts()
    return mail


def press(world, mail):
    """-> a browser that has pressed the button behind the link."""
    browser = world.visitor()
    browser.get(mail.not_you)
    assert browser.submit(mail.not_you).location == "/recover/held"
    return browser


def get_back_in(world):
    """By code, as the page after the button says."""
    browser, mail = world.asked()
    type_code(browser, mail.code)
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    return browser


def test_the_page_says_what_will_happen_and_changes_nothing(world, alert):
    thief = world.inside()
    page = world.visitor().get(alert.not_you)
    assert (page.status, page.h1) == (200, "Was that not you?")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "a…@example.org" in page.text
    assert ANN not in page.html
    assert page.find("main button") == ["Sign everybody out"]
    assert thief.get("/profile").status == 200


def test_the_button_signs_everybody_out_and_nobody_in(world, alert):
    thief, own = world.inside(), world.inside(remember=True)
    browser = press(world, alert)
    page = browser.follow()
    assert (page.status, page.h1) == (200, "Everybody is signed out")
    assert page.links["Choose a new password"] == "/recover"
    for each in thief, own, browser:
        assert each.get("/profile").location == "/sign-in"


def test_nobody_comes_in_until_there_is_a_new_password(world, ann, alert):
    press(world, alert)
    page = sign_in(world.visitor(), ann.email)
    assert (page.status, page.summary) == (422, [HELD])
    assert page.links["I have forgotten my password"] == "/recover"
    browser = get_back_in(world)
    assert sign_in(browser, ann.email).summary == [NO_MATCH]
    assert sign_in(browser, ann.email, OTHER_PASSWORD).location == "/profile"
    assert world.rows("SELECT held_at FROM person") == [(None,)]


def test_the_way_back_starts_with_the_address_typed_at_sign_in(world, ann, alert):
    press(world, alert)
    browser = world.visitor()
    sign_in(browser, ann.email)
    assert browser.get("/recover").form("/recover").fields["identifier"] == ann.email


def test_no_browser_is_known_any_more(world, ann, alert):
    mine = world.inside()
    press(world, alert)
    for number in range(10):
        sign_in(world.visitor(), ann.email, f"wrong {number}")
    assert sign_in(mine, ann.email).status == 429


def test_it_is_on_record(world, alert):
    browser = world.visitor(address="203.0.113.9")
    browser.get(alert.not_you)
    browser.submit(alert.not_you)
    [row] = world.rows("SELECT person_id, network, detail FROM event WHERE kind = 'account:held'")
    assert row == (1, "203.0.113.0/24", "1")


def test_what_was_open_is_over(world, alert, time):
    """A way back in that is open now may be the thief's: code, link and grant."""
    granted, first = world.visitor(), world.asked()[1]
    granted.get(first.link)
    assert granted.submit(first.link, action="continue").location == "/auth/password-reset"
    time.pass_(seconds=61)
    waiting, mail = world.asked()
    press(world, alert)
    assert type_code(waiting, mail.code).status == 422
    assert world.visitor().get(mail.link).status == 410
    assert granted.get("/auth/password-reset").location == "/recover"


def test_a_link_works_once(world, alert):
    press(world, alert)
    page = world.visitor().get(alert.not_you)
    assert (page.status, page.h1) == (410, "This link no longer works")
    assert "It was used on " in page.text
    assert page.links["Choose a new password"] == "/recover"


def test_a_link_that_was_cut_off_says_so(world, alert):
    page = world.visitor().get(alert.not_you[:-1])
    assert (page.status, page.links["Choose a new password"]) == (410, "/recover")
    assert "It was not copied whole." in page.text


def test_a_link_runs_out(world, alert, time):
    browser = world.visitor()
    browser.get(alert.not_you)
    time.pass_(days=6, hours=23, minutes=59)
    assert browser.get(alert.not_you).status == 200
    time.pass_(minutes=2)
    assert browser.post(alert.not_you).status == 410
    assert "It is older than 7 days." in browser.page.text
    assert world.inside().get("/profile").status == 200


def test_a_newer_notice_leaves_the_link_of_an_older_one_good(world, ann, alert):
    world.inside()
    newer, older = world.post.alerts()
    assert older == alert
    assert world.visitor().get(newer.not_you).status == 200
    press(world, older)
    press(world, newer)


def test_a_thief_who_changes_the_password_does_not_kill_the_link(world, alert):
    thief = world.inside()
    assert world.change_password(thief, PASSWORD, OTHER_PASSWORD).status == 303
    press(world, alert)
    assert thief.get("/profile").location == "/sign-in"


def test_a_recovery_leaves_older_links_good(world, alert):
    """It may have been the thief's, by a phone number that is the thief's as well."""
    get_back_in(world)
    press(world, alert)
    assert sign_in(world.visitor(), ANN, OTHER_PASSWORD).summary == [HELD]


def test_the_page_afterwards_is_for_those_who_pressed(world):
    assert world.visitor().get("/recover/held").location == "/recover"


# ------------------------------------------------------------------ made at the moment of sending


def again(world):
    """As if the worker had died before it could write down that the message had left."""
    world.write(
        "UPDATE outbox SET done_at = NULL, accepted_at = NULL, leased_until = NULL"
        " WHERE recipe = 'new_device'"
    )


def test_a_repeat_carries_a_link_of_its_own_and_the_older_one_dies(world, alert):
    again(world)
    repeat, first = world.post.alerts()
    assert first == alert
    assert world.visitor().get(first.not_you).status == 410
    press(world, repeat)


def test_a_repeat_revives_no_link_that_was_used(world, alert):
    press(world, alert)
    again(world)
    repeat, _first = world.post.alerts()
    assert world.visitor().get(repeat.not_you).status == 410


def test_a_refused_hand_over_leaves_no_link(world, ann, make_app, smtp_server):
    world.inside()
    smtp_server.refuse("451 4.3.0 Later", at="DATA")
    with make_app(**smtp_server.settings(), EMAIL_TIMEOUT_SECONDS="1").app_context():
        delivery.deliver_due()
        transports.rest()
    assert "DATA" in smtp_server.commands
    kept = "SELECT link_hash FROM challenge WHERE purpose = 'not_you'"
    assert world.rows(kept) == [(None,)]


def test_nothing_readable_of_the_link_is_kept(world, alert):
    token = alert.not_you.rpartition("/")[2]
    assert len(token) == 43
    for table in "challenge", "outbox", "event":
        assert token not in str(world.rows(f"SELECT * FROM {table}"))  # noqa: S608


# ------------------------------------------------------------------ a way back sent by the helpdesk


BY = By(None, "console", "command line", "called back", "HD-20418")


def start_for(world, actor=None):
    with world.context():
        helper = people.find(actor) if actor else None
        support.start_for(people.find(ANN), helper, terms.page("/recover/link/{token}"), BY)


def test_support_sends_a_way_back_to_the_person_only(world, ann, time):
    start_for(world)
    mail = world.post.newest(ANN)
    assert (
        "The Latchkey helpdesk sent this because you asked for help. "
        "Reason: called back. Ticket HD-20418." in mail.text
    )
    owner = world.visitor()
    owner.get(mail.link)
    assert owner.submit(mail.link, action="continue").location == "/auth/password-reset"
    assert choose(owner, OTHER_PASSWORD).location == "/sign-in"
    kinds = "SELECT kind, ticket FROM event WHERE kind = 'recovery:sent-by-support'"
    assert world.rows(kinds) == [("recovery:sent-by-support", "HD-20418")]


def test_support_sends_one_in_a_minute_and_takes_nothing_from_the_person(world, ann, time):
    start_for(world)
    with pytest.raises(Rejected, match="Its link works once, until"):
        start_for(world)
    assert ask(world.visitor(), ANN).location == "/recover/code"
    with pytest.raises(TooSoon, match="You can send another in 1 minute"):
        start_for(world)
    for _ in range(8):
        time.pass_(minutes=16)
        start_for(world)
    assert ask(world.visitor(), ANN).location == "/recover/code"


def test_support_helps_out_of_a_hold(world, alert):
    press(world, alert)
    start_for(world)
    mail = world.post.newest(ANN)
    owner = world.visitor()
    owner.get(mail.link)
    owner.submit(mail.link, action="continue")
    choose(owner, OTHER_PASSWORD)
    assert sign_in(owner, ANN, OTHER_PASSWORD).location == "/profile"


def test_no_way_back_is_sent_for_a_blocked_account(world, ann):
    world.command("users", "block", ANN)
    with pytest.raises(Rejected, match="blocked or deleted"):
        start_for(world)
    assert "sent you" not in str([mail.subject for mail in world.post.deliver()])


@pytest.mark.parametrize("role", ["user", "viewer"])
def test_whoever_may_not_help_sends_nothing(world, ann, sign_up, role):
    sign_up("bob@example.org", "Bob Hill")
    world.write("UPDATE person SET role = :role WHERE email LIKE 'bob%'", role=role)
    with pytest.raises(NotAllowed):
        start_for(world, "bob@example.org")
    with pytest.raises(NotAllowed):
        start_for(world, ANN)
    assert world.rows("SELECT count(*) FROM outbox WHERE recipe = 'recovery_by_support'") == [(0,)]
