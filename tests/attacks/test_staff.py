"""Looking after staff is for admins alone: no way up, no way round, nobody let in by a slip."""

import threading
from uuid import uuid4

import pytest

from portal.accounts import people
from portal.accounts.service import staffing
from tests.attacks.conftest import dump
from tests.attacks.naughty import TEXTS
from tests.conftest import PASSWORD, sign_in
from tests.policy.world import World
from tests.rigs.visitor import Visitor
from tests.staff.test_team import KIM, STAFF, invite, link_of, press, role_of, uuid_of

ANN = "ann@example.org"
ADMIN = "admin@example.org"
INVITED = {"email": KIM, "role": "admin"}


@pytest.fixture
def world(app):
    return World(app)


def token(browser):
    """A token that is good in this browser, from a page that everybody has."""
    return browser.get("/profile").form("/sign-out").fields["csrf_token"]


def posts(app):
    """-> each path of this desk that changes something, and what is sent to it."""
    role = {"role": "admin", "reason": "Because", "ticket": "HD-1"}
    return {
        STAFF: INVITED,
        f"{STAFF}/{uuid_of(app, ANN)}/role": role,
        f"{STAFF}/{uuid4()}/role": role,
        f"{STAFF}/invitations/1/withdraw": {},
    }


def unchanged(world):
    asked = world.rows("SELECT count(*) FROM invitation WHERE role = 'admin'")
    admins = world.rows("SELECT count(*) FROM person WHERE role = 'admin'")
    return asked == [(0,)] and admins == [(0,)]


@pytest.mark.parametrize("role", ["viewer", "support"])
def test_authz_03_staff_without_the_right_change_no_staff(app, ann, agent, world, role):
    browser = agent(role)
    for path, typed in posts(app).items():
        page = browser.post(path, {"csrf_token": token(browser), **typed})
        assert (page.status, page.h1) == (403, "You may not open this page"), path
    assert browser.get(f"{STAFF}/{uuid_of(app, ANN)}/role").status == 403
    assert unchanged(world)


def test_authz_03_for_people_these_pages_are_not_there(app, ann, inside, world):
    for path, typed in posts(app).items():
        assert inside.post(path, {"csrf_token": token(inside), **typed}).status == 404, path
    assert inside.get(STAFF).status == 404
    assert unchanged(world)


def test_authz_03_nobody_is_sent_to_sign_in(app, ann, world):
    for path, typed in posts(app).items():
        page = Visitor(app).post(path, typed)
        assert (page.status, page.location) == (303, "/sign-in"), path
    assert Visitor(app).get(STAFF).location == f"/sign-in?next={STAFF}"
    assert unchanged(world)


def test_authz_03_an_admin_without_a_second_factor_comes_no_further(agent, world):
    browser = agent("admin")
    world.write("UPDATE person SET two_step_at = NULL")
    for method in browser.get, browser.post:
        assert method(STAFF).location == "/security/two-step/set-up"


def test_csrf_an_admins_browser_sends_nothing_for_others(app, agent, world, ann):
    browser = agent("admin")
    for path, typed in posts(app).items():
        page = browser.post(path, typed)
        assert page.status == (
            404 if path.count("-") > 3 and str(uuid_of(app, ANN)) not in path else page.status
        )
        assert page.status in (400, 404), path
    assert world.rows("SELECT count(*) FROM invitation") == [(0,)]
    assert role_of(app, ANN) == "user"


def test_authz_02_other_ids_lead_nowhere(app, agent, ann):
    browser = agent("admin")
    for path in (
        f"{STAFF}/{uuid4()}/role",
        f"{STAFF}/{uuid_of(app, ANN)}/role",  # no staff: an invitation is the way
        f"{STAFF}/0/role",
        f"{STAFF}/{'0' * 32}/role",
    ):
        assert browser.get(path).status == 404, path
    good = token(browser)
    for number in ("0", "1", "-1", "9" * 18, "9" * 400, "x", "1.0"):
        path = f"{STAFF}/invitations/{number}/withdraw"
        assert browser.post(path, {"csrf_token": good}).status == 404, path


