"""Family E on the wire: what the rows E01 to E10 say, told to the served product."""

import re
from io import BytesIO
from uuid import UUID

import pytest
import requests
from PIL import Image

from tests.attacks.conftest import png
from tests.rigs.bucket import Bucket
from tests.rigs.caller import Caller
from tests.rigs.fixtures import ROOM
from tests.rigs.program import (
    OTHER_PASSWORD,
    PASSWORD,
    Program,
    is_page,
    letter,
    link_in,
    new_address,
    somebody,
    with_code,
)
from tests.rigs.server import Server

POSTS = "/register", "/login", "/forgot-password", "/reset-password"
USER = {"id", "full_name", "email", "role", "avatar"}
THIRD_PASSWORD = "copper river friday morning"
MEGABYTE = 1024 * 1024


@pytest.fixture
def ann(wire):
    return somebody(wire)


def wish(email, **more):
    return {"full_name": "Eve Miller", "email": email, "password": PASSWORD} | more


def registered(wire, email=""):
    """An account that nobody has proven.  -> its address, and a program with its token."""
    email = email or new_address("eve")
    answer = Program(wire).post("/register", wish(email))
    assert answer.status_code == 201, answer.text
    return email, Program(wire, answer.json()["access_token"])


def picture(kind="PNG", side=300):
    file = BytesIO()
    Image.new("RGB", (side, side), "teal").save(file, kind)
    return file.getvalue()


def avatar(data, name="me.png", kind="image/png"):
    return {"files": {"avatar": (name, data, kind)}}


def text(**parts):
    """The text parts of a multipart body."""
    return {"files": {name: (None, value) for name, value in parts.items()}}


def refused(answer, status, *names):
    """It says no, in the family's shape, and which fields are wrong."""
    said = answer.json()
    assert (answer.status_code, said["status"]) == (status, "error"), answer.text
    assert said["message"], answer.text
    assert set(said) <= {"status", "message", "errors"}
    assert set(said.get("errors", {})) == set(names), answer.text
    assert all(each for words in said.get("errors", {}).values() for each in words)
    return said["message"]


def is_dead(program):
    answer = program.post("/update-profile", **text(full_name="Eve Again"))
    return answer.status_code == 401


# ------------------------------------------------------------------ E01


def test_e01_registering_answers_with_token_and_user(program):
    email = new_address("eve")
    answer = program.post("/register", wish(email))
    said = answer.json()
    assert answer.status_code == 201
    assert set(said) == {"status", "message", "access_token", "user"}
    assert said["status"] == "success"
    assert said["message"]
    assert set(said["user"]) == USER
    assert str(UUID(said["user"]["id"])) == said["user"]["id"]
    told = {name: said["user"][name] for name in USER - {"id"}}
    assert told == {"full_name": "Eve Miller", "email": email, "role": "user", "avatar": None}


def test_e01_the_role_may_be_named(program):
    answer = program.post("/register", wish(new_address(), role="user"))
    assert (answer.status_code, answer.json()["user"]["role"]) == (201, "user")


@pytest.mark.parametrize("role", ["admin", "support", "viewer", "Admin", "owner", "user,admin"])
def test_e01_nobody_makes_themselves_staff(program, role):
    email = new_address()
    refused(program.post("/register", wish(email, role=role)), 400, "role")
    assert program.post("/register", wish(email)).status_code == 201


def test_e01_a_bad_field_is_named(program):
    bad = [
        ("email", "nobody"),
        ("email", ""),
        ("email", 5),
        ("full_name", " "),
        ("full_name", None),
        ("password", "password"),
        ("password", "Ann1!"),
        ("role", ["user"]),
    ]
    for name, value in bad:
        refused(program.post("/register", wish(new_address()) | {name: value}), 400, name)
    refused(program.post("/register", {}), 400, "full_name", "email", "password")


