"""Family C on the wire: what the rows C01 to C10 say; those about minutes in our own time."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.core.settings import Refused
from tests.policy.world import NUMBER, World, wrong
from tests.rigs.program import (
    OTHER_PASSWORD,
    PASSWORD,
    Program,
    link_in,
    new_address,
    signed_in,
    with_code,
)

PREFIXES = "/api/auth", "/api/v1/auth"
AUTH = "/api/auth"
CHANGE, CONFIRM = f"{AUTH}/change-password", f"{AUTH}/confirm-password"
FORGOT, RESEND = f"{AUTH}/forgot-password", f"{AUTH}/resend-password-reset"
VALIDATE, RESET = f"{AUTH}/validate-password-reset", f"{AUTH}/reset-password"
TOKEN, REFRESH, PROFILE = "/api/v1/auth/token", "/api/v1/auth/refresh", "/api/v1/profile"


@pytest.fixture
def inside(wire, someone):
    """A program in which this person is signed in."""
    return Program(wire, someone.access)


def asked(wire, someone, path=FORGOT, count=2):
    """-> code and token of the message that a program asked for."""
    assert Program(wire).post(path, {"email": someone.email}).status_code == 200
    mail = with_code(wire, someone.email, count)
    return mail.code, link_in(mail, "/recover/link/").rpartition("/")[2]


def done(answer, *more):
    """It was done, in the family's envelope.  -> what it says."""
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "success"), answer.text
    assert said["message"]
    assert set(said) == {"status", "message", *more}
    return said


def refused(answer, status, *names):
    """It says no, in the family's shape, and which fields are wrong.  -> what it says."""
    said = answer.json()
    assert (answer.status_code, said["status"]) == (status, "error"), answer.text
    assert said["message"]
    assert set(said) <= {"status", "message", "errors", "valid", "reason"}
    assert set(said.get("errors", {})) == set(names), answer.text
    return said


def invalid(answer, reason, *names):
    """It says that code or link is not good, and why."""
    said = refused(answer, 400, *names)
    assert (said["valid"], said["reason"]) == (False, reason)


def by_code(email, code, password=OTHER_PASSWORD):
    return {"email": email, "otp": code, "new_password": password}


def opens(wire, email, password):
    answer = Program(wire).post(TOKEN, {"email": email, "password": password})
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
def test_c01_change_password_verifies_the_old_one_and_ends_other_sessions(wire, someone, prefix):
    program, path = Program(wire, someone.access), f"{prefix}/change-password"
    other = signed_in(wire, someone.email)
    body = {"old_password": OTHER_PASSWORD, "new_password": OTHER_PASSWORD}
    refused(program.post(path, body), 422, "old_password")
    refused(program.post(path, body | {"old_password": PASSWORD} | {"new_password": "a"}), 422,
            "new_password")  # fmt: skip
    refused(program.post(path, {}), 400, "old_password", "new_password")
    refused(Program(wire).post(path, body), 401)
    assert opens(wire, someone.email, PASSWORD)
    done(program.post(path, body | {"old_password": PASSWORD}))
    assert Program(wire, other.access).get(PROFILE).status_code == 401
    assert program.post(REFRESH, {"refresh_token": other.refresh}).status_code == 401
    assert program.get(PROFILE).status_code == 200
    assert Program(wire).post(REFRESH, {"refresh_token": someone.refresh}).status_code == 200
    assert not opens(wire, someone.email, PASSWORD)
    assert opens(wire, someone.email, OTHER_PASSWORD)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_c02_an_address_gets_a_link_and_a_code(wire, program, someone, prefix):
    done(program.post(f"{prefix}/forgot-password", {"email": someone.email}))
    mail = with_code(wire, someone.email)
    assert link_in(mail, r"^/recover/link/[\w-]{43}$")
    assert len(mail.code) == 6


def test_c02_a_number_gets_a_code_by_sms(world, call, ann, time):
    world.add_phone(world.inside())
    time.pass_(hours=2)
    assert call(FORGOT, phone="+44 7400 218305").status_code == 200
    mail = world.post.newest(NUMBER)
    assert "/recover" not in mail.text
    body = {"phone": NUMBER, "otp": mail.code, "new_password": OTHER_PASSWORD}
    assert call(RESET, **body).status_code == 200
    assert call(TOKEN, email=ann.email, password=OTHER_PASSWORD).status_code == 200


def test_c02_exactly_one_of_address_and_number(program):
    for body in ({}, {"email": new_address(), "phone": NUMBER}, {"email": None}, {"phone": 447}):
        assert program.post(FORGOT, body).status_code == 400
    refused(program.post(FORGOT, {"email": "nobody"}), 422, "email")
    refused(program.post(FORGOT, {"phone": "12"}), 422, "phone")


