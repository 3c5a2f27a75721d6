"""Own sign-ins over the wire: listed, read, ended one by one or all together."""

from datetime import datetime
from uuid import uuid4

import pytest
from flask import Flask

from tests.api.people import events, rows
from tests.policy.world import World
from tests.rigs.caller import Caller
from tests.rigs.program import PASSWORD, Program, new_address, signed_in, somebody
from tests.rigs.server import Server

NOBODYS = "00000000-0000-4000-8000-000000000001"  # the same in every process that runs tests
SESSIONS, PROFILE, REFRESH = "/api/v1/sessions", "/api/v1/profile", "/api/v1/auth/refresh"


def listed(program: Program) -> list[dict]:
    answer = program.get(SESSIONS)
    assert answer.status_code == 200, answer.text
    return answer.json()["sessions"]


def in_a_browser(wire: Server, email: str) -> Caller:
    browser = Caller(wire.url)
    browser.open("/sign-in")
    assert browser.send("/sign-in", email=email, password=PASSWORD).location == "/profile"
    return browser


def mine(program: Program) -> str:
    (found,) = [each["id"] for each in listed(program) if each["current"]]
    return found


def test_every_sign_in_is_listed_newest_first_and_the_asking_one_is_marked(wire):
    ann = somebody(wire)
    in_a_browser(wire, ann.email)
    newest = Program(wire, signed_in(wire, ann.email).access)
    found = listed(newest)
    assert [each["kind"] for each in found] == ["api", "browser", "api"]
    assert [each["current"] for each in found] == [True, False, False]
    assert len({each["id"] for each in found}) == 3
    assert [each["current"] for each in listed(Program(wire, ann.access))] == [False, False, True]


def test_a_sign_in_is_told_without_anything_secret(wire):
    program = Program(wire, somebody(wire).access)
    (found,) = listed(program)
    assert set(found) == {"id", "kind", "device", "started_at", "seen_at", "current"}
    assert found["device"] == "a program"
    assert rows(wire, "SELECT sid FROM session WHERE sid = :sid", sid=found["id"].replace("-", ""))
    for name in ("started_at", "seen_at"):
        assert found[name].endswith("Z")
        assert datetime.fromisoformat(found[name]).tzinfo is not None
    assert program.get(f"{SESSIONS}/{found['id']}").json() == found


def test_ending_one_kills_its_tokens_and_leaves_the_others(wire):
    ann = somebody(wire)
    other = signed_in(wire, ann.email)
    program, victim = Program(wire, ann.access), Program(wire, other.access)
    sid = mine(victim)
    answer = program.delete(f"{SESSIONS}/{sid}")
    assert (answer.status_code, answer.content) == (204, b"")
    refused = victim.get(PROFILE)
    assert (refused.status_code, refused.json()["code"]) == (401, "ended")
    assert Program(wire).post(REFRESH, {"refresh_token": other.refresh}).status_code == 401
    assert program.get(PROFILE).status_code == 200
    assert sid not in [each["id"] for each in listed(program)]
    assert [each["detail"] for each in events(wire, ann.email, "sign-in:ended")] == [
        "by its person"
    ]


def test_a_browser_can_be_signed_out_from_a_program(wire):
    ann = somebody(wire)
    browser, program = in_a_browser(wire, ann.email), Program(wire, ann.access)
    (sid,) = [each["id"] for each in listed(program) if each["kind"] == "browser"]
    assert browser.open("/profile").status == 200
    assert program.delete(f"{SESSIONS}/{sid}").status_code == 204
    assert browser.open("/profile").location.startswith("/sign-in")


def test_the_asking_sign_in_can_end_itself(wire):
    program = Program(wire, somebody(wire).access)
    assert program.delete(f"{SESSIONS}/{mine(program)}").status_code == 204
    assert program.get(SESSIONS).status_code == 401


