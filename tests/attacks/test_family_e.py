"""Strangers at the doors of family E: who has an account, whose account, what a picture may be."""

import io
import json
import threading

import bcrypt
import pytest

from tests.attacks.conftest import KINDS, bring_in, dump, png
from tests.attacks.test_uploads import NAMES, NO_PICTURES, bomb, kept, polyglots
from tests.conftest import OTHER_PASSWORD, PASSWORD, open_account
from tests.policy.world import World, choose, type_code, wrong
from tests.rigs.visitor import Visitor

EVE = "eve@example.org"
UPDATE, PROFILE, TOKEN = "/update-profile", "/api/v1/profile", "/api/v1/auth/token"
MULTI = "multipart/form-data"
DOORS = {
    "/register": {"full_name": "Eve", "email": EVE, "password": PASSWORD},
    "/login": {"email": EVE, "password": PASSWORD},
    "/forgot-password": {"email": EVE},
    "/reset-password": {"email": EVE, "otp": "123456", "new_password": PASSWORD},
}


class Spy:
    """A program without a token that does the same for an address of every kind."""

    def __init__(self, app):
        self.app = app

    def post(self, path, **body):
        """`{}` in what it sends stands for the address; all have to be answered alike.

        -> the status.
        """
        answers = {kind: self.ask(path, kind, body) for kind in KINDS}
        for kind, answer in answers.items():
            assert answer == answers["unknown"], f"{kind} differs from unknown"
        return answers["unknown"][0]

    def ask(self, path, kind, body):
        sent = {name: value.format(KINDS[kind]) for name, value in body.items()}
        here = {"REMOTE_ADDR": f"203.0.{list(KINDS).index(kind)}.7"}
        answer = self.app.test_client().post(path, json=sent, environ_overrides=here)
        headers = sorted(
            (name, value) for name, value in answer.headers if name not in ("Date", "X-Request-ID")
        )
        return answer.status_code, headers, answer.data.decode().replace(KINDS[kind], "ADDRESS")


@pytest.fixture
def spy(app, time, crowd):
    bring_in(app, crowd)
    time.pass_(days=2)
    return Spy(app)


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def hashes(monkeypatch):
    """Every bcrypt that is computed."""
    done, real = [], bcrypt.hashpw
    monkeypatch.setattr(bcrypt, "hashpw", lambda *typed: (done.append(1), real(*typed))[1])
    return done


def register(app, email=EVE, **more):
    body = DOORS["/register"] | {"email": email, "full_name": "Eve Stranger"} | more
    answer = app.test_client().post("/register", json=body)
    assert answer.status_code == 201, answer.json
    return answer.json


def token_of(app, email, path="/login", password=PASSWORD):
    answer = app.test_client().post(path, json={"email": email, "password": password})
    assert answer.status_code == 200, answer.json
    return answer.json["access_token"]


def update(app, token, parts):
    """A multipart body of these parts; a list of pairs may name one twice."""
    pairs = parts.items() if isinstance(parts, dict) else parts
    body, data = b"", []
    for name, value in pairs:
        data.append(
            (name, (io.BytesIO(value[0]), *value[1:]) if isinstance(value, tuple) else value)
        )
    for name, value in data:
        head = f'--x\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, tuple):
            head += f'; filename="{value[1]}"\r\nContent-Type: image/png'
        raw = value[0].read() if isinstance(value, tuple) else value.encode()
        body += head.encode() + b"\r\n\r\n" + raw + b"\r\n"
    header = {"Authorization": f"Bearer {token}"}
    kind = f"{MULTI}; boundary=x"
    return app.test_client().post(
        UPDATE, data=body + b"--x--\r\n", content_type=kind, headers=header
    )


def is_dead(app, token):
    return update(app, token, {"full_name": "Eve Again"}).status_code == 401


def name_of(world, email=EVE):
    return world.rows(
        "SELECT full_name, picture_name FROM person WHERE email = :email", email=email
    )


# ------------------------------------------------------------------ nobody learns who is here


