"""Helping a person from the desk: each act through its form, on record, told to the person."""

import re
from datetime import timedelta

import pytest

from portal.core import clock
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, sign_in
from tests.policy.world import ANN, World, choose
from tests.rigs import authenticator
from tests.rigs.visitor import Visitor
from tests.staff.acting import KINDS, NEW, SAID, TICKET, act, acts_on, forge, page_of, ready

TOLD = {
    "recovery": "Recovery email sent to ann@example.org.",
    "sign-out": "Signed out 1 device. Ann gets an email about it.",
    "block": "The account is blocked and signed out everywhere. Ann gets an email about it.",
    "unblock": "The account is unblocked. Ann gets an email about it.",
    "clear-throttles": "There is nothing to wait for any more. Ann gets an email about it.",
    "resend-proof": "Confirmation email sent to new@example.org.",
    "clear-factor": "Two-step sign-in is off. Ann gets an email about it.",
}
MAILS = {
    "recovery": "Latchkey support sent you a way back in",
    "sign-out": "Latchkey support signed you out everywhere",
    "block": "Latchkey support blocked your account",
    "unblock": "Latchkey support unlocked your account",
    "clear-throttles": "Latchkey support unlocked your account",
    "resend-proof": "Confirm your email address",
    "clear-factor": "Two-step sign-in is off",
}
NEEDED = [
    "Choose how you checked who they are",
    "Enter the reason",
    "Enter the ticket number",
]


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def ruth(agent, ann):
    return agent("admin")


def again(world, staff):
    """The same colleague, signed in anew with the app."""
    browser = world.visitor()
    sign_in(browser, staff.email)
    authenticator.enter(browser, staff.factor)
    return browser


def sent_to(world, email):
    return [mail for mail in world.post.deliver() if mail.to == email]


@pytest.mark.parametrize("name", KINDS)
def test_an_act_is_done_told_and_on_record(world, ruth, name):
    path = ready(world, name)
    email = NEW if name == "resend-proof" else ANN
    before = len(sent_to(world, email))
    answer = act(ruth, path, name)
    assert (answer.status, answer.location) == (303, path)
    assert ruth.follow().banner == TOLD[name]
    (kind, change), *_earlier = acts_on(world, email)
    assert kind == KINDS[name]
    assert re.search(r"\w+ to \w+|^\d+$", change), change
    mails = sent_to(world, email)
    assert [mail.subject for mail in mails[: len(mails) - before]] == [MAILS[name]]


@pytest.mark.parametrize("name", KINDS)
def test_every_act_asks_how_why_and_on_which_ticket(world, ruth, name):
    path = ready(world, name)
    page = act(ruth, path, name, verified_by="", reason="   ", ticket="...")
    assert page.status == 422
    assert page.summary == NEEDED
    links = [node.attributes["href"] for node in page.tree.css(".summary a")]
    assert links == [f"#{name}-verified_by", f"#{name}-reason", f"#{name}-ticket"]
    assert len(page.tree.css("details.act[open]")) == 1
    assert page.tree.css_first("details.act[open] form").attributes["action"] == f"{path}/{name}"
    assert acts_on(world, ANN) + acts_on(world, NEW) == []


@pytest.mark.parametrize("field, longest", [("verified_by", 100), ("reason", 200), ("ticket", 50)])
def test_what_is_said_is_one_line_of_some_length(world, ruth, field, longest):
    path = ready(world, "recovery")
    for bad in "x" * (longest + 1), "two\nlines", "nul\0", "turned \u202e round", "x" * 10_000:
        page = forge(ruth, path, "recovery", **{field: bad})
        assert page.status == 422, bad[:20]
        assert set(page.errors) == {f"recovery-{field}"}
    assert acts_on(world, ANN) == []
    fine = forge(ruth, path, "recovery", **{field: "ü" * longest})
    assert fine.status == 303
    stored = f"SELECT {field} FROM event WHERE kind = 'recovery:sent-by-support'"  # noqa: S608
    assert world.rows(stored) == [("ü" * longest,)]


def test_any_way_of_checking_is_taken_and_kept_on_the_page(world, ruth):
    path = ready(world, "recovery")
    page = forge(ruth, path, "recovery", verified_by="Knows the canteen menu", ticket="")
    assert page.status == 422
    kept = page.form(f"{path}/recovery").fields
    assert kept["verified_by"] == "Knows the canteen menu"
    assert kept["reason"] == SAID["reason"]
    assert ruth.submit(f"{path}/recovery", ticket=TICKET).status == 303


