"""The page of one person: how things stand, what happened, and that looking is told."""

import re
from datetime import UTC, datetime

import pytest

from portal.accounts import people, waiting
from portal.core import clock
from portal.core.db import transaction
from portal.staff.standing import TIMES
from tests.conftest import OTHER_PASSWORD, ask, sign_in
from tests.policy.world import ANN, World, choose, type_code, wrong
from tests.rigs import authenticator

BOB = "bob@example.net"
PASSWORDS = "wrong password"
KEEP_NOBODY_OUT = "wrong codes in day"  # once a day the owner is written to
PAUSES = {"send password_reset", "send verify_email", "send verify_phone"}  # of a minute


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def support(agent):
    return agent("support", full_name="Ruth Lund")


def path(world, email=ANN):
    with world.app.app_context():
        return f"/admin/people/{people.find(email).uuid}"


def seen(world, browser, email=ANN, query=""):
    page = browser.get(path(world, email) + query)
    assert page.status == 200
    return page


def standing(page):
    return page.find(".standing")[0]


def write(world, **values):
    """What becomes of Ann."""
    with world.app.app_context(), transaction():
        person = people.find(ANN)
        for name, value in values.items():
            setattr(person, name, value)


def ann_id(world):
    with world.app.app_context():
        return people.find(ANN).id


# ------------------------------------------------------------------ how things stand


def test_somebody_who_can_sign_in_is_told_so(world, support, ann):
    page = seen(world, support)
    assert (page.h1, standing(page)) == (ann.full_name, "Can sign in.")
    assert f"Account No. {ann_id(world)}" in page.text


def test_a_block_says_who_did_it_and_until_when(world, support, ann):
    page = seen(world, support)
    said = {"verified_by": "Showed identity in person", "reason": "Stolen", "ticket": "HD-7"}
    block = f"{path(world)}/block"
    until = (clock.now().date().replace(day=1)).replace(year=clock.now().year + 1)
    support.submit(block, **said, until=until.isoformat())
    told = standing(seen(world, support))
    assert told.startswith("Cannot sign in")
    assert "Ruth Lund (support@example.org) blocked the account on" in told
    assert f"Until {until.day} {until:%B %Y}, 00:00 UTC." in told
    assert "Next: nothing. The block ends by itself." in told
    assert page.status == 200


def test_a_block_without_an_end_says_so(world, support, ann):
    world.command("users", "block", ANN)
    told = standing(seen(world, support))
    assert "The operator blocked the account on" in told
    assert "until somebody ends that" in told


def test_a_deletion_by_others_and_by_oneself_are_told_apart(world, support, ann):
    world.command("users", "delete", ANN)
    told = standing(seen(world, support))
    assert told.startswith("Cannot sign in")
    assert "deleted for them" in told
    assert "ask the operator to restore it" in told
    write(world, deleted_by_id=ann_id(world))
    told = standing(seen(world, support))
    assert told.startswith("Can sign in, with something in the way")
    assert "signing in undoes it" in told


def test_a_hold_and_an_unproven_address_have_their_next_step(world, support, ann):
    write(world, held_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), email_proven_at=None)
    told = standing(seen(world, support))
    assert told.startswith("Cannot sign in")
    assert "2 January 2026, 03:04 UTC" in told
    assert "Next: send a recovery email." in told
    assert "Next: send the confirmation email again." in told


def test_wrong_passwords_are_told_with_place_and_end(world, support, ann, time):
    for number in range(9):
        sign_in(world.visitor(), ANN, f"wrong {number}")
    assert standing(seen(world, support)) == "Can sign in."
    sign_in(world.visitor(), ANN, "wrong again")
    told = standing(seen(world, support))
    assert "10 wrong passwords from 198.51.100.0/24" in told
    assert "choosing a new password works at once" in told
    time.pass_(minutes=5, seconds=1)
    assert standing(seen(world, support)) == "Can sign in."


def test_wrong_codes_and_used_up_messages_are_told(world, support, ann, time):
    browser, mail = world.asked()
    for step in range(1, 6):
        type_code(browser, wrong(mail.code, step))
    assert "5 wrong codes: no code is looked at until" in standing(seen(world, support))
    for _again in range(4):
        time.pass_(seconds=61)
        ask(world.visitor(), ANN)
    assert "5 messages were asked for: no more until" in standing(seen(world, support))


def test_the_counts_are_those_that_the_doors_use(world, ann):
    """All that keeps somebody out is known to the page, by the names that the doors count by."""
    browser = world.inside()
    world.add_phone(browser)
    factor = authenticator.set_up(browser)
    stranger, mail = world.asked()
    type_code(stranger, wrong(mail.code))
    sign_in(world.visitor(), ANN, "wrong")
    half = world.visitor()
    sign_in(half, ANN)
    half.get(authenticator.APP)
    half.submit(authenticator.APP, code=authenticator.code(factor.key, 9))
    with world.app.test_request_context():
        names = {each.name for each in waiting.running(people.find(ANN))}
    assert set(TIMES) <= names
    others = names - set(TIMES) - PAUSES
    assert {each for each in others if not each.startswith((PASSWORDS, KEEP_NOBODY_OUT))} == set()


# ------------------------------------------------------------------ facts


