"""Family B on the wire: what the rows B01 to B10 say; those about minutes in our own time."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from portal.codes import challenges
from portal.core import crypto
from portal.delivery import service as delivery
from portal.delivery import transports
from tests.policy.world import World, wrong
from tests.rigs.gateway import KEY, Gateway
from tests.rigs.program import (
    OTHER_PASSWORD,
    PASSWORD,
    Program,
    new_address,
    signed_in,
    with_code,
)

FORGET, VERIFY = "/api/v1/auth/forget-password", "/api/v1/auth/verify-otp"
NOBODY = "nobody@example.org"


def asked(wire, email):
    """-> the code that a program asked for."""
    assert Program(wire).post(FORGET, {"email": email}).status_code == 200
    return with_code(wire, email).code


def choice(email, code, password=OTHER_PASSWORD):
    return {"email": email, "otp_code": code, "new_password": password}


def done(answer):
    """It was done, in the family's envelope.  -> the payload."""
    said = answer.json()
    assert answer.status_code == 200, answer.text
    assert set(said) == {"timestamp", "status", "message", "payload"}
    assert said["status"] == 200
    assert said["message"]
    just_now(said["timestamp"])
    return said["payload"]


def refused(answer, status, path, *names):
    """It says no, in the family's shape, and which fields are wrong."""
    said = answer.json()
    assert (answer.status_code, said["status"]) == (status, status), answer.text
    assert (said["path"], bool(said["error"])) == (path, True)
    assert set(said) == {"timestamp", "status", "error", "path"} | ({"errors"} if names else set())
    assert set(said.get("errors", {})) == set(names), answer.text
    assert all(isinstance(words, str) and words for words in said.get("errors", {}).values())
    just_now(said["timestamp"])


def deliver(app):
    """Sends what is due where no mailbox catches it."""
    with app.app_context():
        delivery.deliver_due()
        transports.rest()


def just_now(stamp):
    assert stamp.endswith("Z")
    apart = datetime.now(UTC) - datetime.fromisoformat(stamp)  # noqa: TID251
    assert abs(apart) < timedelta(minutes=1)


def test_b01_a_program_asks_and_a_code_of_six_digits_comes_by_email(wire, program, someone):
    assert done(program.post(FORGET, {"email": someone.email})) == {"expires_in": 600}
    assert re.fullmatch("[0-9]{6}", with_code(wire, someone.email).code)


def test_b02_code_and_new_password_in_one_call(wire, program, someone):
    body = choice(someone.email, asked(wire, someone.email))
    assert done(program.post(VERIFY, body)) is None
    signed_in(wire, someone.email, OTHER_PASSWORD)
    old = program.post("/api/v1/auth/token", {"email": someone.email, "password": PASSWORD})
    assert old.status_code == 401


def test_b02_what_is_wrong_is_told_by_field_and_leaves_the_code_good(wire, program, someone):
    code = asked(wire, someone.email)
    for password in "SecurePass123!", PASSWORD, "Ann Miller of nowhere at all":  # the paper's own
        answer = program.post(VERIFY, choice(someone.email, code, password))
        refused(answer, 400, VERIFY, "new_password")
    for typed in "12345", "abcdef", "", "１２３４５６":
        refused(program.post(VERIFY, choice(someone.email, typed)), 400, VERIFY, "otp_code")
    both = program.post(VERIFY, choice(someone.email, "1", "short"))
    refused(both, 400, VERIFY, "otp_code", "new_password")
    wrong_one = program.post(VERIFY, choice(someone.email, wrong(code)))
    refused(wrong_one, 400, VERIFY, "otp_code")
    refused(program.post(VERIFY, {"email": someone.email}), 400, VERIFY, "otp_code", "new_password")
    refused(program.post(VERIFY, choice("no address", code)), 400, VERIFY, "email")
    refused(program.post(VERIFY, choice(new_address("not.asked"), code)), 400, VERIFY)
    assert done(program.post(VERIFY, choice(someone.email, code))) is None


def test_b02_refusals_of_the_path_itself_have_the_shape_too(program):
    refused(program.get(VERIFY), 405, VERIFY)
    refused(program.post(FORGET, data=b"{"), 415, FORGET)
    kind = {"Content-Type": "application/json"}
    refused(program.post(FORGET, data=b"{", headers=kind), 400, FORGET)


def test_b03_the_code_lives_ten_minutes_and_allows_three_tries(call, post, ann, time):
    call(FORGET, email=ann.email)
    code = post.newest(ann.email).code
    time.pass_(seconds=601)
    late = call(VERIFY, **choice(ann.email, code))
    assert (late.status_code, "run out" in late.json["errors"]["otp_code"]) == (400, True)
    call(FORGET, email=ann.email)
    code = post.newest(ann.email).code
    time.pass_(seconds=599)
    tries = [call(VERIFY, **choice(ann.email, wrong(code, step))) for step in (1, 2, 3)]
    assert [each.status_code for each in tries] == [400] * 3
    spent = call(VERIFY, **choice(ann.email, code))
    assert (spent.status_code, spent.json["status"]) == (429, 429)
    assert int(spent.headers["Retry-After"]) > 0


