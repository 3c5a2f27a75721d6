"""Before everything that guards an account somebody shows once more who it is, at both doors."""

import pytest

from tests.conftest import PASSWORD
from tests.policy.world import ANN, NUMBER, World

# What each needs besides being signed in: a sign-in or confirmed password of the last minutes, or
# the password in its own form.
FRESH = {
    "/security/phone": {"phone": NUMBER},
    "/security/phone/remove": {},
    "/security/email": {"email": "ann@example.net"},
    "/security/devices/<uuid:sid>/sign-out": {},
    "/security/devices/sign-out-others": {},
    "/security/two-step/set-up": {"code": "000000"},
}
BY_PASSWORD = {
    "/security/confirm",
    "/security/delete",
    "/security/password",
    "/security/two-step/replace",
    "/security/two-step/new-codes",
    "/security/two-step/off",
}
# They go on with what was asked for after that, or only say that something was read.
FOLLOWING = {
    "/security/phone/code",
    "/security/phone/resend",
    "/security/password/code",
    "/security/two-step/codes",
}
SID = "00000000-0000-4000-8000-000000000001"
ALONE = ("get", "/api/v1/sessions"), ("get", "/api/v1/profile")


@pytest.fixture
def world(app):
    return World(app)


def test_every_form_that_guards_the_account_is_listed_here(app):
    rules = [each for each in app.url_map.iter_rules() if each.rule.startswith("/security")]
    there = {each.rule for each in rules if "POST" in each.methods}
    assert there == set(FRESH) | BY_PASSWORD | FOLLOWING


def sent(browser, path):
    token = browser.get("/security/devices").form("/sign-out").fields["csrf_token"]
    return browser.post(
        path.replace("<uuid:sid>", SID), {**FRESH[path], "csrf_token": token}
    ).location


@pytest.mark.parametrize("path", FRESH)
def test_a_sign_in_of_long_ago_confirms_first_and_comes_back(world, inside, time, path):
    time.pass_(minutes=11)
    where = sent(inside, path)
    assert where.startswith("/security/confirm?next=/security/")
    inside.get(where)
    back = inside.submit(where, password=PASSWORD).location
    assert inside.get(back).status == 200
    assert not (sent(inside, path) or "").startswith("/security/confirm")


@pytest.mark.parametrize("path", FRESH)
def test_nothing_has_changed_before_that(world, inside, time, path):
    facts = "SELECT email, phone, phone_wanted, deleted_at, two_step_at FROM person"
    before, other = world.rows(facts), world.inside()
    time.pass_(minutes=11)
    sent(inside, path)
    assert world.rows(facts) == before
    assert other.get("/profile").status == 200
    assert world.rows("SELECT count(*) FROM email_change") == [(0,)]


def test_the_password_counts_at_its_own_forms_however_fresh_the_sign_in_is(world, inside):
    page = world.change_password(inside, "not this one", "wooden planet friday")
    assert set(page.errors) == {"old_password"}
    inside.get("/security/delete")
    assert set(inside.submit("/security/delete", password="not this one").errors) == {"password"}


def test_a_program_shows_it_too(app, ann, time):
    """A change of address or number has no door for programs; passwords and sign-ins have."""
    client = app.test_client()
    typed = {"email": ANN, "password": PASSWORD}
    access = client.post("/api/v1/auth/token", json=typed).json["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    time.pass_(minutes=11)
    new = {"password": "wooden planet friday", "confirm_password": "wooden planet friday"}
    change = client.put("/user-profile/update-password/", json=new, headers=bearer)
    assert change.status_code == 403
    body = {"new_password": "wooden planet friday"}
    assert client.post("/api/auth/change-password", json=body, headers=bearer).status_code == 400
    assert client.delete("/api/v1/sessions", headers=bearer).status_code == 403
    for method, path in ALONE:
        assert getattr(client, method)(path, headers=bearer).status_code == 200


def test_no_operation_for_programs_changes_what_guards_the_account_unasked(app):
    """Whoever adds one that takes a number, an address or a second factor lists it here."""
    document = app.test_client().get("/api/v1/openapi.json").json
    words = "phone", "email", "two-step", "factor", "delete", "device"
    private = {
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation["security"] and method != "get" and any(word in path for word in words)
    }
    assert private == set()