def test_e01_a_taken_address_is_told_proven_or_not_however_it_is_written(program, wire, ann):
    unproven, _token = registered(wire)
    for email in ann.email, unproven, f" {ann.email.upper()} ":
        refused(program.post("/register", wish(email)), 400, "email")
    refused(program.post("/register", wish(ann.email, password="short")), 400, "password")


def test_e01_the_token_of_an_address_that_is_not_proven_reaches_its_own_profile_only(wire):
    email, eve = registered(wire)
    assert eve.get("/api/v1/profile").json()["email"] == email
    assert eve.post("/update-profile", **text(full_name="Eve Hill")).status_code == 200
    assert eve.get("/api/v1/profile").json()["full_name"] == "Eve Hill"
    for method, path, body in (
        ("PUT", "/api/v1/profile/name", {"full_name": "Eve Moon", "username": None}),
        ("PUT", "/api/v1/profile/bio", {"bio": "I bake."}),
        ("GET", "/api/v1/sessions", None),
    ):
        assert eve.call(method, path, body).status_code == 403, path
    assert eve.get("/api/v1/profile").json()["full_name"] == "Eve Hill"


def test_e01_the_message_is_the_usual_one_and_its_link_opens_the_portal(wire):
    email, _eve = registered(wire)
    mail = letter(wire, email)
    assert mail.subject == "Confirm your email address"
    assert mail.code
    assert is_page(Program(wire).get(link_in(mail, "^/sign-up/link/")))


def test_e01_the_code_proves_the_address_and_ends_the_token(wire, program):
    email, eve = registered(wire)
    proof = {"email": email, "code": letter(wire, email).code}
    assert not is_dead(eve)
    assert program.post("/api/v1/auth/verify-email", proof).status_code == 200
    assert is_dead(eve)
    answer = program.post("/login", {"email": email, "password": PASSWORD})
    assert answer.status_code == 200
    proven = Program(wire, answer.json()["access_token"])
    assert proven.put("/api/v1/profile/bio", {"bio": "I bake."}).status_code == 200


def test_e01_a_recovery_proves_the_address_and_ends_the_token(wire, program):
    email, eve = registered(wire)
    letter(wire, email)
    assert program.post("/forgot-password", {"email": email}).status_code == 200
    reset = {"email": email, "otp": with_code(wire, email).code, "new_password": OTHER_PASSWORD}
    assert program.post("/reset-password", reset).status_code == 200
    assert is_dead(eve)


def test_e01_the_whole_family_can_be_left_out(make_app):
    program = make_app(API_FAMILIES="b,c,d").test_client()
    for path in (*POSTS, "/update-profile"):
        assert program.post(path, json=wish("eve@example.org")).status_code == 404
        assert program.get(path).status_code == 404


# ------------------------------------------------------------------ E02


def test_e02_signing_in_answers_with_token_and_user(program, wire, ann):
    answer = program.post("/login", {"email": ann.email, "password": PASSWORD})
    said = answer.json()
    assert answer.status_code == 200
    assert set(said) == {"status", "message", "access_token", "user"}
    assert (said["status"], set(said["user"])) == ("success", USER)
    assert (said["user"]["email"], said["user"]["full_name"]) == (ann.email, "Ann Miller")
    inside = Program(wire, said["access_token"])
    assert inside.get("/api/v1/profile").json()["email"] == ann.email


def test_e02_wrong_and_unknown_are_refused_alike(program, ann):
    wrong = program.post("/login", {"email": ann.email, "password": OTHER_PASSWORD})
    unknown = program.post("/login", {"email": new_address("who"), "password": OTHER_PASSWORD})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert set(wrong.json()) == {"status", "message"}
    refused(wrong, 401)


def test_e02_an_address_that_is_not_proven_gets_in_as_it_registered(program, wire):
    email, eve = registered(wire)
    answer = program.post("/login", {"email": email, "password": PASSWORD})
    again = Program(wire, answer.json()["access_token"])
    assert answer.status_code == 200
    assert again.put("/api/v1/profile/bio", {"bio": "I bake."}).status_code == 403
    assert not is_dead(eve)
    assert not is_dead(again)


