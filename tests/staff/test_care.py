"""What the desk owes: looking is told, nobody goes without a name, counts are read once."""

import pytest
from sqlalchemy import event as events

from portal.core.db import db
from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.world import ANN, World, choose
from tests.rigs import authenticator
from tests.staff.acting import NEW, SAID, act, acts_on, forge, page_of, ready
from tests.staff.test_acts import offered
from tests.staff.test_person_page import openings

RUTH = "ruth@example.org"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def ruth(agent, ann):
    return agent("admin", RUTH, "Ruth Lund")


@pytest.fixture
def nameless(world, ruth):
    """Ruth, who never said what she is called."""
    world.write("UPDATE person SET full_name = '' WHERE email = :ruth", ruth=RUTH)
    return ruth


def statements(world):
    """-> a list that fills with what the database is asked."""
    found = []
    with world.app.app_context():
        events.listen(db.engine, "before_cursor_execute", lambda *told: found.append(told[2]))
    return found


# ------------------------------------------------------------------ looking


def test_a_page_that_a_refusal_shows_was_looked_at(world, ruth):
    path = page_of(world)
    assert forge(ruth, path, "block", reason="").status == 422
    assert len(openings(world)) == 1
    ruth.get(path)
    assert len(openings(world)) == 1


def test_a_page_that_a_stale_form_shows_was_looked_at(world, ruth):
    assert ruth.post(f"{page_of(world)}/block", SAID).status == 400
    assert len(openings(world)) == 1


def test_a_page_that_shows_a_pause_was_looked_at(world, ruth):
    path = ready(world, "resend-proof")
    assert forge(ruth, path, "resend-proof").status == 303
    assert openings(world, NEW) == []
    assert forge(ruth, path, "resend-proof").status == 429
    assert len(openings(world, NEW)) == 1


# ------------------------------------------------------------------ a colleague without a name


def test_colleagues_are_told_the_address_and_people_are_not(world, nameless, agent):
    path = page_of(world)
    assert act(nameless, path, "block").status == 303
    omar = agent("support", "omar@example.org", "Omar Haddad")
    page = omar.get(path)
    assert f"{RUTH} blocked the account on " in page.find(".standing")[0]
    assert f"Account blocked by {RUTH}" in page.text
    assert RUTH in omar.get("/admin/log?kind=account:blocked").find("tbody td")
    again = forge(omar, path, "block")
    assert again.summary[0].startswith(f"This account is blocked already, by {RUTH}, since ")
    mail = world.post.newest(ANN)
    assert mail.text.count("The Latchkey helpdesk blocked the account of") == 1
    act(nameless, path, "unblock")
    own = world.inside().get("/security/activity")
    assert "Account blocked by the helpdesk" in own.text
    assert RUTH not in own.html + mail.text + mail.html


def test_a_colleague_without_a_name_is_told_to_the_second(world, nameless, agent):
    path = page_of(world)
    omar = agent("support", "omar@example.org", "Omar Haddad")
    omar.get(path)
    act(nameless, path, "recovery")
    page = omar.submit(f"{path}/block", **SAID)
    assert page.summary[0].startswith(f"{RUTH} sent a recovery email on ")


# ------------------------------------------------------------------ what keeps people out


def fail_second_steps(world, factor):
    """Somebody who knows the password types wrong codes until the second step waits."""
    stranger = world.visitor(address="203.0.113.50")
    sign_in(stranger, ANN)
    for _again in range(5):
        stranger.get(authenticator.APP)
        stranger.submit(authenticator.APP, code=authenticator.code(factor.key, 9))
    stranger.get(authenticator.APP)
    assert stranger.submit(authenticator.APP, code=factor.code()).status == 429


def test_a_second_step_that_waits_is_told_and_can_be_ended(world, ruth):
    factor = authenticator.set_up(world.inside())
    path = page_of(world)
    fail_second_steps(world, factor)
    told = ruth.get(path).find(".standing")[0]
    assert told.startswith("Can sign in, with something in the way")
    assert "wrong codes at the second step: it waits until " in told
    assert "Until then a backup code does not help." in told
    assert act(ruth, path, "clear-throttles").status == 303
    assert ruth.get(path).find(".standing")[0] == "Can sign in."
    other = world.visitor(address="203.0.113.51")
    sign_in(other, ANN)
    assert authenticator.enter(other, factor, backup=True).location == "/profile"


def test_a_block_on_a_deleted_account_ends_first(world, ruth):
    leave(world)
    path = page_of(world)
    told = ruth.get(path).find(".standing")[0]
    assert "Next: until then, signing in undoes it." in told
    world.command("users", "block", ANN)
    told = ruth.get(path).find(".standing")[0]
    assert told.startswith("Cannot sign in")
    assert "Next: the block ends first. After that, signing in undoes it." in told
    assert "until then, signing in" not in told


def test_who_left_too_long_ago_is_not_told_to_sign_in(world, ruth, time):
    leave(world)
    path = page_of(world)
    time.pass_(minutes=1)
    world.write("UPDATE person SET deleted_at = '2020-01-01 00:00:00' WHERE email = :ann", ann=ANN)
    told = ruth.get(path).find(".standing")[0]
    assert told.startswith("Cannot sign in")
    assert "Next: nothing. The time to come back is over." in told


