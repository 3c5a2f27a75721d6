"""Another email address: asked for, confirmed, stopped and undone through the pages."""

import pytest

from portal.delivery import transports
from portal.delivery.outcomes import LATER, NotAccepted
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, sign_in
from tests.policy.world import ANN, EMAIL, World, choose, type_code

NEW, THIRD = "sana@example.net", "third@example.com"
WRITTEN = "We have written to both addresses. The change waits for the new one."


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def mails(world, inside):
    """What was written when Ann asked for another address: to the old one and to the new one."""
    return world.wish_for(inside, NEW)


def address(world):
    return world.rows("SELECT email, email_key FROM person ORDER BY id")[0]


def press(world, link, browser=None):
    """Opens the link, in a browser of its own if none is given, and presses its button."""
    browser = browser or world.visitor()
    browser.get(link)
    return browser.submit(link)


# ------------------------------------------------------------------ asking


def test_the_overview_leads_to_the_page_and_it_says_what_will_happen(world, inside):
    assert inside.get("/security").links["Change email address"] == EMAIL
    page = inside.get(EMAIL)
    assert (page.status, page.h1) == (200, "Change your email address")
    assert ANN in page.text
    assert "we write to both addresses" in page.text
    assert 'type="email" autocomplete="email"' in page.html


def test_strangers_sign_in_first(visitor):
    assert visitor.get(EMAIL).location == f"/sign-in?next={EMAIL}"


def test_the_change_waits_for_the_new_address(world, inside, mails):
    page = inside.get(EMAIL)
    assert (page.banner, address(world)) == (WRITTEN, (ANN, ANN))
    assert sign_in(world.visitor(), ANN).location == "/profile"
    assert sign_in(world.visitor(), NEW).status == 422


def test_the_old_address_reads_who_and_when_and_how_to_stop_it(mails):
    old, _new = mails
    assert (old.to, old.subject) == (ANN, "Your Latchkey email address is being changed")
    assert "To s…@example.net. Stop it within 7 days if this was not you." in old.html
    for part in old.text, old.html:
        assert "Hello Ann Miller." in part
        assert "with Firefox on Linux" in part
        assert "s…@example.net" in part
        assert NEW not in part
        assert "for 7 days" in part
        assert "0800 000 000" in part
    assert not old.has_code


def test_the_new_address_reads_no_name_and_no_code(mails):
    _old, new = mails
    assert (new.to, new.subject) == (NEW, "Confirm your new Latchkey email address")
    assert "Press the button to finish." in new.html
    for part in new.text, new.html:
        assert "for 24 hours" in part
        assert "a…@example.org" in part
        assert "Ann" not in part
        assert ANN not in part
    assert not new.has_code


@pytest.mark.parametrize("typed", ["", "sana@", "a b@example.org", "sána@example.net", "@", "x"])
def test_what_is_no_address_is_said_beside_the_field(world, inside, typed):
    inside.get(EMAIL)
    page = inside.submit(EMAIL, email=typed)
    assert (page.status, list(page.errors)) == (422, ["email"])
    assert world.rows("SELECT count(*) FROM email_change") == [(0,)]


@pytest.mark.parametrize("typed", [ANN, "ANN@Example.ORG", f"  {ANN} "])
def test_the_own_address_is_no_change(inside, typed):
    inside.get(EMAIL)
    page = inside.submit(EMAIL, email=typed)
    assert page.errors == {"email": "This is your address already. Enter another one."}


def test_the_password_is_asked_for_first_and_what_was_typed_waits(world, inside, time):
    inside.get(EMAIL)
    time.pass_(minutes=11)
    assert inside.submit(EMAIL, email=NEW).location == f"/security/confirm?next={EMAIL}"
    inside.follow()
    assert inside.submit(f"/security/confirm?next={EMAIL}", password=PASSWORD).location == EMAIL
    assert inside.follow().form(EMAIL).fields["email"] == NEW
    assert inside.submit(EMAIL).location == EMAIL
    assert inside.follow().banner == WRITTEN


def test_asking_again_has_to_wait(world, inside, mails, time):
    inside.get(EMAIL)
    page = inside.submit(EMAIL, email=THIRD)
    assert (page.status, page.headers["Retry-After"]) == (429, "60")
    time.pass_(seconds=61)
    world.wish_for(inside, THIRD)


