"""Forged, foreign and worn-out tokens: every one is 401 and opens nothing."""

import base64
import hmac
import json
import threading
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID, uuid4

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from portal.core.settings import setting
from tests.attacks.conftest import block, dump
from tests.conftest import OTHER_PASSWORD, PASSWORD
from tests.policy.world import World, choose, type_code

PROFILE, TOKEN, REFRESH = "/api/v1/profile", "/api/v1/auth/token", "/api/v1/auth/refresh"
UNSIGNED = "none", "None", "NONE", "nOnE", ""
TEXTS = [
    "", "x", ".", "..", "...", "a.b.c", "a.b.c.d", "é.é.é", "null", "{}", "eyJ9.e30.",
    "%00.%00.%00",
    "A" * 5000, "." * 4000,
]  # fmt: skip


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def pair(app, ann):
    """What a program of Ann's holds."""
    return pair_of(app, ann.email)


@pytest.fixture
def token(pair):
    return pair["access_token"]


@pytest.fixture
def key(app):
    """The portal's own: whoever has it can sign anything."""
    return app.extensions["signing"].ring.newest().key


@pytest.fixture
def forge(token, key):
    """forge(header={...}, claims={...}) -> Ann's token, changed, signed by our own key."""

    def make(header=None, claims=None, without="", alg="ES256", by=None):
        head, body = parts(token)
        head, body = head | (header or {}), body | (claims or {})
        head.pop(without, None)
        body.pop(without, None)
        return signed(head, body, alg, by or key)

    return make


def pair_of(app, email, password=PASSWORD):
    answer = app.test_client().post(TOKEN, json={"email": email, "password": password})
    assert answer.status_code == 200, answer.json
    return answer.json


def parts(token):
    return [json.loads(base64.urlsafe_b64decode(part + "===")) for part in token.split(".")[:2]]


def pack(data):
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header, claims, alg, key):
    """Straight from the algorithm, so that no library is too careful to make it."""
    text = f"{pack(header)}.{pack(claims)}"
    return f"{text}.{pack(jws.JWSRegistry.algorithms[alg].sign(text.encode(), key))}"


def ask(app, token, path=PROFILE):
    return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})


def refused(app, token, *codes):
    """Whether it is 401, for one of these reasons, in words and headers that a program can read."""
    answer = ask(app, token)
    told = answer.status_code == 401 and answer.mimetype == "application/problem+json"
    assert told, (token[:60], answer.status_code, answer.data)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    return answer.json["code"] in (codes or ("invalid",))


def test_jwt_01_the_token_itself_is_good_and_can_be_forged_with_our_key_alone(app, token, forge):
    assert ask(app, token).status_code == 200
    assert ask(app, forge()).status_code == 200
    assert refused(app, forge(by=ECKey.generate_key("P-256")))


@pytest.mark.parametrize("alg", UNSIGNED)
def test_jwt_01_unsigned_tokens(app, token, alg):
    head, body = parts(token)
    text = f"{pack(head | {'alg': alg})}.{pack(body)}"
    assert refused(app, f"{text}.")
    assert refused(app, text)
    assert refused(app, f"{text}.{token.split('.')[2]}")


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("form", ["pem", "der", "jwk", "kid"])
def test_jwt_01_the_public_key_is_no_shared_secret(app, forge, key, alg, form):
    public = {
        "pem": lambda: key.as_pem(private=False),
        "der": lambda: key.as_der(private=False),
        "jwk": lambda: json.dumps(key.as_dict(private=False)).encode(),
        "kid": lambda: key.thumbprint().encode(),
    }[form]()
    for said in alg, "ES256":
        head, body, _signature = forge({"alg": said}).split(".")
        mac = hmac.digest(public, f"{head}.{body}".encode(), alg.replace("HS", "sha"))
        assert refused(app, f"{head}.{body}.{pack(mac)}")


def test_jwt_01_other_algorithms_and_curves(app, forge):
    rsa, other = RSAKey.generate_key(2048), ECKey.generate_key("P-384")
    assert refused(app, forge({"alg": "RS256"}, alg="RS256", by=rsa))
    assert refused(app, forge({"alg": "ES384"}, alg="ES384", by=other))
    assert refused(app, forge({"alg": ["ES256"]}))
    assert refused(app, forge({"alg": None}))