def test_counts_are_read_once_however_many_devices_are_known(world, ruth):
    for number in range(4):
        sign_in(world.visitor(address=f"203.0.113.{number}"), ANN)
    sign_in(world.visitor(), ANN, "wrong")
    path = page_of(world)
    ruth.get(path)
    asked = statements(world)
    page = ruth.get(path)
    assert f"{path}/clear-throttles" in page.forms
    assert len([each for each in asked if each.startswith("SELECT throttle.name")]) == 1


def test_what_counts_as_seen_is_read_before_what_is_shown(world, ruth):
    path = page_of(world)
    ruth.get(path)
    asked = statements(world)
    ruth.get(path)
    first, *others = [each for each in asked if "FROM event" in each]
    assert "event.kind !=" in first
    assert others


# ------------------------------------------------------------------ who left may come back


def leave(world):
    """Ann deletes her account."""
    browser = world.inside()
    browser.get("/security/delete")
    assert browser.submit("/security/delete", password=PASSWORD).location == "/sign-in"


def test_who_left_by_their_own_wish_is_helped_back_in(world, ruth):
    leave(world)
    world.post.deliver()
    path = page_of(world)
    assert "recovery" in offered(ruth, path)
    assert act(ruth, path, "recovery").status == 303
    way = "Latchkey support sent you a way back in"
    (mail,) = [each for each in world.post.deliver() if each.subject == way]
    owner = world.visitor()
    owner.get(mail.link)
    owner.submit(mail.link, action="continue")
    assert choose(owner, OTHER_PASSWORD).location == "/sign-in"
    assert sign_in(owner, ANN, OTHER_PASSWORD).location == "/profile"


def test_who_was_deleted_by_others_or_is_blocked_too_is_not(world, ruth):
    leave(world)
    world.command("users", "block", ANN)
    path = page_of(world)
    assert "recovery" not in offered(ruth, path)
    assert forge(ruth, path, "recovery").status == 422
    world.command("users", "unblock", ANN)
    world.command("users", "delete", ANN)
    assert forge(ruth, path, "recovery").status == 422


# ------------------------------------------------------------------ half a sign-in


def test_half_a_sign_in_alone_is_ended_too(world, ruth):
    browser = world.inside()
    factor = authenticator.set_up(browser)
    browser.get("/profile")
    browser.submit("/sign-out")
    half = world.visitor()
    assert sign_in(half, ANN).location == authenticator.APP
    half.get(authenticator.APP)
    path = page_of(world)
    assert "sign-out" in offered(ruth, path)
    assert act(ruth, path, "sign-out").location == path
    told = "The sign-in that waited for its second step is over. Ann gets an email about it."
    assert ruth.follow().banner == told
    assert half.submit(authenticator.APP, code=factor.code()).location == "/sign-in"
    assert acts_on(world, ANN) == [("account:signed-out", "sign-ins: 0 to 0")]
    assert forge(ruth, path, "sign-out").summary == ["This person is signed in nowhere."]


# ------------------------------------------------------------------ mails, links, names of counts


def test_the_reason_is_read_in_the_way_back_and_in_the_proof(world, ruth):
    why = "Lost the phone on 21/11/2026, bill 4182056"
    act(ruth, page_of(world), "recovery", reason=why)
    act(ruth, ready(world, "resend-proof"), "resend-proof", reason=why)
    for email in ANN, NEW:
        mail = world.post.newest(email)
        assert f" Reason: {why}. Ticket HD-20418." in mail.text
        assert f" Reason: {why}. Ticket HD-20418." in mail.html
    proof = world.post.newest(NEW)
    assert "The helpdesk sent this again. Reason" in proof.text
    assert "Ruth" not in proof.text + proof.html


def test_a_proof_that_nobody_helped_with_names_no_helpdesk(world, ruth):
    ready(world, "resend-proof")
    assert "sent this again" not in world.post.newest(NEW).text


def test_who_gets_no_email_is_promised_none(world, ruth):
    page = ruth.get(ready(world, "resend-proof"))
    assert "They get no email about it until the address is confirmed." in page.text
    read = page.find("details.act form[action$=resend-proof] .hint")
    assert read == ["They read it in the email. Leave out links and addresses."]
    assert page.find("details.act form[action$=block] [id$=reason-hint]") == []
    assert "they get an email about it" in ruth.get(page_of(world)).text


def test_the_page_leads_to_all_that_staff_did(world, ruth):
    path = page_of(world)
    act(ruth, path, "recovery")
    page = ruth.get(path)
    log = ruth.get(page.links["All that staff did here"])
    assert log.find("tbody th") == ["Recovery email sent", "Account page opened"]


def test_filters_are_called_by_what_they_choose(ruth):
    page = ruth.get("/admin/deliveries")
    names = [node.attributes["aria-label"] for node in page.tree.css("nav.filters")]
    assert names == ["Show", "Channel"]


def test_clearing_the_waiting_leaves_the_limit_of_invitations(world, ruth):
    staff = "/admin/staff"
    for _again in range(5):
        ruth.get(staff)
        assert ruth.submit(staff, email=ANN, role="viewer").status == 303
    world.command("users", "clear-throttles", ANN)
    ruth.get(staff)
    assert ruth.submit(staff, email=ANN, role="viewer").status == 429
