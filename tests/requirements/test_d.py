"""Family D on the wire: what the rows D01 to D15 say, told to the served product."""

import re
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from tests.attacks.conftest import png
from tests.conftest import Post
from tests.policy.world import World
from tests.rigs.program import (
    OTHER_PASSWORD,
    PASSWORD,
    Program,
    is_page,
    letter,
    link_in,
    new_address,
    somebody,
)
from tests.rigs.server import Server
from tests.rigs.workers import CeleryWorker

SIGN_UP, SIGN_IN = "/auth/sign-up/user/", "/auth/sign-in/user/"
PROOF, RESET = r"^/auth/verify-otp/[0-9a-f-]{36}/[\w-]+/$", r"^/auth/reset-password/[^/]+/[^/]+/$"
PROFILE, FORGOT, REFRESH = "/user-profile/", "/auth/forgot-password/", "/auth/refresh/"
PASSWORD_PATH = "/user-profile/update-password/"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
STRANGER = "11111111-1111-4111-8111-111111111111"


def wish(email, password=PASSWORD, **more):
    return {"email": email, "password": password, "confirm_password": password} | more


def signed_up(wire, **more):
    """An address that waits to be proven.  -> it, the message's link, its code."""
    email = new_address("dee")
    answer = Program(wire).post(SIGN_UP, wish(email, **more))
    assert answer.status_code == 201, answer.text
    mail = letter(wire, email)
    return email, link_in(mail, PROOF), mail.code


@pytest.fixture
def ann(wire):
    return somebody(wire)


@pytest.fixture
def mine(wire, ann):
    """Ann's program, signed in."""
    return Program(wire, ann.access)


def resend(link):
    return link.replace("/verify-otp/", "/resend-otp/")


# ------------------------------------------------------------------ D01 signing up


def test_d01_signing_up_answers_alike_for_a_taken_address_and_its_owner_gets_a_notice(
    client, ann_inside, post
):
    new = client.post(SIGN_UP, json=wish("who@example.org"))
    taken = client.post(SIGN_UP, json=wish("ann@example.org", OTHER_PASSWORD))
    assert (taken.status_code, taken.data) == (new.status_code, new.data)
    assert (new.status_code, set(new.json)) == (201, {"message"})
    notice = post.newest("ann@example.org")
    assert "already have" in notice.subject
    assert not notice.has_code
    assert ann_inside(PASSWORD).status_code == 200


def test_d01_wrong_fields_are_told_one_by_one(program):
    sent = wish("nobody", "short") | {"confirm_password": "other"}
    answer = program.post(SIGN_UP, sent | {"username": "x", "full_name": "  "})
    assert answer.status_code == 400
    assert set(answer.json()) == {"email", "password", "confirm_password", "username", "full_name"}
    assert all(isinstance(each, list) and each for each in answer.json().values())
    assert set(program.post(SIGN_UP, {}).json()) == {"email", "password", "confirm_password"}


@pytest.mark.parametrize(
    "role", ["admin", "support", "Admin", "USER", "staff", "user%00", "user%20", "%20", "..%2fuser"]
)
def test_d01_a_role_that_nobody_may_choose_is_no_path_whatever_is_sent(program, role):
    path = f"/auth/sign-up/{role}/"
    sent = program.post(path, wish(new_address("dee")))
    nonsense = program.post(path, data="no json at all")
    assert sent.status_code == nonsense.status_code == 404
    if role != "..%2fuser":  # no rule has a slash more
        assert sent.json() == nonsense.json() == {"message": "There is nothing here."}


def test_d01_the_roles_to_choose_from_are_a_setting(make_app):
    app = make_app(SIGN_UP_ROLES="author,reader")
    client = app.test_client()
    assert client.post(SIGN_UP, json=wish("a@example.org")).status_code == 404
    assert client.post("/auth/sign-up/reader/", json=wish("a@example.org")).status_code == 201
    mail = Post(app).newest("a@example.org")
    proven = client.post(inside_link(mail), json={"otp": mail.code})
    assert proven.json["role"] == "reader"


