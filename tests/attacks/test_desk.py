# ruff: noqa: E501 - tables, as wide as their texts
"""What the helpdesk can do to people, and what nobody can do through it."""

import logging
import re

import pytest

from tests.attacks.conftest import dump
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, sign_in
from tests.policy.world import ANN, World
from tests.rigs import authenticator
from tests.rigs.visitor import Visitor
from tests.staff.acting import CHECK, KINDS, NEW, REASON, SAID, TICKET, act, forge, page_of, ready

DESK = ["/admin", "/admin/people?q=ann", "/admin/log", "/admin/deliveries", "/admin/staff"]
FORGED = {
    "role": "admin", "is_admin": "1", "id": "1", "person_id": "1", "uuid": "1", "email": "eve@evil.example",
    "actor_id": "1", "actor": "1", "by": "1", "desk": "0", "kind": "desk:opened", "detail": "nothing",
    "request": "0", "at": "2020-01-01", "blocked_at": "2020-01-01", "blocked_until": "2090-01-01",
    "deleted_at": "2020-01-01", "two_step_at": "", "email_proven_at": "", "password": OTHER_PASSWORD,
    "confirm_password": OTHER_PASSWORD, "password_hash": "x", "person.role": "admin", "person[role]": "admin",
    "twoStepAt": "", "session_id": "1", "link_path": "https://evil.example/{token}", "door": "page",
}  # fmt: skip


@pytest.fixture
def world(app):
    return World(app)


def person(world, email=ANN):
    """Everything that the row of an account says."""
    (row,) = world.rows("SELECT * FROM person WHERE email = :email", email=email)
    return row


def events(world):
    """What the desk did; looking at pages left out."""
    return world.rows("SELECT id FROM event WHERE desk AND kind <> 'desk:opened' ORDER BY id")


# ------------------------------------------------------------------ mass assignment, other ids


@pytest.mark.parametrize("name", ["recovery", "sign-out", "clear-throttles"])
def test_authz_01_more_fields_than_the_form_has_change_nothing(world, ann, agent, name):
    ruth, path = agent("admin"), ready(world, name)
    before = person(world)
    answer = forge(ruth, path, name, **FORGED)
    assert answer.status == 303
    assert person(world) == before
    kept = "SELECT actor.email, target.email, kind, desk FROM event JOIN person actor ON actor.id = actor_id JOIN person target ON target.id = person_id WHERE verified_by <> ''"
    assert world.rows(kept) == [(ruth.email, ANN, KINDS[name], True)]
    assert "evil" not in str([mail.text for mail in world.post.deliver()])


def test_authz_01_until_belongs_to_blocks_alone(world, ann, agent):
    ruth, path = agent("admin"), page_of(world)
    assert forge(ruth, path, "recovery", until="2020-01-01").status == 303
    assert world.rows("SELECT blocked_until FROM person WHERE blocked_until IS NOT NULL") == []


def test_authz_02_only_the_person_of_the_path_is_acted_on(world, ann, agent, sign_up):
    sign_up("bob@example.org", "Bob Hill")
    ruth, path = agent("admin"), page_of(world)
    ((bob,),) = world.rows("SELECT id FROM person WHERE email = 'bob@example.org'")
    before = person(world, "bob@example.org")
    for field in "id", "person_id", "uuid", "person":
        forge(ruth, path, "block", **{field: str(bob)})
    assert person(world, "bob@example.org") == before
    assert world.rows("SELECT DISTINCT email FROM person WHERE blocked_at IS NOT NULL") == [(ANN,)]


@pytest.mark.parametrize("name", KINDS)
def test_authz_02_a_person_is_named_by_the_long_number_alone(world, ann, agent, name):
    ruth = agent("admin")
    ((number,),) = world.rows("SELECT id FROM person WHERE email = :ann", ann=ANN)
    before = events(world)
    for odd in str(number), "0", "-1", ANN, "%25", "00000000-0000-4000-8000-000000000000":
        assert forge(ruth, f"/admin/people/{odd}", name).status == 404, odd
    assert events(world) == before


# ------------------------------------------------------------------ who may do what