def test_b03_a_code_with_leading_zeros_is_taken_as_it_stands(call, post, ann, time, monkeypatch):
    monkeypatch.setattr(crypto.secrets, "randbelow", lambda _most: 42)
    call(FORGET, email=ann.email)
    assert post.newest(ann.email).code == "000042"
    assert call(VERIFY, **choice(ann.email, "42")).status_code == 400
    assert call(VERIFY, **choice(ann.email, "000042")).status_code == 200


@pytest.mark.parametrize("known", [True, False])
def test_b04_one_request_a_minute_for_each_address_known_or_not(call, ann, time, known):
    email = ann.email if known else NOBODY
    time.pass_(hours=2)
    assert call(FORGET, email=email).status_code == 200
    time.pass_(seconds=20)
    soon = call(FORGET, email=email.upper())
    assert (soon.status_code, soon.headers["Retry-After"]) == (429, "40")
    assert soon.json["status"] == 429
    time.pass_(seconds=41)
    assert call(FORGET, email=email).status_code == 200


def test_b05_one_use_and_a_newer_request_ends_the_older_code(world, call, ann, time):
    call(FORGET, email=ann.email)
    old = world.post.newest(ann.email).code
    time.pass_(seconds=61)
    call(FORGET, email=ann.email)
    new = world.post.newest(ann.email).code
    statuses = [call(VERIFY, **choice(ann.email, code)).status_code for code in (old, new, new)]
    assert statuses == [400, 200, 400]
    kept = world.rows("SELECT consumed_at FROM otp WHERE purpose = 'password_reset'")
    assert [bool(consumed) for (consumed,) in kept] == [True, True]


def test_b06_the_letter_is_html_and_text_with_warnings_in_the_numbers_of_the_settings(make_app):
    numbers = {"API_CODE_LIFETIME_SECONDS": "420", "API_CODE_MAX_ATTEMPTS": "2"}
    world = World(make_app(**numbers))
    ann = world.account()
    answer = world.app.test_client().post(FORGET, json={"email": ann.email})
    assert answer.json["payload"] == {"expires_in": 420}
    mail = world.post.newest(ann.email)
    for part in mail.text, mail.html:
        assert "The code lasts 7 minutes" in part
        assert "takes 2 tries" in part
        assert "You can ignore this email." in part
        assert "Nobody at Latchkey will ask you for this code." in part
        assert mail.code in part


def test_b07_sendgrid_carries_the_code_with_the_key_of_the_settings(make_app):
    ann = World(make_app()).account()
    with Gateway() as gateway:
        app = make_app(**gateway.sendgrid_settings())
        assert app.test_client().post(FORGET, json={"email": ann.email}).status_code == 200
        deliver(app)
        [got] = gateway.wait_for(1)
    assert got.headers["authorization"] == f"Bearer {KEY}"
    assert got.body["personalizations"] == [{"to": [{"email": ann.email}]}]
    assert re.search(r"\b[0-9]{6}\b", got.body["content"][0]["value"])


def test_b08_password_and_code_change_together_or_not_at_all(call, post, ann, monkeypatch):
    call(FORGET, email=ann.email)
    code = post.newest(ann.email).code
    monkeypatch.setattr(challenges, "end_all", lambda _id: 1 / 0)
    assert call(VERIFY, **choice(ann.email, code)).status_code == 500
    monkeypatch.undo()
    again = call(VERIFY, **choice(ann.email, code))
    assert again.status_code == 200, "The code is used up, or the password is the present one."


def test_b08_a_message_that_could_not_be_sent_leaves_no_usable_code(
    world, call, ann, make_app, smtp_server
):
    call(FORGET, email=ann.email)
    smtp_server.refuse(at="DATA")
    deliver(make_app(**smtp_server.settings()))
    codes = "SELECT count(*) FROM otp WHERE purpose = 'password_reset' AND consumed_at IS NULL"
    assert world.rows(codes) == [(0,)]


def test_b09_codes_that_programs_asked_for_are_purged_by_age(world, call, ann, time):
    call(FORGET, email=ann.email)
    code = world.post.newest(ann.email).code
    mine = "SELECT count(*) FROM otp WHERE purpose = 'password_reset'"
    time.pass_(days=29)
    world.command("purge")
    assert world.rows(mine) == [(1,)]
    time.pass_(days=3)
    world.command("purge")
    assert world.rows(mine) == [(0,)]
    assert call(VERIFY, **choice(ann.email, code)).status_code == 400


def test_b10_addresses_are_compared_trimmed_and_case_folded(wire, program, someone):
    shouted = f"  {someone.email.upper()} "
    assert program.post(FORGET, {"email": shouted}).status_code == 200
    code = with_code(wire, someone.email).code
    assert done(program.post(VERIFY, choice(someone.email.title(), code))) is None
