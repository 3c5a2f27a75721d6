"""Signing up and signing in through /api/v1, as programs do it."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.core import crypto
from tests.conftest import OTHER_PASSWORD, PASSWORD
from tests.rigs.program import Program, letter, link_in, new_address, somebody

REGISTER, VERIFY = "/api/v1/auth/register", "/api/v1/auth/verify-email"
RESEND, TOKEN = "/api/v1/auth/resend-verification", "/api/v1/auth/token"
REFRESH, REVOKE = "/api/v1/auth/refresh", "/api/v1/auth/revoke"
PROFILE = "/api/v1/profile"
WHO = "who@example.org"


@pytest.fixture
def program(wire):
    return Program(wire)


@pytest.fixture
def client(app):
    return app.test_client(use_cookies=False)


def wish(email=WHO, password=PASSWORD):
    return {"email": email, "password": password, "full_name": "Ann Miller"}


def login(email=WHO, password=PASSWORD):
    return {"email": email, "password": password}


def registered(wire):
    """-> an address that waits to be proven, and the code that it was sent."""
    email = new_address("reg")
    assert Program(wire).post(REGISTER, wish(email)).status_code == 202
    return email, letter(wire, email).code


def test_a_program_signs_up_proves_the_address_and_signs_in(wire):
    ann = somebody(wire)
    profile = Program(wire, ann.access).get(PROFILE)
    assert profile.json()["email"] == ann.email


def test_registering_opens_nothing_by_itself(wire, program):
    email, _code = registered(wire)
    refused = program.post(TOKEN, login(email))
    assert (refused.status_code, refused.json()["code"]) == (403, "unproven")


def test_a_program_that_registers_is_sent_the_portals_own_link(wire):
    email = new_address("reg")
    Program(wire).post(REGISTER, wish(email))
    assert link_in(letter(wire, email), r"^/sign-up/link/[\w-]+$")


def test_a_taken_address_is_answered_alike_and_its_owner_gets_a_notice(client, sign_up, post, time):
    sign_up(WHO)
    time.pass_(days=1)
    taken = client.post(REGISTER, json=wish(WHO, OTHER_PASSWORD))
    free = client.post(REGISTER, json=wish("new@example.org"))
    assert (taken.status_code, taken.data) == (free.status_code, free.data)
    assert (free.status_code, set(free.json)) == (202, {"message"})
    notice = post.newest(WHO)
    assert "already have" in notice.subject
    assert not notice.has_code
    assert client.post(TOKEN, json=login()).status_code == 200


def test_bad_values_are_422_and_a_wrong_shape_is_400(program):
    bad = program.post(REGISTER, {"email": "nobody", "password": "short", "full_name": " "})
    assert bad.status_code == 422
    assert bad.headers["Content-Type"].startswith("application/problem+json")
    assert set(bad.json()["errors"]) == {"email", "password", "full_name"}
    missing, more = program.post(REGISTER, {}), program.post(REGISTER, wish() | {"role": "admin"})
    assert missing.status_code == more.status_code == 400
    assert set(missing.json()["errors"]) == {"email", "password", "full_name"}
    assert set(more.json()["errors"]) == {"role"}


def test_the_code_is_good_once_and_for_its_own_address_only(wire, program):
    email, code = registered(wire)
    other, _other_code = registered(wire)
    wrong = program.post(VERIFY, {"email": other, "code": code})
    assert (wrong.status_code, set(wrong.json()["errors"])) == (422, {"code"})
    spaced = {"email": f" {email.upper()} ", "code": f"{code[:3]} {code[3:]}"}
    assert program.post(VERIFY, spaced).status_code == 200
    assert program.post(VERIFY, {"email": email, "code": code}).status_code == 422
    assert program.post(TOKEN, login(email)).status_code == 200


def test_nothing_asked_for_is_answered_like_a_wrong_code(wire, program):
    email, code = registered(wire)
    wrong = "000000" if code != "000000" else "000001"
    asked = program.post(VERIFY, {"email": email, "code": wrong})
    never = program.post(VERIFY, {"email": new_address("who"), "code": wrong})
    assert (asked.status_code, asked.text) == (never.status_code, never.text)
    for code in "", "12345", "abcdef", "1234567":
        assert program.post(VERIFY, {"email": email, "code": code}).status_code == 422


def test_of_many_who_send_the_same_code_one_is_believed(wire, program):
    email, code = registered(wire)
    with ThreadPoolExecutor(6) as pool:
        send = lambda _: program.post(VERIFY, {"email": email, "code": code}).status_code  # noqa: E731
        found = list(pool.map(send, range(6)))
    assert found.count(200) == 1
    assert set(found) <= {200, 422, 429}


def test_the_sixth_wrong_code_waits_and_the_right_one_as_well(client, post):
    client.post(REGISTER, json=wish())
    code = post.newest(WHO).code
    wrong = "000000" if code != "000000" else "000001"
    tries = [client.post(VERIFY, json={"email": WHO, "code": wrong}) for _ in range(6)]
    assert [each.status_code for each in tries] == [422] * 5 + [429]
    assert int(tries[-1].headers["Retry-After"]) > 0
    assert client.post(VERIFY, json={"email": WHO, "code": code}).status_code == 429


def test_a_code_lives_ten_minutes(client, post, time):
    client.post(REGISTER, json=wish())
    code = post.newest(WHO).code
    time.pass_(seconds=601)
    assert client.post(VERIFY, json={"email": WHO, "code": code}).json["code"] == "run-out"


def test_a_resend_brings_a_new_code_and_the_old_one_dies(client, post, time):
    client.post(REGISTER, json=wish())
    old = post.newest(WHO).code
    assert client.post(RESEND, json={"email": WHO}).status_code == 429
    time.pass_(seconds=61)
    assert client.post(RESEND, json={"email": WHO}).status_code == 200
    new = post.newest(WHO).code
    if new != old:
        assert client.post(VERIFY, json={"email": WHO, "code": old}).status_code == 422
    assert client.post(VERIFY, json={"email": WHO, "code": new}).status_code == 200


def test_of_two_registrations_with_different_passwords_none_counts(client, post, time):
    client.post(REGISTER, json=wish(password=OTHER_PASSWORD))
    old = post.newest(WHO).code
    time.pass_(seconds=61)
    client.post(REGISTER, json=wish())
    new = post.newest(WHO).code
    if new != old:
        assert client.post(VERIFY, json={"email": WHO, "code": old}).status_code == 422
    assert client.post(VERIFY, json={"email": WHO, "code": new}).status_code == 200
    assert client.post(TOKEN, json=login(password=OTHER_PASSWORD)).status_code == 401
    assert client.post(TOKEN, json=login()).status_code == 401


def test_the_code_of_a_page_is_not_for_programs(client, visitor, post):
    visitor.get("/sign-up")
    typed = {"full_name": "Ann Miller", "email": WHO}
    visitor.submit("/sign-up", **typed, password=PASSWORD, confirm_password=PASSWORD)
    visitor.follow()
    code = post.newest(WHO).code
    assert client.post(VERIFY, json={"email": WHO, "code": code}).status_code == 422
    assert visitor.submit("/sign-up/code", code=code).location == "/profile"


def test_what_was_open_before_the_proof_is_over_after_it(wire, program):
    email = new_address("reg")
    opened = program.post("/register", wish(email))
    stranger = Program(wire, opened.json()["access_token"])
    assert stranger.get(PROFILE).status_code == 200
    code = letter(wire, email).code
    assert program.post(VERIFY, {"email": email, "code": code}).status_code == 200
    assert stranger.get(PROFILE).status_code == 401


def test_who_is_blocked_meanwhile_proves_nothing(wire, program):
    email, code = registered(wire)
    wire.flask("users", "block", email)
    assert program.post(VERIFY, {"email": email, "code": code}).status_code == 422
    assert program.post(TOKEN, login(email)).status_code == 403


def test_no_code_that_is_not_one_is_seen_in_the_name_of_an_account():
    """It stands in the links of messages, whose text is searched for six digits."""
    names = [str(crypto.new_uuid()) for _ in range(2000)]
    assert not any(re.search("[0-9]{6}", each) for each in names)
    assert len(set(names)) == len(names)


def test_a_refresh_token_that_is_used_twice_ends_the_sign_in(wire, program):
    ann = somebody(wire)
    turned = program.post(REFRESH, {"refresh_token": ann.refresh})
    assert turned.status_code == 200
    assert set(turned.json()) == {"access_token", "refresh_token", "token_type", "expires_in"}
    again = program.post(REFRESH, {"refresh_token": ann.refresh})
    assert again.status_code == 401
    newest = {"refresh_token": turned.json()["refresh_token"]}
    assert program.post(REFRESH, newest).status_code == 401
    assert Program(wire, turned.json()["access_token"]).get(PROFILE).status_code == 401


def test_revoking_ends_the_sign_in_and_says_nothing(wire, program):
    ann = somebody(wire)
    for token in ann.refresh, ann.refresh, "none of ours":
        answer = program.post(REVOKE, {"refresh_token": token})
        assert (answer.status_code, answer.content) == (204, b"")
    assert Program(wire, ann.access).get(PROFILE).status_code == 401