def test_authz_03_a_viewer_reads_and_does_nothing(world, ann, agent):
    viewer = agent("viewer")
    for name in KINDS:
        path = ready(world, name) if name in ("recovery", "resend-proof") else page_of(world)
        assert viewer.get(path).status == 200
        before = dump(world.app)
        page = forge(viewer, path, name)
        assert page.status == 403, name
        assert "Your role does not have this right." in page.text
        assert dump(world.app)["person"] == before["person"]
        assert dump(world.app)["event"] == before["event"]


def test_authz_03_what_only_admins_may_is_refused_to_support(world, ann, agent):
    path = ready(world, "clear-factor")
    before = person(world)
    assert forge(agent("support"), path, "clear-factor").status == 403
    assert person(world) == before


@pytest.mark.parametrize("name", KINDS)
def test_authz_03_nobody_acts_upwards_or_on_himself(world, agent, name):
    support, admin = agent("support"), agent("admin")
    before = {email: person(world, email) for email in (support.email, admin.email)}
    upwards = forge(support, page_of(world, admin.email), name)
    himself = forge(admin, page_of(world, admin.email), name)
    assert (upwards.status, himself.status) == (403, 403)
    assert "Nobody does this to the own account. Ask a colleague." in himself.text
    if name != "clear-factor":
        assert "This account may do more than yours. Ask an admin." in upwards.text
    assert before == {email: person(world, email) for email in before}
    assert admin.get("/profile").status == 200