def test_authz_01_nothing_but_the_fields_of_the_form_is_read(app, agent, world):
    browser = agent("admin")
    more = {
        "person_id": "1", "invited_by_id": "", "uuid": str(uuid4()), "desk": "0",
        "password_hash": "x", "two_step_at": "2026-01-01", "actor": "",
        "email_proven_at": "2026-01-01",
        "person.role": "admin", "verified_by": "x", "reason": "x", "ticket": "x",
    }  # fmt: skip
    sent = {"csrf_token": token(browser), "email": KIM, "role": "viewer", **more}
    assert browser.post(STAFF, sent).location == STAFF
    mine = uuid_of(app, ADMIN)
    ((role, by),) = world.rows("SELECT role, invited_by_id FROM invitation")
    with app.app_context():
        assert (role, by) == ("viewer", people.find(ADMIN).id)
    (kim,) = world.rows(
        "SELECT role, email_proven_at, two_step_at FROM person WHERE id > :one", one=by
    )
    assert kim == ("user", None, None)
    assert uuid_of(app, ADMIN) == mine


def test_authz_01_the_link_gives_the_role_that_was_meant(app, agent, world, post):
    invite(agent("admin"), role="viewer")
    path, browser = link_of(post), Visitor(app)
    browser.get(path)
    sent = {**browser.page.form(path).fields, "role": "admin", "email": ANN, "person_id": "1"}
    assert browser.post(f"{path}?role=admin", sent).status == 303
    assert role_of(app, KIM) == "viewer"


def test_authz_01_the_profile_gives_nobody_a_role(app, ann, inside):
    inside.get("/profile")
    sent = {"csrf_token": token(inside), "full_name": "Ann", "role": "admin", "two_step_at": "1"}
    inside.post("/profile/name", sent)
    assert role_of(app, ANN) == "user"


def test_nobody_changes_the_own_role(app, agent):
    browser = agent("admin")
    path = f"{STAFF}/{uuid_of(app, ADMIN)}/role"
    assert browser.get(path).status == 403
    sent = {"csrf_token": token(browser), "role": "viewer", "reason": "Because"}
    assert browser.post(path, sent).status == 403
    assert invite(browser, ADMIN, "viewer").status == 422
    assert role_of(app, ADMIN) == "admin"


@pytest.mark.parametrize(
    "role",
    ["", "user", "Admin", "ADMIN", "admin ", "root", "operator", "admin\0", "admin,viewer", "0"],
)
def test_authz_01_there_are_three_roles_to_be_invited_to(agent, world, role):
    page = invite(agent("admin"), role=role)
    assert page.status == 422
    assert page.errors["role"] == "Choose a role: viewer, support, admin."
    assert world.rows("SELECT count(*) FROM invitation") == [(0,)]


@pytest.mark.parametrize("role", ["", "Admin", "root", "operator", "admin\0", "a" * 10_000])
def test_authz_01_a_colleague_gets_no_role_that_is_none(app, agent, role):
    browser = agent("admin")
    agent("viewer")
    path = f"{STAFF}/{uuid_of(app, 'viewer@example.org')}/role"
    browser.get(path)
    assert browser.submit(path, role=role, reason="Because").status == 422
    assert role_of(app, "viewer@example.org") == "viewer"


def test_input_hostile_addresses_are_refused_or_mailed_to_as_they_stand(agent, world, monkeypatch):
    browser = agent("admin")
    monkeypatch.setattr(staffing, "INVITATIONS_PER_ADMIN_HOUR", 10_000)
    browser.get(STAFF)
    good = browser.page.form(STAFF).fields["csrf_token"]
    for text in (*TEXTS, "\ud800@example.org", "x" * 10_000 + "@example.org"):
        sent = {
            "csrf_token": good,
            "email": text.encode("utf-8", "surrogatepass"),
            "role": "viewer",
        }
        assert browser.post(STAFF, sent).status in (303, 422, 429), repr(text)
    for (email,) in world.rows("SELECT email FROM person"):
        assert email.isascii()
        assert email.isprintable()
        assert email.count("@") == 1
        assert " " not in email


def test_input_hostile_reasons_do_no_harm(app, agent, post):
    browser = agent("admin")
    agent("viewer")
    path = f"{STAFF}/{uuid_of(app, 'viewer@example.org')}/role"
    for number, text in enumerate(TEXTS):
        role = ("support", "viewer")[number % 2]
        browser.get(path)
        typed = {"csrf_token": token(browser), "role": role, "reason": text, "ticket": text}
        sent = {name: each.encode("utf-8", "surrogatepass") for name, each in typed.items()}
        assert browser.post(path, sent).status in (303, 422), repr(text)
    for mail in post.deliver():
        assert "<script" not in mail.html
        assert "<img" not in mail.html