def test_d01_a_role_in_the_body_is_nobodys(wire, program):
    _email, link, code = signed_up(wire, role="admin", is_staff=True, id=1, email_proven_at="now")
    assert program.post(link, {"otp": code}).json()["role"] == "user"


def test_d01_username_and_name_may_be_given_and_the_username_is_ones_own(wire, program):
    name = f"dee.{new_address()[4:].partition('@')[0]}"
    email, link, code = signed_up(wire, username=name, full_name="Dee Hill")
    access = program.post(link, {"otp": code}).json()["access"]
    profile = Program(wire, access).get(PROFILE).json()
    assert (profile["username"], profile["full_name"]) == (name, "Dee Hill")
    assert profile["email"] == email
    again = program.post(SIGN_UP, wish(new_address("dee"), username=name.upper()))
    assert again.status_code == 400
    assert set(again.json()) == {"username"}


def test_d01_nobody_has_a_username_before_the_address_is_proven(wire, program):
    name = f"first.{new_address()[4:].partition('@')[0]}"
    _email, link, code = signed_up(wire, username=name)
    _second, other_link, other_code = signed_up(wire, username=name)
    access = program.post(other_link, {"otp": other_code}).json()["access"]
    assert Program(wire, access).get(PROFILE).json()["username"] == name
    access = program.post(link, {"otp": code}).json()["access"]
    assert Program(wire, access).get(PROFILE).json()["username"] is None


def test_d01_of_many_who_want_a_username_at_once_none_breaks_anything(wire, program):
    name = f"race.{new_address()[4:].partition('@')[0]}"
    bodies = [wish(new_address("dee"), username=name) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda body: program.post(SIGN_UP, body), bodies))
    assert {each.status_code for each in answers} <= {201, 400}
    assert 201 in {each.status_code for each in answers}
    refused = [set(each.json()) for each in answers if each.status_code == 400]
    assert all(each == {"username"} for each in refused)


# ------------------------------------------------------------------ D02, D03 code and link


def test_d02_link_and_code_prove_the_address_and_sign_in(wire, program):
    email, link, code = signed_up(wire)
    assert program.get(link).status_code == 200
    answer = program.post(link, {"otp": code})
    assert answer.status_code == 200
    assert set(answer.json()) == {"message", "role", "refresh", "access"}
    assert answer.json()["role"] == "user"
    assert Program(wire, answer.json()["access"]).get(PROFILE).json()["email"] == email
    assert program.post(REFRESH, {"refresh": answer.json()["refresh"]}).status_code == 200


def test_d02_once_used_it_is_dead(wire, program):
    _email, link, code = signed_up(wire)
    assert program.post(link, {"otp": code}).status_code == 200
    for answer in program.post(link, {"otp": code}), program.get(link), program.post(resend(link)):
        assert (answer.status_code, set(answer.json())) == (400, {"message"})


def test_d02_otherwise_it_is_400(wire, program):
    _email, link, code = signed_up(wire)
    _other, other_link, other_code = signed_up(wire)
    wrong = "000000" if code != "000000" else "000001"
    uid, token = link.split("/")[3:5]
    foreign = other_link.split("/")[3]
    for path in (
        link.replace(token, token[:-1]),
        link.replace(uid, STRANGER),
        link.replace(uid, foreign),
        link.replace(uid, uid.upper()),
    ):
        assert program.post(path, {"otp": code}).status_code == 400, path
        assert program.get(path).status_code == 400, path
    for otp in wrong, "12345", "", "abcdef", "١٢٣٤٥٦":
        answer = program.post(link, {"otp": otp})
        assert (answer.status_code, set(answer.json())) == (400, {"otp"})
    if other_code != code:
        assert program.post(link, {"otp": other_code}).status_code == 400
    for body in {}, {"otp": 123456}, {"otp": None}, {"otp": [code]}:
        assert program.post(link, body).status_code == 400
    assert program.post(link, {"otp": code}).status_code == 200


