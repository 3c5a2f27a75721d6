"""Attacks on every operation that programs have, found by the list that opens them."""

import io
import json
import re
from uuid import uuid4

import pytest

from portal.api import routes, schemas
from portal.api.bearer import Reach
from portal.api.bodies import FORM, JSON
from tests.attacks.conftest import dump, png
from tests.conftest import PASSWORD
from tests.policy.world import World
from tests.rigs.visitor import Visitor

FAMILIES = {"v1": routes.V1, **routes.DIALECTS}
CALLS = [
    pytest.param(family, operation, method, id=f"{key}-{name}-{method}")
    for key, family in FAMILIES.items()
    for name, operation in family.operations.items()
    for method in operation.method.split()
]
IN_JSON = [each for each in CALLS if each.values[1].body and each.values[1].body.media == JSON]
IN_FORM = [each for each in CALLS if each.values[1].body and each.values[1].body.media == FORM]
SECURED = [each for each in CALLS if each.values[1].reach is not Reach.EVERYBODY]
BROKEN = {
    "nothing": b"",
    "half": b'{"email": "ann@example.org"',
    "words": b"email=ann",
    "deep list": b"[" * 30_000,
    "deep object": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
    "list": b"[]",
    "text": b'"email"',
    "null": b"null",
    "number": b"1e999",
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": -Infinity}',
    "twice": b'{"email": "a@example.org", "email": "b@example.org"}',
    "twice inside": b'{"social_links": {"x": "a", "x": "b"}}',
    "half a pair": b'{"email": "\\ud83d"}',
    "half a pair as name": b'{"\\udc00": 1}',
    "half a pair as bytes": b'{"email": "\xed\xa0\xbd"}',
    "latin-1": '{"email": "café"}'.encode("latin-1"),
    "utf-16": '{"email": "a"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "comment": b"{/* */}",
    "single quotes": b"{'email': 'a'}",
    "trailing comma": b'{"email": "a",}',
    "long number": b'{"email": ' + b"9" * 5000 + b"}",
    "control character": b'{"email": "\x01"}',
}
MEDIA = [
    "text/plain", "application/x-www-form-urlencoded", "", "application/xml", "text/json", "*/*",
    "application/json; charset=utf-16", "application/json-patch+json", "application/jsonp",
]  # fmt: skip
WRONG = [1, 1.5, True, [], {}, ["a"], {"a": 1}, None]
PROTECTED = {
    "id": 1, "uuid": str(uuid4()), "role": "admin", "is_admin": True, "isAdmin": True,
    "roles": ["admin"],
    "email_proven_at": "2020-01-01T00:00:00Z", "emailProvenAt": "2020-01-01", "verified": True,
    "password_hash": "x", "created_at": "2020-01-01", "blocked_at": None, "person.role": "admin",
    "person": {"role": "admin"}, "person[role]": "admin", "__class__": {"role": "admin"},
    "phone": "+447400218305",
    "two_step": False, "sid": str(uuid4()), "user_id": 1, "_method": "DELETE",
    "constructor": {}, "$where": "1",
}  # fmt: skip
EVIL = [
    "https://evil.example",
    "null",
    "http://127.0.0.1:8000.evil.example",
    "https://sub.app.example",
]
APP = "https://app.example"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def access(app, ann):
    """Ann's access token."""
    body = {"email": ann.email, "password": PASSWORD}
    return app.test_client().post("/api/v1/auth/token", json=body).json["access_token"]


@pytest.fixture
def call(app, access):
    """call(family, operation, method, **more) -> the answer, asked with Ann's token."""

    def ask(family, operation, method, *, token=True, **more):
        headers = more.pop("headers", {})
        if token:
            headers = headers | {"Authorization": f"Bearer {access}"}
        path = path_of(family, operation)
        return app.test_client().open(path, method=method, headers=headers, **more)

    return ask


def path_of(family, operation):
    """With what nobody has in the place of ids and tokens."""
    known = {"role": "user", "uid": str(uuid4()), "token": "x" * 43, "id": str(uuid4())}
    known["sid"] = str(uuid4())
    path = re.sub(r"<\w+:(\w+)>", lambda found: known[found[1]], operation.path)
    return family.prefixes[0] + path


def whole(operation):
    return schemas.example(operation.body.schema)


def is_refused(family, answer, *statuses):
    """A clear no in the family's own shape, without a cookie."""
    assert answer.status_code in (statuses or range(400, 500)), (answer.status_code, answer.data)
    assert answer.mimetype == family.media, answer.mimetype
    said = {key: value for key, value in answer.json.items() if key not in ("valid", "reason")}
    assert said
    schemas.judge(family.refusal, answer.json)
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in ", ".join(answer.headers.getlist("Vary"))
    return True