def test_one_thing_is_open_and_the_ids_differ(world, ruth):
    path = ready(world, "recovery")
    page = ruth.get(path)
    acts = page.tree.css("details.act")
    assert {node.attributes["name"] for node in acts} == {"act"}
    assert page.tree.css("details.act[open]") == []
    names = {"csrf_token", "seen", "verified_by", "reason", "ticket"}
    assert page.form(f"{path}/recovery").names == names
    assert page.form(f"{path}/block").names == names | {"until"}


def test_a_stale_form_keeps_what_was_typed(world, ruth):
    path = page_of(world)
    ruth.get(path)
    page = ruth.submit(f"{path}/block", **SAID, until="2031-01-01", csrf_token="old")
    assert page.status == 400
    kept = page.form(f"{path}/block").fields
    assert (kept["reason"], kept["until"]) == (SAID["reason"], "2031-01-01")
    assert acts_on(world, ANN) == []


# ------------------------------------------------------------------ what is offered


def offered(browser, path):
    return {each.removeprefix(path + "/") for each in browser.get(path).forms if path in each}


def test_only_what_makes_sense_now_is_offered(world, agent, ruth):
    path = page_of(world)
    world.command("users", "clear-throttles", ANN)
    assert offered(ruth, path) == {"recovery", "block"}
    world.inside()
    assert offered(ruth, path) == {"recovery", "block", "sign-out"}
    sign_in(world.visitor(), ANN, "wrong")
    assert "clear-throttles" in offered(ruth, path)
    world.command("users", "block", ANN)
    assert offered(ruth, path) >= {"unblock"}
    assert not offered(ruth, path) & {"recovery", "block", "sign-out"}
    assert "resend-proof" in offered(ruth, ready(world, "resend-proof"))


def test_support_is_not_offered_what_admins_do(world, agent, ann):
    ready(world, "clear-factor")
    path = page_of(world)
    assert "clear-factor" not in offered(agent("support"), path)
    assert "clear-factor" in offered(agent("admin"), path)


@pytest.mark.parametrize(
    "role, whose", [("support", "admin"), ("viewer", "user"), ("admin", "own")]
)
def test_nobody_is_offered_acts_on_himself_or_upwards(world, agent, ann, role, whose):
    browser = agent(role)
    if whose == "admin":
        agent("admin")
    email = {"user": ANN, "own": "admin@example.org"}.get(whose, f"{whose}@example.org")
    assert offered(browser, page_of(world, email)) == set()


# ------------------------------------------------------------------ a way back in


def test_the_way_back_lets_the_person_in(world, ruth):
    act(ruth, page_of(world), "recovery")
    mail = world.post.newest(ANN)
    assert f"Ticket {TICKET}." in mail.text
    owner = world.visitor()
    owner.get(mail.link)
    assert owner.submit(mail.link, action="continue").location == "/auth/password-reset"
    assert choose(owner, OTHER_PASSWORD).location == "/sign-in"
    assert sign_in(owner, ANN, OTHER_PASSWORD).location == "/profile"


def test_one_way_back_at_a_time(world, agent, ruth, time):
    path = page_of(world)
    act(ruth, path, "recovery")
    world.post.deliver()
    omar = agent("support", "omar@example.org", "Omar Haddad")
    page = act(omar, path, "recovery")
    assert page.status == 422
    (words,) = page.summary
    assert words.startswith("Ruth Admin (admin@example.org) sent a recovery email on ")
    assert "Its link works once, until " in words
    time.pass_(minutes=14)
    assert act(omar, path, "recovery").status == 422
    time.pass_(minutes=1, seconds=1)
    assert act(omar, path, "recovery").status == 303


def test_another_way_back_once_the_first_was_used(world, ruth):
    path = page_of(world)
    act(ruth, path, "recovery")
    mail = world.post.newest(ANN)
    owner = world.visitor()
    owner.get(mail.link)
    owner.submit(mail.link, action="continue")
    page = act(ruth, path, "recovery")
    assert page.status == 429  # the pause between two is all that is left
    assert page.summary == ["We have just sent one. You can send another in 1 minute."]
    world.write("DELETE FROM throttle")
    assert act(ruth, path, "recovery").status == 303