def test_d02_a_look_at_the_link_changes_nothing_and_browsers_see_the_portals_page(wire, program):
    _email, link, code = signed_up(wire)
    assert not is_page(program.get(link, headers={"Accept": "*/*"}))
    assert program.call("HEAD", link).status_code == 200
    page = program.get(link, headers=HTML)
    assert is_page(page)
    token = link.split("/")[4]
    assert f'action="/sign-up/link/{token}"' in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "Accept" in page.headers["Vary"]
    assert program.post(link, {"otp": code}).status_code == 200
    dead = program.get(link, headers=HTML)
    assert is_page(dead)
    assert dead.status_code == 410
    assert program.post(link, {"otp": code}, headers=HTML).json()["message"]


def test_d02_the_link_of_a_page_is_not_for_programs(app, client, visitor, post):
    visitor.get("/sign-up")
    typed = {"full_name": "Ann Miller", "confirm_password": PASSWORD}
    visitor.submit("/sign-up", email="who@example.org", password=PASSWORD, **typed)
    mail = post.newest("who@example.org")
    ((uid,),) = World(app).rows("SELECT uuid FROM person")
    uid = str(UUID(str(uid)))
    path = f"/auth/verify-otp/{uid}/{mail.link.rpartition('/')[2]}/"
    assert client.post(path, json={"otp": mail.code}).status_code == 400


def test_d02_the_same_code_proves_once_however_many_try(wire, program):
    _email, link, code = signed_up(wire)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: program.post(link, {"otp": code}).status_code, range(6)))
    assert answers.count(200) == 1
    assert set(answers) <= {200, 400, 429}


def test_d03_a_resend_brings_a_new_code_that_the_old_page_can_use(client, post, time):
    client.post(SIGN_UP, json=wish("who@example.org"))
    first = post.newest("who@example.org")
    link = inside_link(first)
    soon = client.post(resend(link))
    assert (soon.status_code, set(soon.json)) == (429, {"message"})
    assert int(soon.headers["Retry-After"]) > 0
    for _ in range(2):
        time.pass_(seconds=61)
        answer = client.post(resend(link))
        assert (answer.status_code, set(answer.json)) == (200, {"message"})
    newest = post.newest("who@example.org")
    assert newest.code != first.code
    assert client.get(link).status_code == client.get(inside_link(newest)).status_code == 200
    assert client.post(link, json={"otp": first.code}).status_code == 400
    assert client.post(link, json={"otp": newest.code}).status_code == 200
    assert client.get(inside_link(newest)).status_code == 400
    time.pass_(seconds=61)
    assert client.post(resend(link)).status_code == 400


def test_d03_the_old_link_lives_as_long_as_the_newest(client, post, time):
    client.post(SIGN_UP, json=wish("who@example.org"))
    link = inside_link(post.newest("who@example.org"))
    time.pass_(hours=23)
    assert client.post(resend(link)).status_code == 200
    newest = post.newest("who@example.org")
    time.pass_(hours=2)
    assert client.get(link).status_code == client.get(inside_link(newest)).status_code == 200
    time.pass_(hours=22)
    assert client.get(link).status_code == client.get(inside_link(newest)).status_code == 400
    assert client.post(resend(link)).status_code == 400


def test_d03_a_sign_up_that_another_replaced_is_not_revived(client, post, time):
    """The account waits with the newer password, which may be a stranger's."""
    client.post(SIGN_UP, json=wish("who@example.org"))
    link = inside_link(post.newest("who@example.org"))
    time.pass_(seconds=61)
    client.post(SIGN_UP, json=wish("who@example.org", OTHER_PASSWORD))
    strangers = post.newest("who@example.org")
    time.pass_(seconds=61)
    assert client.post(resend(link)).status_code == 400
    assert client.post(resend(inside_link(strangers))).status_code == 200
    newest = post.newest("who@example.org")
    for code in strangers.code, newest.code:
        assert client.post(link, json={"otp": code}).status_code == 400
    assert client.post(SIGN_IN, json=login(PASSWORD)).status_code == 401
    waiting = client.post(SIGN_IN, json=login(OTHER_PASSWORD))
    assert waiting.json["not_verified"] is True