def test_c03_the_link_opens_the_form_and_a_get_of_it_consumes_nothing(wire, program, someone):
    _code, token = asked(wire, someone)
    for _ in range(3):
        page = program.get(f"/recover/link/{token}")
        assert (page.status_code, "<form" in page.text) == (200, True)
    done(program.post(VALIDATE, {"token": token}), "valid", "expires_in")
    done(program.post(RESET, {"token": token, "new_password": OTHER_PASSWORD}))


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("way", ["token", "otp"])
def test_c04_link_or_code_set_the_new_password(wire, program, someone, prefix, way):
    code, token = asked(wire, someone)
    proof = {"token": {"token": token}, "otp": {"email": someone.email, "otp": code}}[way]
    body = proof | {"new_password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    done(program.post(f"{prefix}/reset-password", body))
    assert opens(wire, someone.email, OTHER_PASSWORD)
    assert not opens(wire, someone.email, PASSWORD)
    again = body | dict.fromkeys(("new_password", "confirm_password"), "yellow anchor monday")
    names = ["otp"] if way == "otp" else []
    refused(program.post(f"{prefix}/reset-password", again), 400, *names)
    assert opens(wire, someone.email, OTHER_PASSWORD)


def test_c04_wrong_code_or_token_and_weak_password_are_400_and_leave_the_rest_good(
    wire, program, someone
):
    code, token = asked(wire, someone)
    for proof in {"token": token}, {"email": someone.email, "otp": code}:
        for password in "short", PASSWORD, "Ann Miller of nowhere at all":
            refused(program.post(RESET, proof | {"new_password": password}), 400, "new_password")
        both = {"new_password": OTHER_PASSWORD, "confirm_password": PASSWORD}
        refused(program.post(RESET, proof | both), 400, "confirm_password")
    refused(program.post(RESET, by_code(someone.email, wrong(code))), 400, "otp")
    refused(program.post(RESET, by_code(new_address("not.asked"), code)), 400)
    refused(program.post(RESET, {"token": token[:-1], "new_password": OTHER_PASSWORD}), 400)
    mixed = by_code(someone.email, code) | {"token": token}
    assert program.post(RESET, mixed).status_code == 400
    done(program.post(RESET, by_code(someone.email, code)))
    refused(program.post(RESET, {"token": token, "new_password": "yellow anchor monday"}), 400)


@pytest.mark.parametrize("prefix", ["/api/auth/", "/api/v1/auth/"])
def test_c05_sending_again_ends_the_older_one_and_has_its_limits(world, call, ann, time, prefix):
    path = prefix + "resend-password-reset"
    call(FORGOT, email=ann.email)
    old = world.post.newest(ann.email)
    soon = call(path, email=ann.email)
    assert (soon.status_code, soon.headers["Retry-After"]) == (429, "60")
    assert soon.json["status"] == "error"
    time.pass_(seconds=61)
    assert call(path, email=ann.email).status_code == 200
    new = world.post.newest(ann.email)
    assert call(RESET, **by_code(ann.email, old.code)).status_code == 400
    dead = {"token": old.link.rpartition("/")[2], "new_password": OTHER_PASSWORD}
    assert call(RESET, **dead).status_code == 400
    assert call(RESET, **by_code(ann.email, new.code)).status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
def test_c06_a_good_code_or_link_is_told_with_its_time_and_stays_good(
    wire, program, someone, prefix
):
    code, token = asked(wire, someone)
    path = f"{prefix}/validate-password-reset"
    for _ in range(4):  # more often than the code has tries
        said = done(
            program.post(path, {"email": someone.email, "otp": code}), "valid", "expires_in"
        )
        assert (said["valid"], 590 <= said["expires_in"] <= 600) == (True, True)
        said = done(program.post(path, {"token": token}), "valid", "expires_in")
        assert (said["valid"], 890 <= said["expires_in"] <= 900) == (True, True)
    done(program.post(RESET, by_code(someone.email, code)))
    invalid(program.post(path, {"token": token}), "used")
    invalid(program.post(path, {"email": someone.email, "otp": code}), "invalid", "otp")


def test_c06_a_wrong_code_counts_as_a_try(wire, program, someone):
    code, token = asked(wire, someone)
    for step in 1, 2, 3:
        body = {"email": someone.email, "otp": wrong(code, step)}
        invalid(program.post(VALIDATE, body), "invalid", "otp")
    said = refused(program.post(VALIDATE, {"email": someone.email, "otp": code}), 429)
    assert (said["valid"], said["reason"]) == (False, "too-many-tries")
    assert program.post(RESET, by_code(someone.email, code)).status_code == 429
    done(program.post(RESET, {"token": token, "new_password": OTHER_PASSWORD}))


def test_c06_what_has_run_out_or_was_overtaken_is_told(world, call, ann, time):
    def reason(**body):
        answer = call(VALIDATE, **body)
        assert (answer.status_code, answer.json["valid"]) == (400, False)
        return answer.json["reason"]

    call(FORGOT, email=ann.email)
    old = world.post.newest(ann.email)
    time.pass_(seconds=601)
    assert reason(email=ann.email, otp=old.code) == "expired"
    time.pass_(seconds=300)
    assert reason(token=old.link.rpartition("/")[2]) == "expired"
    call(FORGOT, email=ann.email)
    old = world.post.newest(ann.email)
    time.pass_(seconds=61)
    call(RESEND, email=ann.email)
    world.post.deliver()
    assert reason(token=old.link.rpartition("/")[2]) == "replaced"
    assert reason(email=ann.email, otp=old.code) == "invalid"
    assert reason(email="nobody@example.org", otp="123456") == "invalid"
    assert reason(token="x") == "invalid"


@pytest.mark.parametrize("prefix", PREFIXES)
def test_c07_the_password_once_more_counts_for_ten_minutes(wire, program, inside, someone, prefix):
    path = f"{prefix}/confirm-password"
    refused(inside.post(path, {"password": OTHER_PASSWORD}), 422, "password")
    refused(inside.post(path, {"password": ""}), 422, "password")
    refused(program.post(path, {"password": PASSWORD}), 401)
    said = done(inside.post(path, {"password": PASSWORD}), "confirmed", "confirmed_until")
    assert said["confirmed"] is True
    until = datetime.fromisoformat(said["confirmed_until"])
    now = datetime.now(UTC)  # noqa: TID251 - of the served product
    assert abs(until - now - timedelta(minutes=10)) < timedelta(minutes=1)


def test_c07_wrong_ones_share_the_limits_of_signing_in(app, call, ann, time):
    access = call(TOKEN, email=ann.email, password=PASSWORD).json["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    for number in range(5):
        assert call(TOKEN, email=ann.email, password=f"wrong {number}").status_code == 401
        answer = app.test_client().post(CONFIRM, json={"password": "x"}, headers=bearer)
        assert answer.status_code == 422
    waits = app.test_client().post(CONFIRM, json={"password": PASSWORD}, headers=bearer)
    assert (waits.status_code, waits.headers["Retry-After"]) == (429, "300")
    assert call(TOKEN, email=ann.email, password=PASSWORD).status_code == 429
    time.pass_(seconds=301)
    assert call(TOKEN, email=ann.email, password=PASSWORD).status_code == 200


@pytest.mark.parametrize("seconds, status", [(899, 200), (901, 400)])
def test_c08_the_link_lives_fifteen_minutes(world, call, ann, time, seconds, status):
    call(FORGOT, email=ann.email)
    token = world.post.newest(ann.email).link.rpartition("/")[2]
    time.pass_(seconds=seconds)
    assert call(RESET, token=token, new_password=OTHER_PASSWORD).status_code == status


def test_c08_other_lives_than_ten_to_fifteen_minutes_are_refused(make_app):
    for seconds in "599", "901":
        with pytest.raises(Refused, match="LINK_LIFETIME_SECONDS"):
            make_app(LINK_LIFETIME_SECONDS=seconds)


@pytest.mark.parametrize("known", [True, False])
def test_c09_requests_are_limited_in_number_known_or_not(call, ann, time, known):
    email = ann.email if known else "nobody@example.org"
    time.pass_(days=2)
    statuses = []
    for step in range(6):
        statuses.append(call(RESEND if step % 2 else FORGOT, email=email).status_code)
        time.pass_(seconds=61)
    assert statuses == [200] * 5 + [429]
    time.pass_(hours=1)
    assert call(FORGOT, email=email).status_code == 200


def test_c10_after_a_reset_every_session_and_token_is_dead_at_once(wire, program, someone):
    other = signed_in(wire, someone.email)
    code, _token = asked(wire, someone)
    done(program.post(RESET, by_code(someone.email, code)))
    for each in someone, other:
        assert Program(wire, each.access).get(PROFILE).status_code == 401
        assert program.post(REFRESH, {"refresh_token": each.refresh}).status_code == 401


@pytest.fixture
def strict(make_app):
    """The same portal where changing a password takes a code as well."""
    return World(make_app(REQUIRE_CODE_FOR_PASSWORD_CHANGE="1"))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_c11_a_fresh_delivered_code_is_asked_for_before_a_password_change(strict, prefix):
    email = strict.account().email
    post = strict.app.test_client().post
    access = post(TOKEN, json={"email": email, "password": PASSWORD}).json["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}
    body = {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}
    first = post(f"{prefix}/change-password", json=body, headers=bearer)
    assert (first.status_code, first.json["code_required"]) == (403, True)
    assert first.json["status"] == "error"
    code = strict.post.with_code(email).code
    repeat = post(f"{prefix}/change-password", json=body | {"code": code}, headers=bearer)
    assert (repeat.status_code, repeat.json["status"]) == (200, "success")
    typed = {"email": email, "password": OTHER_PASSWORD}
    assert post(TOKEN, json=typed).status_code == 200


def test_c11_the_page_asks_for_it_too(strict):
    email = strict.account().email
    browser = strict.inside(email)
    typed = dict.fromkeys(("password", "confirm_password"), OTHER_PASSWORD)
    browser.get("/security/password")
    page = browser.submit("/security/password", old_password=PASSWORD, **typed)
    assert (page.status, set(page.errors)) == (422, {"code"})
    code = strict.post.with_code(email).code
    page = browser.submit("/security/password", old_password=PASSWORD, **typed, code=code)
    assert page.status == 303


def test_c11_without_the_setting_no_code_is_asked_for(inside):
    body = {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}
    done(inside.post(CHANGE, body))