def test_facts_name_the_account_and_nothing_secret(world, support, ann):
    browser = world.inside()
    world.add_phone(browser)
    browser.get("/profile")
    browser.submit("/profile/work", organisation="Northfold Care")
    browser.get("/profile")
    browser.submit("/profile/location", city="Leeds", country="GB")
    browser.get("/profile")
    browser.submit("/profile/name", full_name="Ann Miller", username="ann.m")
    page = seen(world, support)
    told = page.find(".facts")[0]
    for fact in (ANN, "ann.m", "+44 7400 218305", "Northfold Care", "Leeds, United Kingdom", "Off"):
        assert fact in told
    assert path(world).rpartition("/")[2] in told
    [(password_hash,)] = world.rows("SELECT password_hash FROM person WHERE email = :m", m=ANN)
    assert str(password_hash)[-20:] not in page.html


def test_codes_and_links_never_reach_the_page(world, support, ann):
    _browser, mail = world.asked()
    page = seen(world, support)
    token = mail.link.rpartition("/")[2]
    assert mail.code not in page.html
    assert token not in page.html
    [(id_, hash_)] = world.rows(
        "SELECT id, link_hash FROM challenge WHERE purpose = 'password_reset'"
    )
    assert str(id_) not in page.html
    assert str(hash_) not in page.html
    assert "Getting back in" in page.text


def test_devices_and_messages_are_this_persons_alone(world, support, ann, sign_up):
    sign_up(BOB, "Bob Brown")
    bob = world.visitor(agent="Mozilla/5.0 (iPhone) Safari/1")
    sign_in(bob, BOB)
    ask(world.visitor(), BOB)
    world.post.deliver()
    mine, bobs = seen(world, support), seen(world, support, BOB)
    assert "Signed in nowhere." in mine.text
    assert "Safari on iPhone" not in mine.text
    assert BOB not in mine.html
    assert "Safari on iPhone" in bobs.text
    assert ANN not in bobs.html


def test_messages_come_ten_at_a_time(world, agent, ann, time):
    for _again in range(12):
        time.pass_(hours=25)
        ask(world.visitor(), ANN)
    world.post.deliver()
    support = agent("support")
    page = seen(world, support)
    assert len(page.find("section[aria-labelledby=messages-h] tbody tr")) == 10
    older = seen(world, support, query="?page=2")
    assert older.find("section[aria-labelledby=messages-h] tbody tr")
    assert "Newer" in older.links
    for query in ("?page=0", "?page=-4", f"?page={9**30}", "?page=x", "?before=-1",
                  f"?before={9**30}", "?before=%00", "?show=%00", "?show=nothing"):  # fmt: skip
        assert seen(world, support, query=query).h1 == ann.full_name


def test_a_name_cannot_break_the_page(world, support, ann):
    write(world, full_name="<b>Ann</b> \u05d0\u05d1 ' \" {{ 7 }}")
    assert seen(world, support).h1.startswith("<b>Ann</b>")


# ------------------------------------------------------------------ where recovery stops


def test_the_funnel_counts_how_far_each_way_back_in_came(world, support, ann, time):
    assert "Nobody asked for a way back in" in seen(world, support).text
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)
    time.pass_(minutes=2)
    world.asked()
    page = seen(world, support)
    counts = [re.findall(r"\d+", each)[0] for each in page.find(".chart tbody tr td:nth-child(2)")]
    assert "The brass mark shows everyone." in page.text
    assert counts == ["2", "2", "1", "1", "1"]
    assert "2 sent, 1 opened." in page.find(".finding")[0]


# ------------------------------------------------------------------ looking is told


def openings(world, email=ANN):
    wanted = (
        "SELECT event.actor_id, event.desk FROM event JOIN person ON person.id = event.person_id "
        "WHERE person.email = :email AND kind = 'desk:opened' ORDER BY event.id"
    )
    return world.rows(wanted, email=email)


def test_opening_the_page_is_told_to_the_person_once_in_a_while(world, support, agent, ann, time):
    seen(world, support)
    seen(world, support, query="?show=staff")
    assert len(openings(world)) == 1
    ((actor, desk),) = openings(world)
    with world.app.app_context():
        assert (people.get(actor).email, bool(desk)) == (support.email, True)
    own = world.inside().get("/security/activity")
    assert "Account page opened by Ruth Lund" in own.text
    seen(world, agent("viewer"))
    assert len(openings(world)) == 2
    time.pass_(minutes=15, seconds=1)
    seen(world, support)
    assert len(openings(world)) == 3


def test_searching_alone_opens_nothing(world, support, ann):
    support.get("/admin/people?q=ann")
    assert openings(world) == []


def test_one_may_read_upwards_and_about_oneself(world, agent):
    viewer, admin = agent("viewer"), agent("admin")
    assert seen(world, viewer, admin.email).find(".act") == []
    page = seen(world, viewer, viewer.email)
    assert page.find(".act") == []
    assert len(openings(world, admin.email)) == 1


def test_a_viewer_sees_everything_and_no_form(world, agent, support, ann):
    viewer = agent("viewer")
    page = seen(world, viewer)
    assert [each for each in page.forms if each.startswith(path(world))] == []
    assert [each for each in seen(world, support).forms if each.startswith(path(world))] != []


def test_who_is_not_there_is_not_found(world, support, ann):
    for uuid in ("00000000-0000-0000-0000-000000000000", "1", "x", "%00", "' OR 1=1"):
        assert support.get(f"/admin/people/{uuid}").status == 404
    there = path(world)
    world.write("DELETE FROM person WHERE role = 'user'")
    assert support.get(there).status == 404
    assert openings(world) == []


def test_others_do_not_find_it(world, visitor, ann, sign_up):
    there = path(world)
    assert visitor.get(there).location == f"/sign-in?next={there}"
    sign_up(BOB, "Bob Brown")
    page = world.inside(BOB).get(there)
    assert (page.status, "Miller" in page.text) == (404, False)
    assert openings(world) == []