# ------------------------------------------------------------------ D04 signing in


def test_d04_signing_in_by_address_or_username(wire, program, ann, mine):
    name = f"ann.{ann.email.split('.')[1].partition('@')[0]}.d"
    assert mine.put("/user-profile/update/", {"username": name}).status_code == 200
    for who in {"email": ann.email}, {"username": name}, {"username": name.upper()}:
        answer = program.post(SIGN_IN, who | {"password": PASSWORD})
        assert (answer.status_code, set(answer.json())) == (200, {"role", "refresh", "access"})
        assert Program(wire, answer.json()["access"]).get(PROFILE).json()["username"] == name


def test_d04_whatever_does_not_match_is_told_alike(program, ann):
    bodies = (
        {"email": ann.email, "password": OTHER_PASSWORD},
        {"email": new_address("who"), "password": PASSWORD},
        {"username": "nobody.here", "password": PASSWORD},
        {"username": "no\x00body", "password": PASSWORD},
        {"email": "not an address", "password": PASSWORD},
    )
    answers = [program.post(SIGN_IN, body) for body in bodies]
    wrong_role = program.post("/auth/sign-in/admin/", bodies[0])
    assert {each.status_code for each in [*answers, wrong_role]} == {401}
    by_email, by_name = answers[0], answers[2]
    assert {each.text for each in [answers[1], answers[4], wrong_role]} == {by_email.text}
    assert answers[3].text == by_name.text
    assert set(by_email.json()) == set(by_name.json()) == {"message"}


def test_d04_after_the_right_password_it_is_told_why_not(wire, program, ann):
    login = {"email": ann.email, "password": PASSWORD}
    for role in "admin", "User", "nothing":
        answer = program.post(f"/auth/sign-in/{role}/", login)
        assert (answer.status_code, answer.json()["pos"]) == (403, False)
    wire.flask("users", "block", ann.email)
    answer = program.post(SIGN_IN, login)
    assert (answer.status_code, answer.json()["is_blocked"]) == (403, True)
    assert program.post(SIGN_IN, login | {"password": OTHER_PASSWORD}).status_code == 401


def test_d04_who_is_not_proven_gets_a_fresh_mail_unless_one_went_out_just_now(client, post, time):
    client.post(SIGN_UP, json=wish("who@example.org"))
    first = post.newest("who@example.org")
    answer = client.post(SIGN_IN, json=login())
    assert (answer.status_code, answer.json["not_verified"]) == (403, True)
    assert answer.json["message"]
    assert post.newest("who@example.org") == first
    time.pass_(seconds=61)
    assert client.post(SIGN_IN, json=login()).json["not_verified"] is True
    fresh = post.newest("who@example.org")
    assert fresh != first
    assert client.post(inside_link(first), json={"otp": fresh.code}).status_code == 200
    assert client.post(SIGN_IN, json=login()).status_code == 200


def test_d04_who_is_not_proven_is_told_so_when_no_mail_may_be_sent_any_more(client, post, time):
    client.post(SIGN_UP, json=wish("who@example.org"))
    for _ in range(8):
        time.pass_(seconds=61)
        answer = client.post(SIGN_IN, json=login())
        assert (answer.status_code, answer.json["not_verified"]) == (403, True)
    assert len([mail for mail in post.deliver() if mail.to == "who@example.org"]) <= 5