def test_a_newer_wish_kills_the_older_confirmation(world, inside, mails, time):
    time.pass_(seconds=61)
    _old, newer = world.wish_for(inside, THIRD)
    page = world.visitor().get(mails[1].confirm_email)
    assert (page.status, page.h1) == (410, "This link no longer works")
    assert "you have asked for another since" in page.text
    assert press(world, newer.confirm_email).status == 303
    assert address(world) == (THIRD, THIRD)


# ------------------------------------------------------------------ confirming


def test_the_page_of_the_link_shows_no_whole_address_and_changes_nothing(world, mails):
    page = world.visitor().get(mails[1].confirm_email)
    assert (page.status, page.h1) == (200, "Confirm your new email address")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "a…@example.org" in page.text
    assert "s…@example.net" in page.text
    assert ANN not in page.html
    assert NEW not in page.html
    assert page.find("main button") == ["Confirm this address"]
    assert address(world) == (ANN, ANN)


def test_confirmed_in_the_own_browser_it_stays_signed_in_and_others_do_not(world, inside, mails):
    other = world.inside()
    assert press(world, mails[1].confirm_email, inside).location == "/security"
    page = inside.follow()
    words = "Your email address is changed. Sign in with the new one from now on."
    assert page.banner == words
    assert NEW in page.text
    assert address(world) == (NEW, NEW)
    assert other.get("/profile").location == "/sign-in"


def test_confirmed_in_another_browser_everybody_signs_in_anew(world, inside, mails):
    browser = world.visitor()
    assert press(world, mails[1].confirm_email, browser).location == "/sign-in"
    assert "is changed" in browser.follow().banner
    assert inside.get("/profile").location == "/sign-in"
    assert sign_in(browser, ANN).status == 422
    assert sign_in(browser, NEW).location == "/profile"


def test_a_way_back_in_goes_to_the_new_address_only(world, mails, time):
    press(world, mails[1].confirm_email)
    time.pass_(seconds=61)
    count = len(world.post.deliver())
    ask(world.visitor(), ANN)
    assert len(world.post.deliver()) == count
    browser, mail = world.asked(NEW)
    type_code(browser, mail.code)
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert sign_in(browser, NEW, OTHER_PASSWORD).location == "/profile"


def test_what_was_open_is_over(world, mails):
    browser, mail = world.asked()
    press(world, mails[1].confirm_email)
    assert type_code(browser, mail.code).status == 422
    assert world.visitor().get(mail.link).status == 410


def test_it_is_on_record_without_an_address(world, inside, mails):
    press(world, mails[1].confirm_email)
    press(world, mails[0].keep_email)
    found = world.rows("SELECT kind, detail FROM event WHERE kind LIKE 'email:%' ORDER BY id")
    assert found == [("email:asked", ""), ("email:changed", "1"), ("email:stopped", "put back")]


# ------------------------------------------------------------------ stopping


def test_the_page_of_the_stop_changes_nothing(world, mails):
    page = world.visitor().get(mails[0].keep_email)
    assert (page.status, page.h1) == (200, "Stop this change?")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "a…@example.org" in page.text
    assert "s…@example.net" in page.text
    assert page.find("main button") == ["Stop this change"]
    assert world.visitor().get(mails[1].confirm_email).status == 200


def test_stopped_in_time_nothing_comes_of_it(world, inside, mails):
    browser = world.visitor()
    assert press(world, mails[0].keep_email, browser).location == "/recover"
    words = "The change is stopped. Was it not you? Choose a new password now."
    assert browser.follow().banner == words
    page = world.visitor().get(mails[1].confirm_email)
    assert page.status == 410
    assert "The change was stopped" in page.text
    assert inside.get("/profile").status == 200
    assert address(world) == (ANN, ANN)


