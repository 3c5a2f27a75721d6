"""Signing in through a program where the account asks for a second step, at each door."""

import pytest

from portal.accounts import people
from portal.accounts.service import staffing
from portal.core.audit import OPERATOR
from tests.conftest import OTHER_PASSWORD, PASSWORD
from tests.rigs import authenticator

EMAIL = "ann@example.org"
DOORS = {
    "v1": "/api/v1/auth/token",
    "d": "/auth/sign-in/user/",
    "e": "/login",
}
ACCESS = {"v1": "access_token", "d": "access", "e": "access_token"}
NEEDED = "This account asks for a second step. Send a code from the app, or a backup code."
WRONG = "That code is not right. Type the one that your app shows now."


@pytest.fixture
def factor(inside, time):
    return authenticator.set_up(inside)


@pytest.fixture
def client(app):
    return app.test_client(use_cookies=False)


@pytest.fixture(params=DOORS)
def door(request, client):
    """-> enter(code="...") at one of the doors."""
    return Door(client, request.param)


class Door:
    def __init__(self, client, key):
        self.client, self.key = client, key

    def enter(self, password=PASSWORD, **more):
        body = {"email": EMAIL, "password": password} | more
        return self.client.post(DOORS[self.key], json=body)

    def reads(self, answer):
        """Whether the token of this answer opens the profile."""
        token = answer.json[ACCESS[self.key]]
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.get("/api/v1/profile", headers=headers).status_code == 200


def not_it(factor):
    near = {authenticator.code(factor.key, step) for step in (-1, 0, 1)}
    return next(each for each in ("000000", "111111", "222222", "333333") if each not in near)


@pytest.mark.parametrize("more", [{}, {"code": ""}])
def test_without_a_code_the_program_learns_that_one_is_needed(door, factor, more):
    answer = door.enter(**more)
    assert answer.status_code == 403
    assert answer.json["second_factor_required"] is True
    assert not {"access", "access_token", "refresh", "refresh_token"} & set(answer.json)


def test_the_canonical_answer_is_problem_details(client, factor):
    answer = Door(client, "v1").enter()
    assert answer.mimetype == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": NEEDED,
        "code": "second-step",
        "second_factor_required": True,
    }


def test_the_envelopes_of_the_older_families_are_their_own(client, factor):
    needed = {"message": NEEDED, "second_factor_required": True}
    assert Door(client, "d").enter().json == needed
    assert Door(client, "e").enter().json == {"status": "error", **needed}


def test_with_the_code_of_the_app_there_are_tokens(door, factor):
    answer = door.enter(code=factor.code())
    assert answer.status_code == 200
    assert door.reads(answer)


def test_with_a_backup_code_as_well_and_once(door, factor, post):
    code = factor.backup().upper()
    assert door.reads(door.enter(code=code))
    assert "A backup code of your Latchkey account was used" in [
        mail.subject for mail in post.deliver()
    ]
    assert door.enter(code=code).status_code == 401


def test_a_code_is_good_once_for_all_doors(client, factor):
    code = factor.code()
    assert Door(client, "v1").enter(code=code).status_code == 200
    for key in DOORS:
        assert Door(client, key).enter(code=code).status_code == 401


@pytest.mark.parametrize("code", [
    "12", "x", "\0", "９" * 6, "x" * 10_000, "abcde-fghjk", "1234567890",
])  # fmt: skip
def test_a_wrong_code_is_told_in_the_shape_of_a_wrong_password(door, factor, code):
    password, wrong = door.enter(OTHER_PASSWORD), door.enter(code=code)
    assert (password.status_code, wrong.status_code) == (401, 401)
    assert set(wrong.json) == set(password.json)
    assert wrong.headers["WWW-Authenticate"] == password.headers["WWW-Authenticate"]


def test_the_canonical_answer_names_the_field(client, factor):
    answer = Door(client, "v1").enter(code=not_it(factor))
    assert (answer.json["code"], answer.json["errors"]) == ("mismatch", {"code": [WRONG]})


@pytest.mark.parametrize("code", [None, 123456, ["123456"], {"a": 1}, True])
def test_a_code_of_another_type_is_none(door, factor, code):
    assert door.enter(code=code).status_code == (422 if door.key == "v1" else 400)


def test_a_code_without_the_right_password_is_not_looked_at(door, factor):
    code = factor.code()
    assert door.enter(OTHER_PASSWORD, code=code).status_code == 401
    assert door.enter(code=code).status_code == 200


def test_after_five_wrong_codes_the_right_one_waits_too(door, factor, time):
    for _ in range(5):
        assert door.enter(code=not_it(factor)).status_code == 401
    answer = door.enter(code=factor.code())
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "900")
    time.pass_(seconds=901)
    assert door.enter(code=factor.code()).status_code == 200


def test_programs_and_pages_count_together(app, client, factor):
    for key in [*DOORS, "v1", "e"]:
        assert Door(client, key).enter(code=not_it(factor)).status_code == 401
    stranger = authenticator.Visitor(app)
    stranger.get("/sign-in")
    stranger.submit("/sign-in", email=EMAIL, password=PASSWORD)
    assert authenticator.enter(stranger, factor).status == 429


def test_where_no_second_step_is_asked_for_a_code_does_not_matter(door, ann):
    assert door.enter(code="000000").status_code == 200


def test_staff_without_a_second_factor_get_no_tokens(app, client, ann):
    with app.app_context():
        staffing.change_role(people.find(EMAIL), "support", None, OPERATOR)
    for path in (DOORS["v1"], "/auth/sign-in/support/", DOORS["e"]):
        answer = client.post(path, json={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 403, path
        assert "Staff need two-step sign-in." in str(answer.json)
        assert "second_factor_required" not in answer.json


def test_a_refresh_token_goes_on_without_another_code(client, factor):
    pair = Door(client, "v1").enter(code=factor.code()).json
    again = client.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert again.status_code == 200


def test_tokens_of_before_are_dead_once_it_is_turned_on(client, inside, time):
    door = Door(client, "v1")
    before = door.enter()
    assert door.reads(before)
    authenticator.set_up(inside)
    assert not door.reads(before)
    token = {"refresh_token": before.json["refresh_token"]}
    assert client.post("/api/v1/auth/refresh", json=token).status_code == 401


@pytest.mark.parametrize("key", DOORS)
def test_the_document_tells_of_it(client, key):
    document = client.get("/api/v1/openapi.json").json
    told = document["paths"][DOORS[key].replace("/user/", "/{role}/")]["post"]
    body = told["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["code"]["type"] == "string"
    assert {"401", "403", "429"} <= set(told["responses"])
    refusal = document["components"]["schemas"][f"{key}-refusal"]
    assert "second_factor_required" in refusal["properties"]
    assert "second_factor_required" in told["description"]