def test_d04_a_held_account_is_told_so(app, client, post, time, ann_inside):
    time.pass_(days=1)
    client.post(SIGN_IN, json=login(email="ann@example.org"), headers={"User-Agent": "elsewhere"})
    notice = post.alerts("ann@example.org")[0].not_you
    browser = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(notice).text)
    assert browser.post(notice, data={"csrf_token": token[1]}).status_code == 303
    answer = ann_inside(PASSWORD)
    assert (answer.status_code, set(answer.json)) == (403, {"message"})


# ------------------------------------------------------------------ D05, D06, D15 recovery


def test_d05_asking_is_answered_alike_for_everyone(program, ann, mine):
    name = f"ann.{ann.email.split('.')[1].partition('@')[0]}.e"
    mine.put("/user-profile/update/", {"username": name})
    program.portal.flask("users", "clear-throttles", ann.email)
    asked = (
        {"email": ann.email},
        {"email": new_address("who")},
        {"username": name},
        {"username": f"{name}.none"},
    )
    answers = [program.post(FORGOT, body) for body in asked]
    assert {(each.status_code, each.text) for each in answers} == {(200, answers[0].text)}
    for body in {}, {"email": 1}, {"email": "no"}, {"email": ann.email, "username": name}:
        assert program.post(FORGOT, body).status_code == 400


def test_d06_the_link_of_the_mail_sets_a_new_password(wire, program, ann, mine):
    wire.flask("users", "clear-throttles", ann.email)
    program.post(FORGOT, {"email": ann.email})
    link = link_in(reset_mail(wire, ann.email), RESET)
    chosen = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    uid = link.split("/")[3]
    assert program.get(link).status_code == program.call("HEAD", link).status_code == 200
    page = program.get(link, headers=HTML)
    assert f'action="/recover/link/{link.split("/")[4]}"' in page.text
    for path in link.replace(uid, STRANGER), link[:-2] + "/":
        assert program.get(path).status_code == program.post(path, chosen).status_code == 400
    weak = program.post(link, {"password": "short", "confirm_password": "other"})
    assert (weak.status_code, set(weak.json())) == (400, {"password", "confirm_password"})
    same = program.post(link, {"password": PASSWORD, "confirm_password": PASSWORD})
    assert (same.status_code, set(same.json())) == (400, {"password"})
    assert program.post(link, chosen).status_code == 200
    assert program.post(link, chosen).status_code == program.get(link).status_code == 400
    assert program.get(link, headers=HTML).status_code == 410
    assert mine.get(PROFILE).status_code == 401
    assert program.post(REFRESH, {"refresh": ann.refresh}).status_code == 401
    old, new = (
        program.post(SIGN_IN, {"email": ann.email, "password": each})
        for each in (PASSWORD, OTHER_PASSWORD)
    )
    assert (old.status_code, new.status_code) == (401, 200)


def test_d15_a_plain_notice_follows_a_reset_and_resets_nothing(wire, program, ann):
    wire.flask("users", "clear-throttles", ann.email)
    program.post(FORGOT, {"email": ann.email})
    link = link_in(reset_mail(wire, ann.email), RESET)
    program.post(link, {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD})
    notice = one_about(wire, ann.email, "password is changed")
    for part in notice.text, notice.html or "":
        assert "/link/" not in part
        assert "/auth/" not in part
        assert not re.search(r"(?<![#\w])\d{6}(?!\w)", part)


# ------------------------------------------------------------------ D07 refresh tokens


def test_d07_a_refresh_token_turns_and_its_second_use_ends_the_family(wire, program, ann):
    turned = program.post(REFRESH, {"refresh": ann.refresh})
    assert (turned.status_code, set(turned.json())) == (200, {"access", "refresh"})
    again = program.post(REFRESH, {"refresh": ann.refresh})
    assert again.status_code == 401
    assert again.json()["code"] == "token_not_valid"
    assert again.json()["detail"]
    assert program.post(REFRESH, {"refresh": turned.json()["refresh"]}).status_code == 401
    for access in ann.access, turned.json()["access"]:
        assert Program(wire, access).get(PROFILE).status_code == 401