def test_e02_who_is_blocked_is_told_after_the_right_password_only(program, wire, ann):
    wire.flask("users", "block", ann.email)
    answer = program.post("/login", {"email": ann.email, "password": PASSWORD})
    assert "blocked" in refused(answer, 403)
    refused(program.post("/login", {"email": ann.email, "password": OTHER_PASSWORD}), 401)
    refused(Program(wire, ann.access).post("/update-profile", **text(full_name="Ann")), 401)


# ------------------------------------------------------------------ E03 and E04


def test_e03_asking_is_answered_alike_and_sends_a_code_for_10_minutes(program, wire, ann):
    known = program.post("/forgot-password", {"email": ann.email})
    unknown = program.post("/forgot-password", {"email": new_address("who")})
    assert known.status_code == unknown.status_code == 200
    assert known.content == unknown.content
    assert set(known.json()) == {"status", "message"}
    assert known.json()["status"] == "success"
    mail = with_code(wire, ann.email)
    assert mail.code
    assert "10 minutes" in mail.text
    assert "takes 3 tries" in mail.text
    assert is_page(program.get(link_in(mail, "^/recover/link/")))


def test_e03_a_bad_address_is_named(program):
    for body in {"email": "nobody"}, {"email": ""}, {"email": None}, {}:
        refused(program.post("/forgot-password", body), 400, "email")


def test_e03_once_a_minute(program, ann):
    assert program.post("/forgot-password", {"email": ann.email}).status_code == 200
    answer = program.post("/forgot-password", {"email": ann.email})
    refused(answer, 429)
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_e04_the_code_sets_the_new_password_and_ends_every_sign_in(program, wire, ann):
    program.post("/forgot-password", {"email": ann.email})
    body = {
        "email": ann.email.upper(),
        "otp": with_code(wire, ann.email).code,
        "new_password": OTHER_PASSWORD,
    }
    answer = program.post("/reset-password", body)
    assert (answer.status_code, set(answer.json())) == (200, {"status", "message"})
    assert is_dead(Program(wire, ann.access))
    old, new = ({"email": ann.email, "password": each} for each in (PASSWORD, OTHER_PASSWORD))
    assert program.post("/login", old).status_code == 401
    assert program.post("/login", new).status_code == 200
    refused(program.post("/reset-password", body | {"new_password": THIRD_PASSWORD}), 401)


def test_e04_wrong_codes_are_401_and_then_429(program, wire, ann):
    program.post("/forgot-password", {"email": ann.email})
    code = with_code(wire, ann.email).code
    body = {"email": ann.email, "new_password": OTHER_PASSWORD}
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(3):
        refused(program.post("/reset-password", body | {"otp": wrong}), 401)
    refused(program.post("/reset-password", body | {"otp": code}), 429)
    assert program.post("/login", {"email": ann.email, "password": PASSWORD}).status_code == 200


def test_e04_what_can_be_no_code_is_refused_and_not_counted(program, wire, ann):
    program.post("/forgot-password", {"email": ann.email})
    body = {"email": ann.email, "new_password": OTHER_PASSWORD}
    for otp in "", "12345", "abcdef", "1234567", "١٢٣٤٥٦":
        refused(program.post("/reset-password", body | {"otp": otp}), 401)
    refused(program.post("/reset-password", body | {"otp": 123456}), 400, "otp")
    answer = program.post("/reset-password", body | {"otp": with_code(wire, ann.email).code})
    assert answer.status_code == 200


def test_e04_a_weak_password_is_400_and_leaves_the_code_good(program, wire, ann):
    program.post("/forgot-password", {"email": ann.email})
    body = {"email": ann.email, "otp": with_code(wire, ann.email).code}
    for weak in "short", "password1", PASSWORD, "Miller!Ann9Miller":
        answer = program.post("/reset-password", body | {"new_password": weak})
        refused(answer, 400, "new_password")
    assert program.post("/reset-password", body | {"new_password": OTHER_PASSWORD}).ok