def test_stopped_afterwards_the_old_address_is_back_and_nobody_is_in(world, inside, mails):
    press(world, mails[1].confirm_email, inside)
    browser = world.visitor()
    page = browser.get(mails[0].keep_email)
    assert "has another email address now" in page.text
    assert browser.submit(mails[0].keep_email).location == "/recover/held"
    page = browser.follow()
    assert page.banner == "Your email address is the old one again."
    assert "a…@example.org" in page.text
    assert address(world) == (ANN, ANN)
    assert inside.get("/profile").location == "/sign-in"
    assert "on hold" in str(sign_in(world.visitor(), ANN).summary)
    owner, mail = world.asked()
    type_code(owner, mail.code)
    choose(owner, OTHER_PASSWORD)
    assert sign_in(owner, ANN, OTHER_PASSWORD).location == "/profile"


def test_each_link_works_once(world, mails):
    for link in mails[1].confirm_email, mails[0].keep_email:
        assert press(world, link).status == 303
        page = world.visitor().get(link)
        assert (page.status, page.h1) == (410, "This link no longer works")
        assert "It was used on " in page.text


# ------------------------------------------------------------------ made at the moment of sending


def again(world, recipe):
    """As if the worker had died before it could write down that the message had left."""
    world.write(
        "UPDATE outbox SET done_at = NULL, accepted_at = NULL, leased_until = NULL"
        " WHERE recipe = :recipe",
        recipe=recipe,
    )
    return world.post.deliver()[0]


def test_a_repeat_carries_a_link_of_its_own_and_the_older_one_dies(world, mails):
    old, new = again(world, "email_change_old"), again(world, "email_change_new")
    assert world.visitor().get(mails[0].keep_email).status == 410
    assert world.visitor().get(mails[1].confirm_email).status == 410
    assert press(world, new.confirm_email).status == 303
    assert press(world, old.keep_email).location == "/recover/held"


def test_the_old_address_is_told_even_when_the_new_one_was_quicker(world, inside, mails):
    press(world, mails[1].confirm_email)
    old = again(world, "email_change_old")
    assert (old.to, old.subject) == (ANN, mails[0].subject)
    assert press(world, old.keep_email).location == "/recover/held"


def test_nobody_is_asked_to_confirm_what_was_stopped(world, mails):
    press(world, mails[0].keep_email)
    before = len(world.post.deliver())
    again(world, "email_change_new")
    again(world, "email_change_old")
    assert len(world.post.deliver()) == before


def test_a_refused_hand_over_leaves_no_link(world, inside, monkeypatch):
    def refuse(*_parcel):
        raise NotAccepted(LATER, "451 4.3.0", walked=True)

    world.post.deliver()
    monkeypatch.setattr(transports, "send", refuse)
    inside.get(EMAIL)
    inside.submit(EMAIL, email=NEW)
    world.post.deliver()
    kept = "SELECT link_hash FROM challenge WHERE purpose IN ('change_email', 'keep_email')"
    assert world.rows(kept) == [(None,), (None,)]


def test_nothing_readable_of_the_links_is_kept(world, mails):
    tokens = [link.rpartition("/")[2] for link in (mails[0].keep_email, mails[1].confirm_email)]
    for table in "challenge", "outbox", "event", "email_change":
        rows = str(world.rows(f"SELECT * FROM {table}"))  # noqa: S608
        assert not [token for token in tokens if token in rows]


# ------------------------------------------------------------------ time


@pytest.mark.parametrize("hours, status", [(23, 200), (25, 410)])
def test_the_confirmation_lives_a_day(world, mails, time, hours, status):
    time.pass_(hours=hours)
    world.command("purge")
    page = world.visitor().get(mails[1].confirm_email)
    assert page.status == status
    assert status == 200 or "It is older than 24 hours." in page.text


@pytest.mark.parametrize("hours, status", [(7 * 24 - 1, 200), (7 * 24 + 1, 410)])
def test_the_stop_lives_a_week_tidying_or_not(world, mails, time, hours, status):
    press(world, mails[1].confirm_email)
    time.pass_(hours=hours)
    world.command("purge")
    page = world.visitor().get(mails[0].keep_email)
    assert page.status == status
    assert status == 200 or "It is older than 7 days." in page.text


def test_the_old_address_is_forgotten_when_it_cannot_come_back(world, mails, time):
    press(world, mails[1].confirm_email)
    time.pass_(days=9, hours=1)
    assert world.command("purge").exit_code == 0
    assert world.rows("SELECT count(*) FROM email_change") == [(0,)]