def test_another_persons_sign_in_is_not_there(wire):
    ann, eve = Program(wire, somebody(wire).access), Program(wire, somebody(wire).access)
    there, nowhere = f"{SESSIONS}/{mine(ann)}", f"{SESSIONS}/{uuid4()}"
    for method in ("GET", "DELETE"):
        foreign, unknown = eve.call(method, there), eve.call(method, nowhere)
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content == unknown.content
    assert ann.get(PROFILE).status_code == 200


def test_a_sign_in_that_is_over_is_not_there(wire):
    ann = somebody(wire)
    program, other = Program(wire, ann.access), signed_in(wire, ann.email)
    sid = mine(Program(wire, other.access))
    revoked = Program(wire).post("/api/v1/auth/revoke", {"refresh_token": other.refresh})
    assert revoked.status_code == 204
    assert program.get(f"{SESSIONS}/{sid}").status_code == 404
    assert program.delete(f"{SESSIONS}/{sid}").status_code == 404
    assert [each["current"] for each in listed(program)] == [True]


def test_signing_out_everywhere_ends_this_one_too(wire):
    ann, eve = somebody(wire), Program(wire, somebody(wire).access)
    browser, other = in_a_browser(wire, ann.email), signed_in(wire, ann.email)
    answer = Program(wire, ann.access).delete(SESSIONS)
    assert (answer.status_code, answer.content) == (204, b"")
    for each in (ann, other):
        assert Program(wire, each.access).get(PROFILE).status_code == 401
        assert Program(wire).post(REFRESH, {"refresh_token": each.refresh}).status_code == 401
    assert browser.open("/profile").location.startswith("/sign-in")
    assert eve.get(PROFILE).status_code == 200
    assert [each["detail"] for each in events(wire, ann.email, "sign-in:all-ended")] == ["3"]
    assert signed_in(wire, ann.email).access


@pytest.mark.parametrize("sid", ["1", "x", "00000000000000000000000000000000", "..%2f1", "'--"])
def test_what_is_no_id_is_not_there(wire, sid):
    program = Program(wire, somebody(wire).access)
    answer = program.get(f"{SESSIONS}/{sid}")
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


@pytest.mark.parametrize("method, path", [
    ("GET", ""), ("DELETE", ""), ("GET", f"/{NOBODYS}"), ("DELETE", f"/{NOBODYS}"),
])  # fmt: skip
def test_nobody_else_gets_in(wire, method, path):
    assert Program(wire).call(method, SESSIONS + path).status_code == 401
    wish = {"full_name": "New One", "email": new_address(), "password": PASSWORD}
    token = Program(wire).post("/register", wish).json()["access_token"]
    answer = Program(wire, token).call(method, SESSIONS + path)
    assert (answer.status_code, answer.json()["code"]) == (403, "unproven")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_sign_ins_are_read_and_deleted_only(wire, method):
    program = Program(wire, somebody(wire).access)
    assert program.call(method, SESSIONS, {}).status_code == 405
    assert program.call(method, f"{SESSIONS}/{uuid4()}", {}).status_code == 405


def test_a_browser_that_was_left_alone_is_not_there_any_more(app, time):
    world = World(app)
    ann = world.account()
    browser = world.inside()
    (sid,) = ended = _ids(app, ann.email, "browser")
    time.pass_(minutes=29)
    assert _ids(app, ann.email, "browser") == ended
    time.pass_(minutes=2)
    assert _ids(app, ann.email, "browser") == []
    answer = app.test_client().delete(f"{SESSIONS}/{sid}", headers=_signed_in(app, ann.email))
    assert answer.status_code == 404
    assert browser.get("/profile").location.startswith("/sign-in")


def _signed_in(app: Flask, email: str) -> dict[str, str]:
    wish = {"email": email, "password": PASSWORD}
    pair = app.test_client().post("/api/v1/auth/token", json=wish).json
    return {"Authorization": f"Bearer {pair['access_token']}"}


def _ids(app: Flask, email: str, kind: str) -> list[str]:
    found = app.test_client().get(SESSIONS, headers=_signed_in(app, email)).json["sessions"]
    return [each["id"] for each in found if each["kind"] == kind]
