"""Row B11: a deleted account cannot be used at any door, and its row stays until it is purged."""

import pytest

from tests.conftest import PASSWORD, ask, open_account, sign_in
from tests.policy.world import ANN, World, type_code
from tests.rigs.program import Program, somebody

TOKEN, REFRESH, PROFILE = "/api/v1/auth/token", "/api/v1/auth/refresh", "/api/v1/profile"


@pytest.fixture
def world(app, ann):
    return World(app)


def test_b11_on_the_wire_every_token_is_dead_and_the_password_too(wire):
    someone = somebody(wire)
    program = Program(wire, someone.access)
    wire.flask("users", "delete", someone.email)
    assert program.get(PROFILE).status_code == 401
    assert program.get("/user-profile/").status_code == 401
    assert program.post(REFRESH, {"refresh_token": someone.refresh}).status_code == 401
    typed = {"email": someone.email, "password": PASSWORD}
    for path, status in {TOKEN: 403, "/login": 403, "/auth/sign-in/user/": 403}.items():
        assert Program(wire).post(path, typed).status_code == status
        wrong = Program(wire).post(path, typed | {"password": "another word 77"})
        assert wrong.status_code == 401, "Only the right password may tell."
    assert Program(wire).post("/register", typed | {"full_name": "A"}).status_code == 400
    wire.flask("users", "restore", someone.email)
    assert Program(wire).post(TOKEN, typed).status_code == 200


def test_b11_in_the_browser_it_is_over_at_once(world):
    browser = world.inside()
    world.command("users", "delete", ANN)
    assert browser.get("/profile").status == 303
    page = sign_in(world.visitor(), ANN)
    assert page.status == 422
    assert "was deleted" in page.text


def test_b11_codes_and_links_that_were_open_die_and_no_new_one_is_sent(world):
    browser, mail = world.asked()
    world.command("users", "delete", ANN)
    assert type_code(browser, mail.code).status == 422
    assert world.visitor().get(mail.link).status == 410
    before = len(world.post.deliver())
    assert ask(world.visitor(address="203.0.113.9"), ANN).status in (303, 429)
    assert len(world.post.deliver()) == before


def test_b11_its_address_is_not_free_and_its_row_stays_until_it_is_purged(world, time):
    world.command("users", "delete", ANN)
    time.pass_(days=1)
    assert open_account(world.visitor(), ANN, "Somebody Else").location == "/sign-up/code"
    assert world.rows("SELECT full_name FROM person") == [("Ann Miller",)]
    world.command("purge")
    assert len(world.rows("SELECT id FROM person")) == 1
    time.pass_(days=14)
    world.command("purge")
    assert world.rows("SELECT id FROM person") == []
    kinds = [kind for (kind,) in world.rows("SELECT kind FROM event WHERE person_id IS NOT NULL")]
    assert "account:deleted" in kinds


def test_b11_a_deleted_account_can_be_brought_back_until_then(world):
    world.command("users", "delete", ANN)
    world.command("users", "restore", ANN)
    assert sign_in(world.visitor(), ANN).location == "/profile"


def test_b11_d16_by_the_persons_own_wish_every_door_is_shut_and_the_row_stays(world, time):
    typed = {"email": ANN, "password": PASSWORD}
    call = world.app.test_client()
    access = call.post(TOKEN, json=typed).json["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    browser, other = world.inside(), world.inside(remember=True)
    browser.get("/security/delete")
    assert browser.submit("/security/delete", password=PASSWORD).location == "/sign-in"
    assert call.get(PROFILE, headers=bearer).status_code == 401
    assert {each.get("/profile").location for each in (browser, other)} == {"/sign-in"}
    for path in TOKEN, "/login", "/auth/sign-in/user/":
        assert call.post(path, json=typed).status_code == 403
    time.pass_(days=13)
    world.command("purge")
    assert world.rows("SELECT full_name FROM person") == [("Ann Miller",)]
    time.pass_(days=1, seconds=1)
    world.command("purge")
    assert world.rows("SELECT id FROM person") == []


def test_d16_people_delete_their_own_account_and_undo_it_by_signing_in(world):
    browser = world.inside()
    assert browser.get("/security").links["Delete my account"] == "/security/delete"
    assert browser.get("/security/delete").h1 == "Delete your account"
    browser.submit("/security/delete", password=PASSWORD)
    assert sign_in(browser, ANN).location == "/profile"
    assert browser.follow().banner == "Your account is kept."


def test_d16_every_part_of_a_profile_is_made_read_changed_and_removed(world):
    browser = world.inside()
    for typed, kept in (("Baker", "Baker"), ("Cook", "Cook"), ("", "")):
        browser.get("/profile")
        assert browser.submit("/profile/work", job_title=typed).status == 303
        assert browser.get("/profile").form("/profile/work").fields.get("job_title", "") == kept