def test_what_the_person_asked_for_does_not_keep_support_from_helping(world, ruth):
    _browser, mail = world.asked()
    assert act(ruth, page_of(world), "recovery").status == 303
    stranger = world.visitor()
    assert stranger.get(mail.link).status == 410
    assert world.visitor().get(world.post.newest(ANN).link).status == 200


def test_what_the_person_asks_for_afterwards_takes_its_place(world, ruth, time):
    path = page_of(world)
    act(ruth, path, "recovery")
    world.post.deliver()
    assert ask(world.visitor(), ANN).location == "/recover/code"
    time.pass_(seconds=61)
    assert act(ruth, path, "recovery").status == 303


# ------------------------------------------------------------------ blocks


def day(days):
    return f"{clock.now() + timedelta(days=days):%Y-%m-%d}"


def test_a_block_ends_everything_until_its_day(world, ruth, time):
    browser, path, until = world.inside(), page_of(world), day(10)
    program = world.app.test_client()
    typed = {"email": ANN, "password": PASSWORD}
    key = program.post("/api/v1/auth/token", json=typed).json["access_token"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert program.get("/api/v1/profile", headers=bearer).status_code == 200
    assert act(ruth, path, "block", until=until).status == 303
    assert program.get("/api/v1/profile", headers=bearer).status_code == 401
    assert browser.get("/profile").location == "/sign-in"
    assert sign_in(world.visitor(), ANN).status == 422
    mail = world.post.newest(ANN)
    assert "The block ends by itself on " in mail.text
    assert ", 00:00 UTC. Reason: Lost the phone. Ticket HD-20418." in mail.text
    assert "http" not in mail.text
    assert acts_on(world, ANN) == [
        ("account:blocked", f"blocked: no to until {until}T00:00:00Z, sign-ins: 2 to 0")
    ]
    time.pass_(days=11)
    assert sign_in(world.visitor(), ANN).location == "/profile"


def test_a_block_without_end_lasts(world, ruth, time):
    act(ruth, page_of(world), "block")
    assert "The block lasts until the helpdesk ends it." in world.post.newest(ANN).text
    time.pass_(days=3000)
    assert sign_in(world.visitor(), ANN).status == 422


@pytest.mark.parametrize(
    "until, words",
    [
        ("yesterday", "Enter a date like 2027-01-31"),
        ("2027-02-30", "Enter a date like 2027-01-31"),
        ("9" * 10_000, "Enter a date like 2027-01-31"),
        ("9999-12-31T23:59:59-23:59", "Enter a date like 2027-01-31"),
        ("2020-01-01", "Choose a day after today, or leave this empty"),
        ("0001-01-01", "Choose a day after today, or leave this empty"),
        ("9999-12-31", "Choose a day within 5 years, or leave this empty"),
        ("2027-01-01\0", "Enter a date like 2027-01-31"),
    ],
)
def test_a_block_ends_on_a_day_to_come(world, ruth, until, words):
    page = act(ruth, page_of(world), "block", until=until)
    assert page.status == 422
    assert page.errors == {"block-until": words}
    assert acts_on(world, ANN) == []


def test_today_is_over_and_five_years_are_the_longest(world, ruth, time):
    path = page_of(world)
    assert act(ruth, path, "block", until=day(0)).status == 422
    assert act(ruth, path, "block", until=day(5 * 365 + 3)).status == 422
    assert act(ruth, path, "block", until=day(5 * 365 + 2)).status == 303


def test_who_is_blocked_is_not_blocked_again(world, agent, ruth):
    path = page_of(world)
    act(ruth, path, "block")
    page = forge(agent("support"), path, "block")
    assert page.status == 422
    assert page.summary[0].startswith(
        "This account is blocked already, by Ruth Admin (admin@example.org), since "
    )
    assert f"{path}/block" not in page.forms
    assert f"{path}/unblock" in page.forms


def test_a_block_that_has_ended_can_be_set_again_and_not_ended(world, ruth, time):
    path = page_of(world)
    act(ruth, path, "block", until=day(2))
    time.pass_(days=2)
    admin = again(world, ruth)
    page = forge(admin, path, "unblock")
    assert page.status == 422
    assert page.summary == ["This account is not blocked."]
    assert act(admin, path, "block").status == 303
    assert acts_on(world, ANN)[0][1].startswith("blocked: no to yes")


def test_unblocking_twice_is_told(world, ruth):
    path = ready(world, "unblock")
    kept = ruth.get(path)
    ruth.submit(f"{path}/unblock", **SAID)
    ruth.page = kept
    page = ruth.submit(f"{path}/unblock", **SAID)
    assert page.status == 422
    words = "This account is not blocked. Ruth Admin (admin@example.org) unblocked this "
    assert page.summary[0].startswith(words)


# ------------------------------------------------------------------ waiting times, sign-ins, proofs


def test_the_waiting_is_over_at_once(world, ruth):
    path = ready(world, "clear-throttles")
    assert act(ruth, path, "clear-throttles").status == 303
    assert sign_in(world.visitor(), ANN).location == "/profile"
    assert "You no longer have to wait" in world.post.newest(ANN).text


def test_signing_out_ends_browsers_and_programs_and_leaves_the_password(world, ruth):
    browser, path = world.inside(), page_of(world)
    typed = {"email": ANN, "password": PASSWORD}
    program = world.app.test_client()
    tokens = program.post("/api/v1/auth/token", json=typed).json
    assert act(ruth, path, "sign-out").status == 303
    assert ruth.follow().banner.startswith("Signed out 2 devices.")
    assert browser.get("/profile").location == "/sign-in"
    again = program.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert again.status_code == 401
    mail = world.post.newest(ANN)
    assert "You can sign in again, with the password you had. Reason: Lost the phone." in mail.text
    assert mail.not_you
    assert sign_in(browser, ANN).location == "/profile"


def test_the_proof_comes_again_to_the_address_alone_without_a_code(world, ruth):
    path = ready(world, "resend-proof")
    assert act(ruth, path, "resend-proof").status == 303
    mail = world.post.newest(NEW)
    assert not mail.has_code
    assert "page you have open" not in mail.text + mail.html
    assert "Asked from Firefox on Linux" in mail.text
    owner = world.visitor()
    owner.get(mail.link)
    assert owner.submit(mail.link).status == 303
    assert act(ruth, path, "block").status == 303


def test_a_program_gets_its_code_again(world, ruth):
    wish = {"email": NEW, "password": PASSWORD, "full_name": "Noor New"}
    program = world.app.test_client()
    assert program.post("/api/v1/auth/register", json=wish).status_code == 202
    world.post.deliver()
    assert act(ruth, page_of(world, NEW), "resend-proof").status == 303
    typed = {"email": NEW, "code": world.post.newest(NEW).code}
    assert program.post("/api/v1/auth/verify-email", json=typed).status_code == 200


def test_proofs_are_sent_now_and_then(world, ruth, time):
    path = ready(world, "resend-proof")
    assert act(ruth, path, "resend-proof").status == 303
    page = act(ruth, path, "resend-proof")
    assert page.status == 429
    assert page.headers["Retry-After"] == "60"
    for _ in range(4):
        time.pass_(seconds=61)
        assert act(ruth, path, "resend-proof").status == 303
    time.pass_(seconds=61)
    assert act(ruth, path, "resend-proof").status == 429


def test_what_is_proven_needs_no_proof(world, ruth):
    page = forge(ruth, page_of(world), "resend-proof")
    assert page.status == 422
    assert page.summary == ["This address is confirmed already."]


def test_nobody_writes_about_acts_to_an_address_that_nobody_has_proven(world, ruth):
    path = ready(world, "resend-proof")
    before = len(sent_to(world, NEW))
    assert act(ruth, path, "block").status == 303
    assert ruth.follow().banner == "The account is blocked and signed out everywhere."
    assert len(sent_to(world, NEW)) == before


# ------------------------------------------------------------------ two at once


@pytest.mark.parametrize(
    "name", ["block", "sign-out", "clear-throttles", "unblock", "clear-factor"]
)
def test_the_second_press_is_told(world, ruth, name):
    path = ready(world, name)
    kept = ruth.get(path)
    assert ruth.submit(f"{path}/{name}", **SAID).status == 303
    ruth.page = kept
    assert ruth.submit(f"{path}/{name}", **SAID).status == 422
    assert [kind for kind, _change in acts_on(world, ANN)] == [KINDS[name]]


def test_a_colleague_who_was_quicker_is_named_and_what_was_typed_stays(world, agent, ruth):
    path = page_of(world)
    omar = agent("support", "omar@example.org", "Omar Haddad")
    omar.get(path)
    act(ruth, path, "recovery")
    page = omar.submit(f"{path}/block", **SAID, until="2028-01-01")
    assert page.status == 422
    (words,) = page.summary
    assert words.startswith("Ruth Admin (admin@example.org) sent a recovery email on ")
    assert words.endswith(" UTC. Look at the page again before you go on.")
    assert page.form(f"{path}/block").fields["until"] == "2028-01-01"
    assert omar.submit(f"{path}/block", until="").status == 303  # with what he has seen now
    assert [kind for kind, _change in acts_on(world, ANN)] == [KINDS["block"], KINDS["recovery"]]


def test_the_operator_may_be_quicker_too(world, ruth):
    path = page_of(world)
    ruth.get(path)
    world.command("users", "block", ANN)
    world.command("users", "unblock", ANN)
    page = ruth.submit(f"{path}/recovery", **SAID)
    assert page.summary[0].startswith("The operator unblocked this account on ")


def test_looking_and_own_acts_overtake_nobody(world, agent, ruth):
    path = page_of(world)
    kept = ruth.get(path)
    agent("support").get(path)
    assert ruth.submit(f"{path}/recovery", **SAID).status == 303
    ruth.page = kept
    assert ruth.submit(f"{path}/block", **SAID).status == 303


@pytest.mark.parametrize("seen", [None, "", "x", "-1", "1e3", "９", "9" * 30])
def test_a_form_that_does_not_say_what_was_seen_is_not_compared(world, agent, ruth, seen):
    path = page_of(world)
    act(ruth, path, "recovery")
    said = {} if seen is None else {"seen": seen}
    assert forge(agent("support"), path, "block", **said).status == 303


# ------------------------------------------------------------------ who is not there


def test_a_person_who_is_not_there(world, ruth):
    nobody = "/admin/people/00000000-0000-4000-8000-000000000000"
    assert forge(ruth, nobody, "block").status == 404
    assert forge(ruth, "/admin/people/1", "block").status == 404


@pytest.mark.parametrize("name", KINDS)
def test_a_person_who_was_purged_meanwhile(world, ruth, name):
    path = ready(world, name)
    ruth.get(path)
    world.write("DELETE FROM person WHERE email IN (:ann, :new)", ann=ANN, new=NEW)
    assert ruth.submit(f"{path}/{name}", **SAID).status == 404


def test_a_person_who_was_deleted_meanwhile(world, ruth):
    world.inside()
    path = page_of(world)
    ruth.get(path)
    world.command("users", "delete", ANN)
    page = forge(ruth, path, "recovery")
    assert page.status == 422
    assert page.summary == ["This account is blocked or deleted. End that first."]
    assert forge(ruth, path, "sign-out").summary == ["This person is signed in nowhere."]


def test_whoever_is_demoted_meanwhile_acts_no_more(world, ruth):
    path = page_of(world)
    ruth.get(path)
    agent_page = ruth.page
    world.command("staff", "role", "admin@example.org", "user")
    ruth.page = agent_page
    assert ruth.submit(f"{path}/block", **SAID).location.startswith("/sign-in")
    assert acts_on(world, ANN) == []


def test_the_operator_blocks_until_a_day(world, ann, time):
    assert world.command("users", "block", ANN, "--until", day(1)).exit_code == 0
    refused = world.command("users", "block", ANN, "--until", "soon")
    assert (refused.exit_code, refused.output) == (1, "Error: Enter a date like 2027-01-31\n")
    again = world.command("users", "block", ANN)
    assert again.exit_code == 1
    assert "This account is blocked already, by The operator, since " in again.output
    time.pass_(days=1)
    assert sign_in(world.visitor(), ANN).location == "/profile"
    refused = world.command("users", "unblock", ANN)
    assert refused.output == "Error: This account is not blocked.\n"


def test_strangers_and_people_do_not_know_of_it(world, ann, inside):
    path = page_of(world)
    for name in KINDS:
        assert forge(inside, path, name).status == 404
        stranger = Visitor(world.app)
        assert stranger.post(f"{path}/{name}", SAID).location == "/sign-in"