def test_jwt_01_empty_cut_and_null_signatures(app, token):
    head, body, signature = token.split(".")
    null = pack(b"\0" * 64)  # r = s = 0, which a careless verifier takes for anything
    for forged in "", signature[:-2], signature[:20], signature * 2, null, pack(b"\0" * 63 + b"\1"):
        assert refused(app, f"{head}.{body}.{forged}")


def test_jwt_01_each_bit_counts(app, token):
    for at in range(0, len(token), 7):
        other = "A" if token[at] != "A" else "B"
        changed = token[:at] + other + token[at + 1 :]
        if token[at] != ".":
            assert refused(app, changed)


def test_jwt_01_other_serializations(app, token):
    head, body, signature = token.split(".")
    whole = {"protected": head, "payload": body, "signature": signature}
    flat = json.dumps(whole)
    general = json.dumps({"payload": body, "signatures": [whole]})
    for text in flat, general, pack(flat.encode()), f"{head}..{signature}", f"{head}.{body}":
        assert refused(app, text.replace(" ", ""), "invalid", "scheme")


def test_jwt_03_keys_that_the_token_brings_along_are_not_looked_at(app, forge):
    own = ECKey.generate_key("P-256")
    with Canary() as canary:
        url = f"http://127.0.0.1:{canary.server_port}/keys"
        for name, value in {
            "jwk": own.as_dict(private=False), "jku": url, "x5u": url, "x5c": ["MIIB"],
            "crit": ["exp"], "b64": False, "zip": "DEF", "x5t": "a", "cty": "JWT",
        }.items():  # fmt: skip
            assert refused(app, forge({name: value}, by=own)), name
            assert refused(app, forge({name: value})), name  # even with our own signature
        assert canary.hits == 0


@pytest.mark.parametrize("kid", [
    "", None, 0, True, [], {}, "../../../dev/null", "/etc/passwd", "' OR '1'='1", "http://127.0.0.1/",
    "x" * 3000, "\0", "\ud83d", "unknown",
])  # fmt: skip
def test_jwt_03_kid_names_a_key_of_ours_or_nothing(app, forge, kid):
    assert refused(app, forge({"kid": kid}, by=ECKey.generate_key("P-256")))
    assert refused(app, forge({"kid": kid}))


def test_jwt_03_a_token_without_kid_typ_or_alg(app, forge):
    assert all(refused(app, forge(without=name)) for name in ("kid", "typ", "alg"))
    for typ in "JWT", "jwt", "AT+JWT", "application/at+jwt", None, 1, ["at+jwt"]:
        assert refused(app, forge({"typ": typ}))


def test_jwt_a_second_too_late_and_a_second_too_early(app, token, forge, time):
    time.pass_(seconds=1799)
    assert ask(app, token).status_code == 200
    time.pass_(seconds=2)
    assert refused(app, token, "expired")
    now = int(time.now().timestamp())
    assert refused(app, forge(claims={"exp": now}), "expired")
    assert ask(app, forge(claims={"exp": now + 1})).status_code == 200
    assert refused(app, forge(claims={"nbf": now + 1, "exp": now + 60}))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"])
def test_jwt_no_claim_may_be_missing(app, forge, name):
    assert refused(app, forge(without=name))


@pytest.mark.parametrize("claims", [
    {"aud": "https://other.example/api"}, {"aud": ["http://127.0.0.1:8000/api"]}, {"aud": None},
    {"iss": "https://other.example"}, {"iss": ""}, {"exp": "9999999999"}, {"exp": 1e12},
    {"exp": -1}, {"exp": True}, {"exp": 2**70}, {"exp": None}, {"nbf": "0"}, {"iat": 1.5},
    {"sid": 1}, {"sid": "1"}, {"sid": None}, {"sid": "' OR 1=1 --"}, {"sid": "{" + "0" * 32 + "}"},
    {"sid": []}, {"role": "admin"}, {"scope": "*"}, {"sub": 1, "more": 1},
])  # fmt: skip
def test_jwt_claims_of_another_kind_or_for_somebody_else(app, forge, claims):
    assert refused(app, forge(claims=claims))