def test_there_are_operations_to_attack():
    assert len(CALLS) > 45
    assert len(SECURED) > 15
    assert len(IN_FORM) >= 3


@pytest.mark.parametrize("family, operation, method", IN_JSON)
def test_broken_json_is_refused_and_changes_nothing(app, call, family, operation, method):
    before = dump(app)
    for name, text in BROKEN.items():
        answer = call(family, operation, method, data=text, content_type="application/json")
        assert is_refused(family, answer, 400), name
    assert dump(app) == before


@pytest.mark.parametrize("family, operation, method", IN_JSON)
def test_other_media_are_refused_and_change_nothing(app, call, family, operation, method):
    before, text = dump(app), json.dumps(whole(operation))
    for media in MEDIA:
        answer = call(family, operation, method, data=text, content_type=media)
        assert is_refused(family, answer, 415), media
    form = dict.fromkeys(operation.body.schema["properties"], "a")
    answer = call(family, operation, method, data=form, content_type="multipart/form-data")
    assert is_refused(family, answer, 415)
    packed = call(
        family, operation, method, json=whole(operation), headers={"Content-Encoding": "gzip"}
    )
    assert is_refused(family, packed, 415)
    assert dump(app) == before


@pytest.mark.parametrize("family, operation, method", IN_JSON)
def test_wrong_types_are_refused_and_change_nothing(app, call, family, operation, method):
    before = dump(app)
    for name, schema in operation.body.schema["properties"].items():
        for value in WRONG:
            if not schemas.Judge(schema).is_valid(value):
                answer = call(family, operation, method, json=whole(operation) | {name: value})
                assert is_refused(family, answer, 400, 422), (name, value)
    assert dump(app) == before


@pytest.mark.parametrize("family, operation, method", IN_JSON)
def test_missing_members_are_refused_and_change_nothing(app, call, family, operation, method):
    before = dump(app)
    if operation.body.schema["required"] or "oneOf" in operation.body.schema:
        assert is_refused(family, call(family, operation, method, json={}), 400)
    for name in operation.body.schema["required"]:
        body = {key: value for key, value in whole(operation).items() if key != name}
        assert is_refused(family, call(family, operation, method, json=body), 400)
    assert dump(app) == before


@pytest.mark.parametrize("family, operation, method", IN_JSON + IN_FORM)
def test_dos_01_bodies_that_are_too_large(app, call, family, operation, method):
    before = dump(app)
    size = 70_000 if operation.body.media == JSON else 6_400_000
    kind = JSON if operation.body.media == JSON else "multipart/form-data; boundary=x"
    answer = call(family, operation, method, data=b" " * size, content_type=kind)
    assert is_refused(family, answer, 413)
    assert dump(app) == before


@pytest.mark.parametrize("family, operation, method", IN_FORM)
def test_broken_forms_are_refused_and_change_nothing(app, call, family, operation, method):
    before = dump(app)
    files = [name for name, each in operation.body.schema["properties"].items() if "format" in each]
    field = next(name for name in files if name in ("picture", "avatar", "profile_picture"))
    bad = {
        "json": {"json": {field: "a"}},
        "text in the place of a file": {"data": {field: "text"}},
        "no picture": {"data": {field: (io.BytesIO(b"<svg/>"), "a.png")}},
        "empty": {"data": {field: (io.BytesIO(b""), "a.png")}},
        "two": {"data": {field: [(io.BytesIO(png()), "a.png"), (io.BytesIO(png()), "b.png")]}},
        "no boundary": {"data": b"--x\r\n\r\n--x--", "content_type": "multipart/form-data"},
    }
    for name, sent in bad.items():
        more = {"content_type": "multipart/form-data"} | sent if "data" in sent else sent
        answer = call(family, operation, method, **more)
        assert is_refused(family, answer, 400, 415, 422), name
    assert dump(app) == before


@pytest.mark.parametrize("family, operation, method", CALLS)
def test_another_method_is_405_in_the_familys_shape(call, family, operation, method):
    for other in "PATCH", "PROPFIND", "BREW":
        answer = call(family, operation, other)
        assert is_refused(family, answer, 405)
        assert method in answer.headers["Allow"]
    for header in "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override":
        answer = call(family, operation, "PATCH", headers={header: method})
        assert answer.status_code == 405


@pytest.mark.parametrize("family, operation, method", SECURED)
def test_csrf_02_a_browsers_cookie_opens_nothing(app, ann, world, family, operation, method):
    browser = world.inside()
    before = dump(app)
    for headers in {}, {"Authorization": f"Bearer {browser.cookie('latchkey')}"}:
        answer = browser.client.open(path_of(family, operation), method=method, headers=headers)
        assert is_refused(family, answer, 401)
        assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert dump(app) == before


