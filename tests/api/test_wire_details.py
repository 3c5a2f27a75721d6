"""Small things on the wire that programs stumble over."""

import pytest

from tests.conftest import PASSWORD

PROFILE, LINKS = "/api/v1/profile", "/api/v1/profile/social-links"
APP = "https://app.example"


@pytest.fixture
def client(app):
    return app.test_client(use_cookies=False)


@pytest.fixture
def mine(client, ann):
    """The header with Ann's access token."""
    typed = {"email": ann.email, "password": PASSWORD}
    pair = client.post("/api/v1/auth/token", json=typed).json
    return {"Authorization": f"Bearer {pair['access_token']}"}


def test_no_depth_of_a_body_is_a_defect(client, mine):
    """What parses at one depth may be too deep for what judges it a few frames later."""
    for depth in [*range(1, 12), *range(850, 1000)]:
        nested = '{"social_links": {"website": ' + "[" * depth + "]" * depth + "}}"
        sent = {"data": nested, "content_type": "application/json", "headers": mine}
        assert client.put(LINKS, **sent).status_code in (400, 422), depth
        assert client.put("/user-profile/update/", **sent).status_code == 400, depth


def test_a_forgotten_slash_never_leads_away_from_tls(make_app):
    app = make_app(PUBLIC_URL="https://account.example.org", EMAIL_BACKEND="smtp", BCRYPT_COST="12")
    sent = {"base_url": "http://account.example.org", "query_string": "a=b"}
    answer = app.test_client().post("/auth/sign-in/user", **sent)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/auth/sign-in/user/?a=b")


def test_a_form_that_is_no_utf_8_changes_nothing(client, mine, ann):
    part = b'--q\r\nContent-Disposition: form-data; name="full_name"\r\n\r\nM\xfcller\r\n--q--\r\n'
    sent = {"data": part, "content_type": "multipart/form-data; boundary=q", "headers": mine}
    assert client.post("/update-profile", **sent).status_code == 400
    assert client.get(PROFILE, headers=mine).json["full_name"] == ann.full_name


def test_an_answer_without_a_body_names_no_kind_of_one(client, mine):
    answer = client.delete("/api/v1/profile/picture", headers=mine)
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers


def test_many_wrong_keys_are_not_all_repeated(client):
    body = {f"key number {number}": 1 for number in range(2500)}
    answer = client.post("/api/v1/auth/token", json=body)
    assert answer.status_code == 400
    assert len(answer.json["errors"]) <= 60


@pytest.mark.parametrize("path", [PROFILE, "/api/nothing", "/api/v1/openapi.json", "/login"])
def test_one_site_that_is_let_in_is_told_to_caches_and_everywhere(make_app, path):
    client = make_app(CORS_ALLOWED_ORIGINS=APP).test_client()
    for headers, told in (
        ({"Origin": APP}, APP),
        ({}, None),
        ({"Origin": "https://b.example"}, None),
    ):
        answer = client.get(path, headers=headers)
        assert answer.headers.get("Access-Control-Allow-Origin") == told
        assert "Origin" in ", ".join(answer.headers.getlist("Vary"))
    asked = {"Origin": APP, "Access-Control-Request-Method": "PUT"}
    methods = client.options(PROFILE, headers=asked).headers["Access-Control-Allow-Methods"]
    assert "PATCH" not in methods


def test_no_family_at_all(make_app):
    client = make_app(API_FAMILIES="none").test_client()
    for path in "/login", "/auth/sign-in/user/", "/api/auth/forgot-password":
        assert client.post(path, json={}).status_code == 404
    assert client.post("/api/v1/auth/forget-password", json={}).status_code == 404
    assert client.post("/api/v1/auth/token", json={}).status_code == 400


def test_a_role_that_is_absent_is_the_usual_one(make_app):
    for offered, given in {"author,user": "user", "author,reader": "author"}.items():
        client = make_app(SIGN_UP_ROLES=offered).test_client()
        wish = {"full_name": "A", "email": f"{given}@example.org", "password": PASSWORD}
        assert client.post("/register", json=wish).json["user"]["role"] == given