def test_enum_01_signing_in_says_the_same_to_everybody_until_it_waits_and_then_too(spy):
    statuses = [spy.post("/login", email="{}", password=OTHER_PASSWORD) for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_enum_02_asking_for_a_code_says_the_same_to_everybody(spy, post, time):
    assert spy.post("/forgot-password", email="{}") == 200
    assert spy.post("/forgot-password", email="{}") == 429
    post.deliver()
    for _ in range(4):
        time.pass_(seconds=61)
        assert spy.post("/forgot-password", email="{}") == 200
    time.pass_(seconds=61)
    assert spy.post("/forgot-password", email="{}") == 429


def test_enum_02_typing_codes_says_the_same_to_everybody(spy, post, time):
    body = {"email": "{}", "otp": "000000", "new_password": OTHER_PASSWORD}
    assert spy.post("/reset-password", **body) == 400
    assert spy.post("/forgot-password", email="{}") == 200
    weak = spy.post("/reset-password", **body | {"new_password": "weak"})
    assert (weak, spy.post("/reset-password", **body | {"otp": "12345"})) == (400, 401)
    assert spy.post("/reset-password", **body) == 401  # the message is not on its way yet
    post.deliver()
    time.pass_(seconds=3)
    assert [spy.post("/reset-password", **body) for _ in range(4)] == [401, 401, 401, 429]
    time.pass_(seconds=700)
    assert spy.post("/reset-password", **body) == 401
    time.pass_(hours=2)  # nobody is to be told for ever that somebody asked
    assert spy.post("/reset-password", **body) == 400


@pytest.mark.parametrize(
    "path, cost", [("/login", 1), ("/forgot-password", 0), ("/reset-password", 0)]
)
def test_enum_03_every_kind_of_address_costs_as_many_hashes(spy, hashes, path, cost):
    for kind in KINDS:
        spy.ask("/forgot-password", kind, {"email": "{}"})
        hashes.clear()
        typed = DOORS[path] | {"email": "{}"}
        if "password" in typed:
            typed["password"] = OTHER_PASSWORD
        spy.ask(path, kind, typed)
        assert len(hashes) == cost, kind


def test_enum_06_nothing_but_the_open_door_tells_a_taken_address(spy):
    tellers = {path for path, body in DOORS.items() if tells(spy, path, body | {"email": "{}"})}
    assert tellers == {"/register"}


def tells(spy, path, body):
    wrong_one = {"password": OTHER_PASSWORD} if path == "/login" else {}
    return len({str(spy.ask(path, kind, body | wrong_one)) for kind in KINDS}) > 1


# ------------------------------------------------------------------ nobody answers for another


def test_claim_01_the_code_of_a_page_ends_the_strangers_token(app, world, time):
    stranger, owner = register(app)["access_token"], world.visitor()
    time.pass_(seconds=61)
    open_account(owner, EVE, "Eve Owner")  # the newer sign-up: the stranger's is over by that
    assert is_dead(app, stranger)
    owner.follow()
    code = world.post.newest(EVE).code
    assert type_code(owner, code, "/sign-up/code").location == "/profile"
    assert name_of(world) == [("Eve Owner", None)]
    assert app.test_client().post("/login", json=DOORS["/login"]).status_code == 200


def test_claim_01_the_link_of_the_strangers_own_message_ends_the_strangers_token(app, world):
    stranger = register(app)["access_token"]
    owner, mail = world.visitor(), world.post.newest(EVE)
    owner.get(mail.link)
    assert not is_dead(app, stranger)
    owner.submit(mail.link)
    assert choose(owner, OTHER_PASSWORD).location == "/sign-in"
    assert is_dead(app, stranger)
    assert app.test_client().post("/login", json=DOORS["/login"]).status_code == 401


def test_claim_01_the_code_through_a_program_ends_the_strangers_token(app, world):
    stranger = register(app)["access_token"]
    typed = {"email": EVE, "code": world.post.newest(EVE).code}
    assert app.test_client().post("/api/v1/auth/verify-email", json=typed).status_code == 200
    assert is_dead(app, stranger)


def test_claim_01_a_recovery_ends_the_strangers_token(app, world):
    stranger = register(app)["access_token"]
    assert update(app, stranger, {"avatar": (png(), "me.png")}).status_code == 200
    browser, mail = world.asked(EVE)
    type_code(browser, mail.code)
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert is_dead(app, stranger)
    assert name_of(world)[0][1] is None, "The picture that a stranger put there is still shown."


def test_claim_02_signing_in_again_and_again_does_not_end_the_recovery_of_who_reads_the_mail(
    app, world
):
    register(app)
    browser, mail = world.asked(EVE)
    for _ in range(3):
        token_of(app, EVE)
    assert type_code(browser, mail.code).location == "/auth/password-reset"


@pytest.mark.parametrize("door", ["page", "program"])
def test_claim_03_a_newer_sign_up_takes_name_password_and_picture_away(app, world, time, door):
    stranger = register(app)["access_token"]
    assert update(app, stranger, {"avatar": (png(), "me.png")}).status_code == 200
    assert name_of(world)[0][1]
    time.pass_(seconds=61)
    if door == "page":
        assert open_account(world.visitor(), EVE, "Eve Owner").location == "/sign-up/code"
    else:
        wish = DOORS["/register"] | {"full_name": "Eve Owner", "password": OTHER_PASSWORD}
        answer = app.test_client().post("/api/v1/auth/register", json=wish)
        assert answer.status_code == 202
        assert app.test_client().post("/login", json=DOORS["/login"]).status_code == 401
    assert name_of(world) == [("Eve Owner", None)]
    assert is_dead(app, stranger)


def test_claim_04_a_stranger_with_a_token_reaches_nothing_but_name_and_picture(app):
    token = {"Authorization": f"Bearer {register(app)['access_token']}"}
    before, reached = dump(app), set()
    for rule in app.url_map.iter_rules():
        reached |= reaches(app, rule, token)
    own = {"GET /api/v1/profile", "GET /user-profile/", "POST /update-profile"}
    assert reached == own | reached_by_nobody(app)
    assert dump(app)["profile"] == before["profile"]


def reaches(app, rule, headers):
    path, client = rule.rule, app.test_client()
    if "<" in path or not path.startswith(("/api", "/auth", "/user-profile", "/update-profile")):
        return set()
    methods = sorted(rule.methods - {"HEAD", "OPTIONS"})
    answers = {each: client.open(path, method=each, headers=headers) for each in methods}
    opened = {each for each, answer in answers.items() if answer.status_code not in (401, 403, 303)}
    return {f"{each} {path}" for each in opened}


def reached_by_nobody(app):
    """What needs no token at all."""
    rules = app.url_map.iter_rules()
    return set().union(*(reaches(app, rule, {}) for rule in rules))


def test_claim_05_of_two_who_register_an_address_at_once_one_is_in(race):
    answers, gate = [], threading.Barrier(6)

    def try_it(number):
        body = DOORS["/register"] | {"full_name": f"Eve {'ABCDEF'[number]}"}
        gate.wait()
        answers.append(race.test_client().post("/register", json=body))

    crowd = [threading.Thread(target=try_it, args=[number]) for number in range(6)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses[1:]) <= {400, 429}
    [winner] = [answer.json for answer in answers if answer.status_code == 201]
    owner = race.test_client().post("/login", json=DOORS["/login"]).json["user"]
    assert owner == winner["user"]


@pytest.fixture
def race(make_app):
    return make_app(SEND_COOLDOWN_SECONDS="0")


# ------------------------------------------------------------------ what nobody may say


def test_api_03_what_a_program_may_not_set_is_not_set(app, world):
    more = {"id": "1", "uuid": "x", "is_admin": True, "email_proven_at": "2020-01-01T00:00:00Z"}
    more |= {"blocked_at": None, "avatar": "https://evil.example/a.png", "picture_name": "../x"}
    user = register(app, **more)["user"]
    assert (user["role"], user["avatar"], len(user["id"])) == ("user", None, 36)
    assert world.rows("SELECT role, email_proven_at, picture_name FROM person") == [
        ("user", None, None)
    ]
    token = token_of(app, EVE)
    parts = {"full_name": "Eve", "role": "admin", "id": "1", "email_proven_at": "now"}
    assert update(app, token, parts).status_code == 200
    assert world.rows("SELECT role, email_proven_at, full_name FROM person") == [
        ("user", None, "Eve")
    ]


@pytest.mark.parametrize("role", ["admin", "support", "viewer", "ADMIN", "admin ", "root", "0"])
def test_api_03_no_role_of_staff_is_given_away_and_nothing_is_kept(app, role):
    before = dump(app)
    body = DOORS["/register"] | {"role": role}
    answer = app.test_client().post("/register", json=body)
    assert (answer.status_code, list(answer.json["errors"])) == (400, ["role"])
    assert dump(app) == before


def test_api_03_the_address_of_somebody_else_is_refused_alike_known_or_not(app, ann, world):
    token = register(app)["access_token"]
    others = [
        update(app, token, {"email": email, "full_name": "Eve Moon"})
        for email in (ann.email, "who@example.org", "nonsense", "")
    ]
    assert {answer.status_code for answer in others} == {400}
    assert len({answer.data for answer in others}) == 1
    assert name_of(world) == [("Eve Stranger", None)]


# ------------------------------------------------------------------ tokens


def test_token_01_the_cookie_of_a_browser_that_is_signed_in_opens_nothing(app, inside, world):
    header = {"X-CSRFToken": inside.get("/profile").form("/profile/name").fields["csrf_token"]}
    form = {"full_name": "Eve Moon"}
    sent = {"data": form, "content_type": MULTI, "headers": header, "base_url": inside.site}
    answer = inside.client.post(UPDATE, **sent)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert name_of(world, "ann@example.org") == [("Ann Miller", None)]


def test_token_01_a_token_is_good_whichever_door_gave_it_and_a_refresh_token_is_none(app, ann):
    assert not is_dead(app, token_of(app, ann.email, TOKEN))
    typed = {"email": ann.email, "password": PASSWORD}
    pair = app.test_client().post(TOKEN, json=typed).json
    assert is_dead(app, pair["refresh_token"])


def test_token_02_these_sign_ins_have_no_refresh_token(app, ann):
    typed = {"email": ann.email, "password": PASSWORD}
    for told in register(app), app.test_client().post("/login", json=typed).json:
        assert not [name for name in told if "refresh" in name]
    world = World(app)
    held = "SELECT count(*) FROM session_secret s JOIN session ON session.id = s.session_id"
    assert world.rows(f"{held} WHERE session.kind = 'api'") == [(0,)]


# ------------------------------------------------------------------ pictures


@pytest.fixture
def token(app, ann):
    return token_of(app, ann.email)


def test_upload_01_what_is_no_picture_is_415_or_400_and_kept_nowhere(app, token):
    before = dump(app)
    for name, data in NO_PICTURES.items():
        answer = update(app, token, {"avatar": (data, name), "full_name": "Ann Moon"})
        assert answer.status_code in (400, 415), name
        assert list(answer.json["errors"]) == ["avatar"]
    assert kept(app) == []
    assert dump(app)["person"] == before["person"]


def test_upload_01_a_name_decides_nothing(app, token):
    for name in NAMES[:-1]:
        clean = name.replace('"', "").replace("\0", "")
        assert update(app, token, {"avatar": (png(), clean)}).status_code == 200, ascii(name)
        assert len(kept(app)) == 3


def test_upload_02_polyglots_are_made_anew(app, token):
    for data in polyglots():
        assert update(app, token, {"avatar": (data, "me.php")}).status_code == 200
        for file in kept(app):
            assert b"<script" not in file.read_bytes()


def test_upload_03_bombs_are_refused(app, token):
    for data in bomb(30_000, 30_000), bomb(2**31 - 1, 2**31 - 1), bomb(0, 0):
        assert update(app, token, {"avatar": (data, "me.png")}).status_code in (400, 415)
    assert kept(app) == []


def test_upload_04_a_text_two_pictures_or_a_link_are_no_picture(app, token):
    for parts in (
        {"avatar": "https://evil.example/a.png"},
        {"avatar": ""},
        [("avatar", (png(), "a.png")), ("avatar", (png(), "b.png"))],
        [("avatar", (png(), "a.png")), ("avatar", "text")],
        [("full_name", "Ann"), ("full_name", "Eve")],
        [("full_name", (b"Ann", "name.txt"))],
        [("email", (b"ann@example.org", "name.txt"))],
    ):
        assert update(app, token, parts).status_code == 400, parts
    assert kept(app) == []


# ------------------------------------------------------------------ what it is not sent as


@pytest.mark.parametrize("path", DOORS)
def test_csrf_01_what_a_form_of_another_site_can_send_is_415(app, path):
    """A simple request (Fetch standard) asks no permission first."""
    before, sent = dump(app), json.dumps(DOORS[path])
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        MULTI,
        "text/plain; charset=json",
    ):
        answer = app.test_client().post(path, data=sent, content_type=kind)
        assert (answer.status_code, answer.json["status"]) == (415, "error"), kind
    assert dump(app) == before