@pytest.mark.parametrize("family, operation, method", CALLS)
def test_csrf_01_no_operation_reads_or_sets_a_cookie(app, family, operation, method):
    browser = Visitor(app)
    browser.get("/sign-in")
    answer = browser.client.open(path_of(family, operation), method=method, json={})
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in ", ".join(answer.headers.getlist("Vary"))


@pytest.mark.parametrize("family, operation, method", CALLS)
def test_web_09_no_other_site_may_read_an_answer(call, family, operation, method):
    for origin in EVIL:
        for asked in method, "OPTIONS":
            more = {"Origin": origin, "Access-Control-Request-Method": method}
            answer = call(family, operation, asked, headers=more, token=False)
            assert not [
                name for name, _value in answer.headers if name.startswith("Access-Control")
            ]


@pytest.fixture
def open_app(make_app):
    return make_app(CORS_ALLOWED_ORIGINS=f"{APP}, https://other.example:8443")


@pytest.mark.parametrize("family, operation, method", CALLS)
def test_web_09_a_named_site_may_and_no_cookie_travels_along(open_app, family, operation, method):
    path, client = path_of(family, operation), open_app.test_client()
    asked = {"Origin": APP, "Access-Control-Request-Method": method}
    for answer in (
        client.open(path, method=method, headers={"Origin": APP}),
        client.options(path, headers=asked),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Origin" in ", ".join(answer.headers.getlist("Vary"))
    assert method in answer.headers["Access-Control-Allow-Methods"]
    for origin in [
        *EVIL,
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil",
    ]:
        answer = client.open(path, method=method, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Origin" not in client.open(path, method=method).headers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sign-in",
        "/recover",
        "/profile",
        "/auth/password-reset",
        "/dev/mailbox.json",
        "/healthz",
    ],
)
def test_web_09_pages_are_never_for_other_sites(open_app, path):
    answer = open_app.test_client().get(path, headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("family, operation, method", IN_JSON)
def test_authz_01_what_is_not_ones_own_to_set_stays_as_it_is(
    app, world, call, family, operation, method
):
    kept = (
        "id, uuid, role, email_key, email_proven_at, password_hash, created_at, blocked_at, phone"
    )
    before = world.rows(f"SELECT {kept} FROM person")  # noqa: S608
    for name, value in PROTECTED.items():
        schema = operation.body.schema
        if name not in schema["properties"]:
            answer = call(family, operation, method, json=whole(operation) | {name: value})
            if schema.get("additionalProperties") is False:
                assert is_refused(family, answer, 400), name
                assert name in answer.json["errors"]
            assert answer.status_code < 500
    mine = world.rows(f"SELECT {kept} FROM person")[: len(before)]  # noqa: S608
    if not re.search("password|token|reset", operation.path):
        assert mine == before
    assert [row[2] for row in mine] == [row[2] for row in before]


def test_authz_02_other_peoples_sign_ins_do_not_exist(app, world, access):
    world.account("bob@example.org", "Bob Hill")
    body = {"email": "bob@example.org", "password": PASSWORD}
    bob = app.test_client().post("/api/v1/auth/token", json=body).json["access_token"]
    his = {"Authorization": f"Bearer {bob}"}
    sids = [
        each["id"]
        for each in app.test_client().get("/api/v1/sessions", headers=his).json["sessions"]
    ]
    mine = {"Authorization": f"Bearer {access}"}
    assert sids
    for sid in [*sids, str(uuid4())]:
        for method in "GET", "DELETE":
            answer = app.test_client().open(f"/api/v1/sessions/{sid}", method=method, headers=mine)
            assert answer.status_code == 404
    assert app.test_client().get("/api/v1/profile", headers=his).status_code == 200


def test_authz_02_nothing_takes_an_account_from_the_body_or_the_query(app, world, access, ann):
    world.account("bob@example.org", "Bob Hill")
    mine = {"Authorization": f"Bearer {access}"}
    for query in "?user_id=2", "?email=bob@example.org", "?id=2", "?person=bob":
        answer = app.test_client().get("/api/v1/profile" + query, headers=mine)
        assert answer.json["email"] == ann.email
    for path in "/api/v1/profile/2", "/api/v1/profile/bob@example.org", "/user-profile/2/":
        assert app.test_client().get(path, headers=mine).status_code == 404


@pytest.mark.parametrize("path", [
    "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/profile/", "/api/v2/profile",
    "/api/v1/profile/..%2fsessions", "/api/v1/profile;x", "/api/v1/profile/bio.json",
    "/api/auth/nothing", "/api/v1/%00", "/api/v1/\udcff", "/api//v1/profile", "/user-profile/x",
])  # fmt: skip
def test_unknown_paths_are_404_as_programs_read_them(app, path):
    answer = app.test_client().get(path.encode("utf-8", "surrogateescape").decode("latin-1"))
    assert answer.status_code in (404, 308)
    assert answer.status_code == 308 or answer.is_json