def test_jwt_a_sign_in_that_does_not_exist_or_is_a_browsers(app, world, forge, ann):
    assert refused(app, forge(claims={"sid": str(uuid4())}), "ended")
    world.inside()
    sids = [sid for (sid,) in world.rows("SELECT sid FROM session WHERE kind = 'browser'")]
    for sid in sids:
        assert refused(app, forge(claims={"sid": str(UUID(str(sid)))}), "ended")


def test_jwt_whose_account_it_is_the_sign_in_says_and_not_the_claim(app, world, forge, ann):
    world.account("bob@example.org", "Bob Hill")
    (uuid,) = [row[0] for row in world.rows("SELECT uuid FROM person WHERE email LIKE 'bob%'")]
    assert ask(app, forge(claims={"sub": str(uuid)})).json["email"] == ann.email


@pytest.mark.parametrize("text", TEXTS)
def test_jwt_what_is_no_token_at_all(app, ann, text):
    assert refused(app, text, "invalid", "scheme")


def test_jwt_headers_that_are_none_several_or_of_another_scheme(app, token):
    client = app.test_client()
    for header, code in {
        "": "no-token", "Bearer": "scheme", "Bearer ": "scheme", f"Basic {token}": "scheme",
        token: "scheme", f"JWT {token}": "scheme", f"Bearer {token} {token}": "invalid",
        f"Bearer {token}, Bearer {token}": "invalid",
    }.items():  # fmt: skip
        answer = client.get(PROFILE, headers={"Authorization": header} if header else {})
        assert (answer.status_code, answer.json["code"]) == (401, code), header
    for path in f"?access_token={token}", f"?token={token}", f"?jwt={token}":
        assert client.get(PROFILE + path).status_code == 401
    assert client.get(PROFILE, headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_jwt_tokens_of_other_purposes(app, world, pair, token, ann):
    """Neither is one good in the place of another."""
    browser = world.inside()
    cookie = browser.cookie("latchkey")
    assert len(cookie) > 40
    _browser, mail = world.asked()
    link = mail.link.rpartition("/")[2]
    for other in pair["refresh_token"], cookie, link:
        assert refused(app, other)
    client = app.test_client()
    for other in token, cookie, link:
        assert client.post(REFRESH, json={"refresh_token": other}).status_code == 401
    assert client.post(REFRESH, json={"refresh_token": pair["refresh_token"]}).status_code == 200


def test_jwt_05_the_second_use_of_a_refresh_token_ends_the_family_and_is_told(app, post, pair, ann):
    client = app.test_client()
    first = client.post(REFRESH, json={"refresh_token": pair["refresh_token"]}).json
    again = client.post(REFRESH, json={"refresh_token": pair["refresh_token"]})
    assert again.status_code == 401
    assert refused(app, pair["access_token"], "ended")
    assert refused(app, first["access_token"], "ended")
    assert client.post(REFRESH, json={"refresh_token": first["refresh_token"]}).status_code == 401
    told = [mail for mail in post.deliver() if "program" in mail.subject.lower()]
    assert [mail.to for mail in told] == [ann.email]


def test_jwt_05_other_sign_ins_of_the_person_go_on(app, pair, ann):
    other, client = pair_of(app, ann.email), app.test_client()
    for _time in range(2):
        client.post(REFRESH, json={"refresh_token": pair["refresh_token"]})
    assert ask(app, other["access_token"]).status_code == 200


def test_jwt_05_a_thief_learns_nothing_from_a_dead_one(app, pair, ann):
    client = app.test_client()
    client.post("/api/v1/auth/revoke", json={"refresh_token": pair["refresh_token"]})
    dead = client.post(REFRESH, json={"refresh_token": pair["refresh_token"]})
    never = client.post(REFRESH, json={"refresh_token": "x" * 43})
    assert dead.status_code == never.status_code == 401
    assert "session" not in str(dead.json)


def test_jwt_07_a_revoked_token_written_in_another_way_is_revoked(app, world, token, key):
    sid = parts(token)[1]["sid"].replace("-", "")
    world.write("UPDATE session SET ended_at = started_at WHERE sid = :sid", sid=sid)
    head, body, signature = token.split(".")
    r, s = (int.from_bytes(unpacked(signature)[at : at + 32], "big") for at in (0, 32))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = pack(r.to_bytes(32, "big") + (order - s).to_bytes(32, "big"))  # as good a signature
    spaced = pack(json.dumps(parts(token)[0], indent=1).encode())
    for other in (
        token, token + "=", token + "==", f"{head}=.{body}.{signature}", f" {token} ",
        f"{spaced}.{body}.{signature}", f"{head}.{body}.{twin}",
        signed(*parts(token), "ES256", key),
    ):  # fmt: skip
        assert refused(app, other, "invalid", "ended", "scheme")


def unpacked(text):
    return base64.urlsafe_b64decode(text + "===")


def test_jwt_09_what_somebody_may_the_database_says(app, world, token, forge, ann):
    """The token has no role to trust; one that claims to have is none of ours."""
    assert not {"role", "roles", "scope", "scp", "groups"} & set(parts(token)[1])
    assert refused(app, forge(claims={"role": "admin"}))
    assert "changed" in world.command("staff", "role", ann.email, "support").output
    assert refused(app, token, "ended")


def test_session_02_every_end_is_at_once_for_cookie_access_and_refresh_token(app, world, ann):
    ends = {
        "sign out everywhere": lambda pair: app.test_client().delete(
            "/api/v1/sessions", headers={"Authorization": f"Bearer {pair['access_token']}"}
        ),
        "block": lambda _pair: block(app, ann.email),
        "role": lambda _pair: world.command("staff", "role", ann.email, "viewer"),
        "reset": lambda _pair: reset(world),
    }
    for name, end in ends.items():
        browser, pair = world.inside(), pair_of(app, ann.email)
        assert browser.get("/security").status == 200
        end(pair)
        assert browser.get("/security").status == 303, name
        assert refused(app, pair["access_token"], "ended", "blocked"), name
        again = app.test_client().post(REFRESH, json={"refresh_token": pair["refresh_token"]})
        assert again.status_code == 401, name
        if name == "role":  # staff would need two-step sign-in for the next
            world.command("staff", "role", ann.email, "user")
        if name == "block":
            world.command("users", "unblock", ann.email)
            assert refused(app, pair["access_token"], "ended"), (
                "An unblocked account signs in anew."
            )


def reset(world):
    browser, mail = world.asked()
    assert type_code(browser, mail.code).location == "/auth/password-reset"
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"


def test_hostile_tokens_change_nothing(app, token, forge, ann):
    before = dump(app)
    for text in [*TEXTS, forge({"kid": "x"}), forge(claims={"exp": 1}), forge(without="sid")]:
        app.test_client().put(
            PROFILE + "/bio",
            json={"bio": "x"},
            headers={"Authorization": f"Bearer {text}".encode()},
        )
        app.test_client().post(REFRESH, json={"refresh_token": text})
    assert dump(app) == before


def test_a_token_from_before_a_turn_of_the_keys_lives_and_after_their_end_does_not(
    app, world, token
):
    world.command("keys", "rotate")
    assert ask(app, token).status_code == 200
    with app.app_context():
        assert setting("ACCESS_TOKEN_SECONDS") == 1800
    world.command("keys", "replace")
    assert refused(app, token)


class Canary(HTTPServer):
    """A web server that counts who comes."""

    def __init__(self):
        self.hits = 0
        super().__init__(("127.0.0.1", 0), _Counting)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Counting(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.hits += 1
        self.send_error(404)

    def log_message(self, *_):
        pass


def test_the_canary_sings():
    with Canary() as canary:
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{canary.server_port}/keys", timeout=5)
        assert canary.hits == 1


@pytest.mark.parametrize("path", [TOKEN, "/login", "/auth/sign-in/user/"])
def test_enum_07_a_password_that_no_hash_can_take_is_wrong_for_everybody(app, ann, path):
    answers = [
        app.test_client().post(path, json={"email": email, "password": password})
        for email in (ann.email, "nobody@example.org")
        for password in ("x" * 73, "ä" * 128, "x" * 10_000, "\0" * 20, "🦊" * 60)
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.data for answer in answers}) == 1