def test_csrf_02_the_codes_of_a_page_are_none_of_a_program_and_the_other_way_round(
    app, ann, world, time
):
    browser, mail = world.asked(ann.email)
    body = {"email": ann.email, "otp": mail.code, "new_password": OTHER_PASSWORD}
    assert app.test_client().post("/reset-password", json=body).status_code == 400
    time.pass_(seconds=61)
    app.test_client().post("/forgot-password", json={"email": ann.email})
    code = world.post.with_code(ann.email).code
    assert type_code(browser, code).status == 422
    answer = app.test_client().post("/reset-password", json=body | {"otp": wrong(code)})
    assert answer.status_code == 401
    assert app.test_client().post("/reset-password", json=body | {"otp": code}).status_code == 200


@pytest.mark.parametrize("path", [*DOORS, UPDATE])
def test_cookie_01_nothing_here_sets_or_reads_one(app, inside, path):
    for method in "GET", "POST", "DELETE", "OPTIONS":
        answer = inside.client.open(path, method=method, base_url=inside.site)
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")


def test_a_browser_that_is_not_signed_in_is_sent_on_to_a_page_that_is_there(app):
    for path in DOORS:
        visitor = Visitor(app)
        answer = visitor.client.get(path, base_url=visitor.site)
        there = visitor.client.get(answer.headers["Location"], base_url=visitor.site)
        assert (answer.status_code, there.status_code in (200, 303)) == (302, True)