def test_e04_nothing_asked_for_is_400_known_or_not(program, ann):
    body = {"otp": "123456", "new_password": OTHER_PASSWORD}
    answers = [
        program.post("/reset-password", body | {"email": email})
        for email in (ann.email, new_address("who"))
    ]
    for answer in answers:
        refused(answer, 400)
    assert answers[0].content == answers[1].content


# ------------------------------------------------------------------ E05, E06, E07


def test_e05_name_and_picture_are_changed_and_told(wire, ann):
    program = Program(wire, ann.access)
    parts = text(full_name="Ann Hill", email=ann.email.upper())["files"]
    answer = program.post("/update-profile", files=parts | avatar(picture())["files"])
    said = answer.json()
    assert (answer.status_code, set(said)) == (200, {"status", "message", "user"})
    assert set(said["user"]) == {"id", "email", "full_name", "avatar"}
    assert (said["user"]["email"], said["user"]["full_name"]) == (ann.email, "Ann Hill")
    assert said["user"]["avatar"].startswith(wire.url)
    shown = program.get(said["user"]["avatar"].removeprefix(wire.url))
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/webp")


def test_e05_each_part_alone_leaves_the_others(wire, ann):
    program = Program(wire, ann.access)
    first = program.post("/update-profile", **avatar(picture())).json()["user"]
    assert first["full_name"] == "Ann Miller"
    second = program.post("/update-profile", **text(full_name="Ann Hill")).json()["user"]
    assert second == first | {"full_name": "Ann Hill"}
    assert program.post("/update-profile", **text(email=ann.email)).json()["user"] == second


def test_e05_one_bad_part_changes_nothing(wire, ann):
    program = Program(wire, ann.access)
    before = program.get("/api/v1/profile").json()
    name = text(full_name="Ann Hill")["files"]
    other = text(email=new_address("bob"))["files"]
    wrong = avatar(b"no picture")["files"]
    refused(program.post("/update-profile", files=name | other), 400, "email")
    refused(program.post("/update-profile", files=name | wrong), 415, "avatar")
    blank = text(full_name="")["files"]
    refused(
        program.post("/update-profile", files=blank | avatar(picture())["files"]), 400, "full_name"
    )
    assert program.get("/api/v1/profile").json() == before


def test_e06_what_is_wrong_with_a_token_is_said_distinctly(program, wire, ann):
    headers = [
        {},
        *({"Authorization": each} for each in (f"Token {ann.access}", "Bearer nonsense")),
    ]
    answers = [program.post("/update-profile", headers=each) for each in headers]
    messages = [refused(answer, 401) for answer in answers]
    assert len(set(messages)) == 3
    challenges = [answer.headers["WWW-Authenticate"].partition(" ")[0] for answer in answers]
    assert challenges == ["Bearer"] * 3