def test_link_a_token_of_another_kind_opens_no_invitation(app, agent, ann, post):
    invite(agent("admin"))
    own = link_of(post)
    browser = Visitor(app)
    browser.get("/recover")
    browser.submit("/recover", identifier=ANN)
    recovery = post.newest(ANN).link.rpartition("/")[2]
    assert Visitor(app).get(f"/sign-up/invitation/{recovery}").status == 410
    invited = own.rpartition("/")[2]
    for path in ("/sign-up/link/", "/recover/link/", "/recover/email/", "/recover/not-you/"):
        assert Visitor(app).get(path + invited).status == 410, path
    assert Visitor(app).get(own).status == 200


@pytest.mark.parametrize(
    "mangle", [str.upper, str.lower, lambda s: s[:-1], lambda s: s + "A", lambda _s: "x"]
)
def test_link_nearly_right_is_wrong(app, agent, post, mangle):
    invite(agent("admin"))
    token_ = link_of(post).rpartition("/")[2]
    assert Visitor(app).get(f"/sign-up/invitation/{mangle(token_)}").status == 410


def test_link_the_page_leaks_no_token(app, agent, post):
    invite(agent("admin"))
    page = Visitor(app).get(link_of(post))
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in page.headers["Cache-Control"]


def test_link_pressed_by_many_lets_one_in(app, agent, post):
    invite(agent("admin"))
    path, answers = link_of(post), []
    browsers = [Visitor(app, address=f"203.0.113.{n}") for n in range(6)]
    for each in browsers:
        each.get(path)
    crowd = [
        threading.Thread(target=lambda b=each: answers.append(b.submit(path).status))
        for each in browsers
    ]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(30)
    assert sorted(answers) == [303] + [410] * 5


def test_link_the_grant_of_an_invitation_is_for_one_browser_and_once(app, agent, post):
    invite(agent("admin"))
    browser = press(app, link_of(post))
    stranger = Visitor(app)
    assert stranger.get("/auth/password-reset").location == "/recover"
    browser.follow()
    new = {"password": PASSWORD, "confirm_password": PASSWORD}
    sent = {**browser.page.form("/auth/password-reset").fields, **new}
    assert browser.post("/auth/password-reset", sent).location == "/sign-in"
    assert browser.post("/auth/password-reset", sent).status in (303, 400)
    assert browser.get("/auth/password-reset").location == "/recover"


def test_authz_07_each_act_has_actor_target_change_and_request(app, agent, world):
    browser = agent("admin")
    agent("viewer")
    invite(browser)
    path = f"{STAFF}/{uuid_of(app, 'viewer@example.org')}/role"
    browser.get(path)
    browser.submit(path, role="support", reason="Ends training", ticket="HD-9")
    found = world.rows(
        "SELECT kind, detail, actor_id, person_id, request, reason, ticket FROM event "
        "WHERE desk AND actor_id IS NOT NULL ORDER BY id"
    )
    with app.app_context():
        me, kim, colleague = (people.find(each).id for each in (ADMIN, KIM, "viewer@example.org"))
    assert [row[:4] for row in found] == [
        ("staff:invited", "support", me, kim),
        ("account:role-changed", "viewer to support", me, colleague),
    ]
    assert found[1][5:] == ("Ends training", "HD-9")
    assert all(row[4] for row in found)


def test_info_no_page_and_no_log_has_the_link(app, agent, post, caplog):
    browser = agent("admin")
    invite(browser)
    secret = link_of(post).rpartition("/")[2]
    press(app, f"/sign-up/invitation/{secret}")
    assert secret not in browser.get(STAFF).html
    assert secret not in caplog.text
    assert KIM not in caplog.text


def test_info_the_link_is_kept_as_a_digest(app, agent, post):
    invite(agent("admin"))
    secret = link_of(post).rpartition("/")[2]
    kept = str({name: rows for name, rows in dump(app).items() if name != "mailbox"})
    assert secret not in kept
    assert KIM in kept


def test_enum_who_was_not_invited_learns_nothing_of_addresses(app, agent, ann, post):
    """An open invitation shows nowhere to strangers: signing up and getting back in are as ever."""
    invite(agent("admin"))
    known, unknown = Visitor(app), Visitor(app)
    answers = []
    for browser, email in ((known, KIM), (unknown, "nobody@example.org")):
        page = sign_in(browser, email, "not this one")
        answers.append((page.status, page.summary))
    assert answers[0] == answers[1]