@pytest.mark.parametrize("name", KINDS)
def test_authz_03_for_everybody_else_it_is_not_there(world, ann, agent, inside, name):
    path = page_of(world)
    half = Visitor(world.app)
    sign_in(half, agent("support").email)
    before = events(world)
    assert forge(inside, path, name).status == 404
    assert half.post(f"{path}/{name}", SAID).location == "/sign-in"
    assert Visitor(world.app).post(f"{path}/{name}", SAID).location == "/sign-in"
    key = inside.client.post("/api/v1/auth/token", json={"email": ANN, "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {key.json['access_token']}"}
    program = world.app.test_client().post(f"{path}/{name}", data=SAID, headers=bearer)
    assert program.status_code == 303
    assert events(world) == before


@pytest.mark.parametrize("name", KINDS)
def test_authz_03_a_form_of_another_site_does_nothing(world, ann, agent, name):
    ruth, path = agent("admin"), ready(world, name)
    before = events(world)
    assert ruth.post(f"{path}/{name}", SAID).status == 400
    assert ruth.get(f"{path}/{name}").status == 405
    ruth.get(path)
    fields = ruth.page.form(f"{path}/{name}").fields | SAID
    assert ruth.post(f"{path}/{name}", fields, Origin="https://evil.example").status == 400
    assert events(world) == before


# ------------------------------------------------------------------ no impersonation, no secrets


def secrets_of(mail):
    found = set(re.findall(r"(?<!\d)\d{6}(?!\d)", mail.text))
    return found | {link.rpartition("/")[2] for link in re.findall(r"/link/\S+", mail.text)}


def test_authz_06_no_agent_sees_a_code_or_a_link(world, ann, agent, caplog):
    caplog.set_level(logging.DEBUG)
    ruth, fresh = agent("admin"), ready(world, "resend-proof")
    path = page_of(world)
    ask(world.visitor(), ANN)
    world.post.deliver()
    assert act(ruth, path, "recovery").status == 303
    pages = [ruth.follow().html]
    assert act(ruth, fresh, "resend-proof").status == 303
    pages.append(ruth.follow().html)
    told = [mail for mail in world.post.deliver() if mail.to in (ANN, NEW)]
    hidden = set.union(*map(secrets_of, told))
    assert len(hidden) >= 4
    for address in [path, fresh, *DESK]:
        page = ruth.get(address)
        if page.is_html:
            pages.append(page.html)
    rows = dump(world.app)
    kept = [each for row in rows["event"] + rows["outbox"] for each in row if type(each) is str]
    for secret in hidden:
        for text in [*pages, caplog.text, *kept]:
            assert not re.search(rf"(?<!\d){re.escape(secret)}(?!\d)", text), secret


def test_authz_06_no_agent_chooses_a_password_or_becomes_somebody(world, ann, agent):
    ruth, path = agent("admin"), page_of(world)
    hashed = "SELECT password_hash FROM person WHERE email = :ann"
    before = world.rows(hashed, ann=ANN)
    for name in KINDS:
        forge(ruth, path, name, password=OTHER_PASSWORD, confirm_password=OTHER_PASSWORD)
        assert ruth.get("/profile").find("h1") != ["Ann Miller"]
    assert world.rows(hashed, ann=ANN) == before
    page = ruth.get(path)
    assert page.tree.css("input[type=password]") == []
    assert ruth.cookie("grant") is None
    assert ruth.get("/auth/password-reset").location == "/recover"


def test_authz_06_nothing_under_admin_takes_a_password_or_another_identity(world):
    under = {rule.rule for rule in world.app.url_map.iter_rules() if "/admin" in rule.rule}
    assert any("recovery" in rule for rule in under)
    assert not [rule for rule in under if re.search("password|become|impersonat|sign-in|as", rule)]


# ------------------------------------------------------------------ everything is on record


@pytest.mark.parametrize("name", KINDS)
def test_authz_07_each_act_has_actor_target_before_after_and_request(
    world, ann, agent, name, caplog
):
    caplog.set_level(logging.INFO, "latchkey")
    ruth, path = agent("admin"), ready(world, name)
    email = NEW if name == "resend-proof" else ANN
    ruth.get(path)
    caplog.clear()
    assert ruth.submit(f"{path}/{name}", **SAID).status == 303
    (line,) = [each for each in caplog.messages if each.startswith("POST ")]
    found = world.rows(
        "SELECT actor.email, target.email, kind, verified_by, reason, ticket, network, detail, "
        "request, place, mark FROM event JOIN person actor ON actor.id = actor_id "
        "JOIN person target ON target.id = person_id WHERE desk ORDER BY event.id DESC LIMIT 1"
    )
    ((*who, network, detail, request, place, mark),) = found
    assert who == [ruth.email, email, KINDS[name], CHECK, REASON, TICKET]
    assert network == "192.0.2.0/24"
    assert re.match(r"[a-z -]+: .+ to .+", detail), detail
    assert re.fullmatch("[0-9a-f]{16}", request)
    assert line.endswith(request)
    assert line.startswith(f"POST /admin/people/<uuid:uuid>/{name} 303 ")
    assert place > 0
    assert len(mark) == 64


def test_authz_07_what_was_refused_leaves_no_trace_and_tells_nobody(world, ann, agent):
    viewer, path = agent("viewer"), page_of(world)
    world.post.deliver()
    before = len(world.rows("SELECT id FROM outbox"))
    for name in KINDS:
        forge(viewer, path, name)
    assert len(world.rows("SELECT id FROM outbox")) == before
    assert events(world) == world.rows(
        "SELECT id FROM event WHERE kind = 'account:role-changed' ORDER BY id"
    )


def test_authz_07_the_person_reads_it_in_the_own_activity(world, ann, agent):
    ruth, path = agent("support"), page_of(world)
    act(ruth, path, "recovery")
    act(ruth, path, "block")
    act(ruth, path, "unblock")
    page = world.inside().get("/security/activity")
    for words in "Recovery email sent", "Account blocked", "Account unblocked":
        assert words in page.text
    assert page.text.count(f"Ticket {TICKET}") == 3


def test_authz_07_what_is_typed_is_text_wherever_it_is_read(world, ann, agent):
    ruth, path = agent("admin"), page_of(world)
    hostile = "<script>alert(1)</script> {{ 7*7 }} %(name)s http://evil.example"
    assert forge(ruth, path, "sign-out", reason=hostile).status == 422  # signed in nowhere
    assert forge(ruth, path, "block", reason=hostile, ticket="<b>1</b>").status == 303
    for browser, address in ((ruth, path), (ruth, "/admin/log")):
        page = browser.get(address)
        assert "<script>alert" not in page.html
        assert "<b>1</b>" not in page.html
    mail = world.post.newest(ANN)
    assert "evil" not in mail.text + mail.html
    assert "alert" not in mail.text + mail.html


def test_authz_07_a_cleared_factor_takes_effect_at_once(world, ann, agent):
    browser = world.inside()
    authenticator.set_up(browser)
    ruth = agent("admin")
    assert act(ruth, page_of(world), "clear-factor").status == 303
    assert browser.get("/profile").location == "/sign-in"
    assert sign_in(Visitor(world.app), ANN).location == "/profile"