def test_d07_what_is_no_refresh_token_is_none(program, ann):
    for text in "", "x", "é" * 300, "\x00", ann.access, "x" * 20_000:
        answer = program.post(REFRESH, {"refresh": text})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
    for body in {}, {"refresh": 1}, {"refresh": None}, {"refresh": [ann.refresh]}:
        assert program.post(REFRESH, body).status_code == 400
    assert program.post(REFRESH, {"refresh": ann.refresh, "more": 1}).status_code == 200


def test_d07_the_same_token_turns_once_however_many_try(wire, program, ann):
    with ThreadPoolExecutor(6) as pool:
        turn = lambda _: program.post(REFRESH, {"refresh": ann.refresh})  # noqa: E731
        answers = list(pool.map(turn, range(6)))
    turned = [each.json() for each in answers if each.status_code == 200]
    assert len(turned) == 1
    assert program.post(REFRESH, {"refresh": turned[0]["refresh"]}).status_code == 401
    assert Program(wire, turned[0]["access"]).get(PROFILE).status_code == 401


# ------------------------------------------------------------------ D08 to D11 the profile


def test_d08_the_profile_is_read_with_a_token_alone(wire, program, ann, mine):
    profile = mine.get(PROFILE)
    assert profile.status_code == 200
    assert set(profile.json()) >= {"username", "email", "profile_picture", "full_name", "bio"}
    assert profile.json()["email"] == ann.email
    missing, wrong = program.get(PROFILE), Program(wire, "nonsense").get(PROFILE)
    assert missing.status_code == wrong.status_code == 401
    assert (wrong.json()["code"], missing.json()["code"]) == (
        "token_not_valid",
        "not_authenticated",
    )
    assert wrong.json()["detail"] == wrong.json()["message"]


def test_d08_blocked_is_looked_at_before_the_session(wire, ann, mine):
    wire.flask("users", "block", ann.email)
    answer = mine.get(PROFILE)
    assert (answer.status_code, answer.json()["is_blocked"]) == (403, True)


def test_d08_who_has_proven_nothing_reads_the_profile_and_changes_none_of_it(wire, program):
    email = new_address("eve")
    opened = program.post("/register", {"full_name": "Eve", "email": email, "password": PASSWORD})
    eve = Program(wire, opened.json()["access_token"])
    assert eve.get(PROFILE).json()["email"] == email
    answer = eve.put("/user-profile/update/", {"city": "Bath"})
    assert (answer.status_code, answer.json()["not_verified"]) == (403, True)


def test_d09_every_field_is_changed_and_what_is_left_out_stays(ann, mine):
    whole = {
        "full_name": "Ann Hill",
        "job_title": "Baker",
        "organisation": "Loaf & Sons",
        "city": "Bath",
        "country": "GB",
        "bio": "I bake.",
        "social_links": {"github": "https://github.com/ann"},
    }
    answer = mine.put("/user-profile/update/", whole)
    assert answer.status_code == 200
    told = answer.json()
    assert told["social_links"].pop("github") == whole["social_links"]["github"]
    assert not any(told["social_links"].values())
    assert all(told[name] == value for name, value in whole.items() if name != "social_links")
    part = mine.put("/user-profile/update/", {"city": "York", "bio": None}).json()
    assert (part["city"], part["bio"], part["job_title"]) == ("York", None, "Baker")


def test_d09_nothing_else_can_be_changed_and_a_wrong_field_changes_nothing(ann, mine):
    before = mine.get(PROFILE).json()
    more = {"email": "eve@example.org", "role": "admin", "id": 1, "profile_picture": "x", "uuid": 1}
    assert mine.put("/user-profile/update/", more).json() == before
    wrong = mine.put("/user-profile/update/", {"city": "Bath", "country": "XX"})
    assert (wrong.status_code, set(wrong.json())) == (400, {"country"})
    for body in {"city": 1}, {"social_links": []}, {"full_name": ""}, {"social_links": {"x": 1}}:
        assert mine.put("/user-profile/update/", body).status_code == 400
    assert mine.put("/user-profile/update/", {"social_links": {"facebook": "y"}}).json() == before
    assert mine.get(PROFILE).json() == before