def test_e06_a_token_that_ran_out_is_said_to_have(app, time):
    program = app.test_client()
    token = program.post("/register", json=wish("eve@example.org")).json["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    form = {"full_name": "Eve Hill"}
    for minutes, status in (29, 200), (2, 401):
        time.pass_(minutes=minutes)
        sent = {"headers": header, "data": form, "content_type": "multipart/form-data"}
        answer = program.post("/update-profile", **sent)
        assert answer.status_code == status
    assert answer.json["message"] == "This access token has expired."


def test_e07_more_than_5_megabytes_are_too_big(wire, ann):
    program = Program(wire, ann.access)
    for size in 5 * MEGABYTE + 1, 7 * MEGABYTE:
        data = png() + bytes(size - len(png()))
        answer = program.post("/update-profile", **avatar(data))
        assert (answer.status_code, answer.json()["status"]) == (413, "error"), size
    whole = png() + bytes(5 * MEGABYTE - len(png()))
    assert program.post("/update-profile", **avatar(whole)).status_code == 200


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_e07_what_it_is_decides_and_not_what_it_is_called(wire, ann, kind):
    answer = Program(wire, ann.access).post(
        "/update-profile", **avatar(picture(kind), "me.txt", "text/plain")
    )
    assert answer.status_code == 200
    assert answer.json()["user"]["avatar"]


@pytest.mark.parametrize("data", [b"", b"hello", picture("GIF"), picture("BMP"), b"<svg/>"])
def test_e07_other_kinds_are_refused_whatever_they_are_called(wire, ann, data):
    answer = Program(wire, ann.access).post("/update-profile", **avatar(data))
    refused(answer, 415 if data else 400, "avatar")


# ------------------------------------------------------------------ E08


def test_e08_pictures_are_in_the_bucket_under_names_of_chance_and_come_from_us(tmp_path):
    with Bucket() as store, Server(tmp_path, **ROOM, **store.settings()) as portal:
        eve = Program(portal, somebody(portal).access)
        address = eve.post("/update-profile", **avatar(picture())).json()["user"]["avatar"]
        objects = store.objects()
        assert len(objects) == 3
        assert all(re.fullmatch(r"[0-9a-f]{2}/[0-9a-f]{32}-\d+\.webp", each) for each in objects)
        assert address.startswith(f"{portal.url}/pictures/")
        shown = requests.get(address, timeout=10, allow_redirects=False)
        assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/webp")
        assert shown.content in [store.get(each) for each in objects]
        assert not list(tmp_path.rglob("*.webp"))
        eve.post("/update-profile", **avatar(picture(side=400)))
        assert len(store.objects()) == 3
        assert not set(objects) & set(store.objects())


# ------------------------------------------------------------------ E09, E10, and the pages behind


def test_e09_no_cookie_stands_for_a_token_and_no_form_token_is_asked(wire, program):
    someone, browser = somebody(wire), Caller(wire.url)
    browser.open("/sign-in")
    assert browser.send("/sign-in", email=someone.email, password=PASSWORD).status == 303
    cookie = {"Cookie": browser.cookies}
    assert browser.open("/profile").status == 200
    refused(program.post("/update-profile", headers=cookie, **text(full_name="Ann")), 401)
    answer = program.post("/register", wish(new_address()), headers=cookie)
    assert answer.status_code == 201


def test_e10_a_wrong_method_is_405_in_this_shape(program):
    for path in (*POSTS, "/update-profile"):
        for method in "PUT", "DELETE", "PATCH":
            answer = program.call(method, path)
            refused(answer, 405)
            assert "POST" in answer.headers["Allow"]
    refused(program.get("/update-profile"), 405)


def test_e10_another_media_type_is_415(program, wire, ann):
    sent = '{"email": "ann@example.org", "password": "copper lantern tuesday"}'
    for path in POSTS:
        for kind in "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "":
            answer = program.post(path, data=sent, headers={"Content-Type": kind})
            refused(answer, 415)
    inside = Program(wire, ann.access)
    refused(inside.post("/update-profile", {"full_name": "Ann Hill"}), 415)
    refused(inside.post("/update-profile", data={"full_name": "Ann Hill"}), 415)


def test_e10_malformed_json_is_400(program):
    kind = {"Content-Type": "application/json"}
    for path in POSTS:
        for sent in "", "{", "[]", '"text"', "null", '{"email": NaN}', b"\xff{}":
            refused(program.post(path, data=sent, headers=kind), 400)


def test_e10_a_big_body_is_413(program):
    for path in POSTS:
        refused(program.post(path, {"email": "a" * 70_000}), 413)


def test_a_browser_that_opens_these_paths_is_sent_to_the_page(program):
    pages = dict(
        zip(POSTS, ("/sign-up", "/sign-in", "/recover", "/auth/password-reset"), strict=True)
    )
    for path, page in pages.items():
        answer = program.get(path, headers={"Cookie": "latchkey=" + "A" * 43})
        assert (answer.status_code, answer.headers["Location"]) == (302, page)
        assert "Set-Cookie" not in answer.headers
        assert program.call("HEAD", path).status_code == 302