def test_d10_the_picture_is_sent_as_a_file(ann, mine):
    path = "/user-profile/change-picture/"
    sent = mine.put(path, files={"profile_picture": ("me.png", png(), "image/png")})
    assert sent.status_code == 200
    assert sent.json()["profile_picture"].startswith(mine.portal.url + "/pictures/")
    none = mine.put(path, files={"other": ("me.png", png(), "image/png")})
    kind = mine.put(path, files={"profile_picture": ("me.png", b"GIF89a" + bytes(300))})
    assert (none.status_code, set(none.json())) == (400, {"profile_picture"})
    assert (kind.status_code, set(kind.json())) == (415, {"profile_picture"})
    assert mine.put(path, {"profile_picture": "x"}).status_code == 415


def test_d11_the_password_changes_with_the_old_one(wire, program, ann, mine):
    chosen = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    for more in {}, {"old_password": ""}, {"old_password": "not the old one"}:
        answer = mine.put(PASSWORD_PATH, chosen | more)
        assert (answer.status_code, set(answer.json())) == (403, {"message"})
    weak = mine.put(
        PASSWORD_PATH, {"password": "a", "confirm_password": "b"} | {"old_password": PASSWORD}
    )
    assert (weak.status_code, set(weak.json())) == (400, {"password", "confirm_password"})
    other = program.post(SIGN_IN, {"email": ann.email, "password": PASSWORD}).json()
    assert mine.put(PASSWORD_PATH, chosen | {"old_password": PASSWORD}).status_code == 200
    assert mine.get(PROFILE).status_code == 200
    assert Program(wire, other["access"]).get(PROFILE).status_code == 401
    assert program.post(SIGN_IN, {"email": ann.email, "password": PASSWORD}).status_code == 401


def test_d11_the_password_changes_without_the_old_one_after_confirming(mine):
    confirmed = mine.post("/api/auth/confirm-password", {"password": PASSWORD})
    assert confirmed.status_code == 200
    chosen = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    assert mine.put(PASSWORD_PATH, chosen).status_code == 200


# ------------------------------------------------------------------ D14


def test_d14_redis_and_celery_carry_the_mail_of_a_program(redis_server, tmp_path):
    with (
        Server(tmp_path, REDIS_URL=redis_server.url) as portal,
        CeleryWorker(portal.environment, tmp_path / "celery.log"),
    ):
        _email, link, code = signed_up(portal)
        assert Program(portal).post(link, {"otp": code}).status_code == 200


# ------------------------------------------------------------------ rigs


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client(use_cookies=False)


@pytest.fixture
def ann_inside(client, ann_in_time):
    """Ann signs in with a password.  -> the answer."""
    return lambda password: client.post(SIGN_IN, json=login(password, "ann@example.org"))


@pytest.fixture
def ann_in_time(sign_up, time):
    account = sign_up()
    time.pass_(days=2)
    return account


def login(password=PASSWORD, email="who@example.org"):
    return {"email": email, "password": password}


def inside_link(mail):
    """The path of the message's link."""
    found = re.search(r"/auth/verify-otp/\S+/\S+/", mail.text)
    assert found, mail.text
    return found[0]


def one_about(wire, email, subject):
    """The message of this subject, once it came."""
    until = monotonic() + 15
    while monotonic() < until:
        found = [each for each in wire.mailbox() if each.to == email and subject in each.subject]
        if found:
            return found[0]
        sleep(0.1)
    raise AssertionError(f"No message {subject!r}.")


def reset_mail(wire, email):
    """The message with the link, among others that may come at the same time."""
    return one_about(wire, email, "Get back into")
