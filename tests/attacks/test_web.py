# ruff: noqa: E501 - tables, as wide as their texts
"""What a browser is told, what others' words can do to it, and what it may reach."""

import re

import pytest

from portal.core import crypto
from portal.profile import stores
from tests.attacks.conftest import dump, png
from tests.attacks.naughty import TEXTS
from tests.conftest import PASSWORD, ask, open_account, sign_in
from tests.policy.world import World
from tests.rigs.html import check
from tests.rigs.visitor import Visitor

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ANSWERS = {
    "/": 303, "/sign-in": 200, "/sign-up": 200, "/recover": 200, "/recover/code": 303, "/help": 200,
    "/privacy": 200, "/healthz": 200, "/nowhere": 404, "/sign-out": 405, "/profile": 303,
    "/.well-known/change-password": 302, "/.well-known/security.txt": 200, "/static/nothing": 404,
    "/static/css/portal.css": 200, "/static/js/portal.js": 200, "/recover/link/x": 410,
    "/sign-up/link/x": 410, "/pictures/x/256": 404, "/recover/status": 303, "/auth/password-reset": 303,
}  # fmt: skip


def headers_are_there(page, path):
    for name, value in ALWAYS.items():
        if name == "Referrer-Policy" and "/link/" in path:
            value = "no-referrer"
        assert page.headers.getlist(name) == [value], f"{path}: {name}"
    assert "Permissions-Policy" in page.headers
    assert "Server" not in page.headers
    assert "X-Powered-By" not in page.headers
    kept = page.headers["Cache-Control"]
    assert kept == "no-store" or path.startswith(("/static/c", "/static/j"))


@pytest.mark.parametrize("path", ANSWERS)
def test_web_01_every_answer_carries_every_header(visitor, path):
    page = visitor.get(path, checked=False)
    assert page.status == ANSWERS[path]
    headers_are_there(page, path)


def test_web_01_errors_of_every_kind_carry_every_header(app, make_app, visitor, monkeypatch):
    answers = [
        visitor.get("/sign-in", checked=False, Host="evil.example"),
        visitor.post("/sign-in", {}),
        visitor.post("/sign-in", "x" * 70_000, kind="application/x-www-form-urlencoded"),
    ]
    for _ in range(12):
        answers.append(sign_in(visitor, "ann@example.org", "wrong"))
    assert {400, 413, 422, 429} <= {page.status for page in answers}
    for page in answers:
        headers_are_there(page, page.path)


def test_web_01_a_database_that_is_away_is_a_page_with_every_header(make_app, tmp_path):
    """Also for somebody who is signed in, or seems to be."""
    browser = Visitor(make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}"))
    browser.client.set_cookie("latchkey", "A" * 43, domain="127.0.0.1")
    for path, status in {"/profile": 503, "/": 503, "/help": 200, "/nowhere": 404}.items():
        page = browser.get(path)
        assert page.status == status, path
        headers_are_there(page, path)
        assert "sqlite" not in page.html.lower()


def test_web_01_on_https_the_browser_stays_there(make_app):
    app = make_app(PUBLIC_URL="HTTPS://Account.Example.org", EMAIL_BACKEND="smtp", BCRYPT_COST="10")
    page = Visitor(app, site="https://account.example.org").get("/sign-in")
    assert int(re.search(r"max-age=(\d+)", page.headers["Strict-Transport-Security"])[1]) > 1e7
    assert all("Secure" in line for line in page.headers.getlist("Set-Cookie"))


def test_web_01_what_is_private_is_kept_nowhere(inside):
    for path in ("/profile", "/security", "/security/password"):
        assert inside.get(path).headers["Cache-Control"] == "no-store"


# ------------------------------------------------------------------ words of others

SCRIPTS = [text for text in TEXTS if "<" in text or ("on" in text and "=" in text)]


def test_web_03_there_are_scripts_to_try():
    assert len(SCRIPTS) >= 8


def test_web_03_markup_in_the_profile_stays_text_everywhere(app, inside, post, time):
    for text in SCRIPTS:
        time.pass_(hours=5)
        sign_in(inside, "ann@example.org")
        stays_text(app, inside, post, text)


def stays_text(app, inside, post, text):
    sections = {
        "/profile/name": {"full_name": text},
        "/profile/work": {"job_title": text, "organisation": text},
        "/profile/location": {"city": text},
        "/profile/bio": {"bio": text},
    }
    for path, fields in sections.items():
        inside.get("/profile")
        assert inside.submit(path, **fields).status == 303
    agent = f"{text} Firefox"
    for path in ("/profile", "/security", "/security/password"):
        page = inside.get(path)
        assert not check(page.html)
        assert not page.tree.css("img[src=x], [onerror], [autofocus]")
        assert len(page.tree.css("title")) == 1
    stranger = Visitor(app, agent=agent)
    ask(stranger, "ann@example.org")
    mail = post.newest()
    assert "alert(1)" not in mail.html or "&lt;" in mail.html or "<" not in text
    assert "<script" not in mail.html.lower()
    assert agent not in mail.html + mail.text
    assert not check(stranger.get("/dev/mailbox").html)


def test_web_03_what_a_browser_calls_itself_is_kept_in_words_of_ours(app, ann):
    agent = "<script>alert(1)</script> Mozilla/5.0 (Windows NT 10.0) Firefox/140.0"
    sign_in(Visitor(app, agent=agent), ann.email)
    kept = dump(app)
    assert "Firefox on Windows" in str(kept["session"])
    assert "script" not in str(kept["session"]) + str(kept["event"])


def test_web_03_a_typed_address_is_shown_as_text(visitor):
    address = "o'ne&two@example.org"
    ask(visitor, address)
    assert address in visitor.follow().text


LINKS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "//evil.example",
    "http://example.org", "ftp://example.org", "https:example.org", "https:///x", "https://",
    "https://user:secret@example.org", "https://github.com@evil.example", "https://127.0.0.1/",
    "https://[::1]/", "https://localhost/", "https://2130706433/", "https://example.org:8443/",
    'https://example.org/"onmouseover=alert(1)', "https://example.org/<script>", "https://ex ample.org",
    "https://example.org\\@evil.example", "blob:https://example.org/x", "view-source:https://example.org",
]  # fmt: skip


@pytest.mark.parametrize("field", ["website", "github", "mastodon"])
def test_web_04_only_plain_https_addresses_are_taken(app, inside, field):
    inside.get("/profile")
    for link in LINKS:
        page = inside.submit("/profile/social-links", **{field: link})
        assert page.status == 422, link
        assert page.errors[field] in page.summary
    assert dump(app)["profile"] == []


OUTSIDE = [
    "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "http:evil.example",
    "javascript:alert(1)", "/\\/evil.example", "//evil.example/profile", "https:/evil.example", "evil.example",
    "/%0d%0aLocation: https://evil.example\r\n", "/profile\r\nSet-Cookie: a=b", "data:text/html,x", "@evil.example",
    "/\u2028/evil.example", "//\u0000evil.example", "/ /evil.example", "\u2215\u2215evil.example",
]  # fmt: skip


def test_web_no_sign_in_leads_to_another_site(app, ann):
    for wanted in OUTSIDE:
        leads_nowhere_else(Visitor(app), ann, wanted)


def leads_nowhere_else(browser, ann, wanted):
    browser.client.get("/sign-in", query_string={"next": wanted}, base_url=browser.site)
    browser.get("/sign-in")
    token = browser.page.form("/sign-in").fields["csrf_token"]
    sent = {"email": ann.email, "password": PASSWORD, "csrf_token": token}
    answer = browser.client.post(
        "/sign-in", query_string={"next": wanted}, data=sent, base_url=browser.site
    )
    where = answer.headers["Location"]
    assert answer.status_code == 303
    assert re.fullmatch(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", where)
    assert len(answer.headers.getlist("Set-Cookie")) == 3
    assert where == "/profile" or "evil" not in where.partition("%0d")[0]


def test_web_a_path_of_ours_is_where_signing_in_leads(app, ann):
    browser = Visitor(app)
    page = browser.get("/security/password")
    assert page.location == "/sign-in?next=/security/password"
    browser.follow()
    action = next(path for path in browser.page.forms if path.startswith("/sign-in"))
    page = browser.submit(action, email=ann.email, password=PASSWORD)
    assert page.location == "/security/password"


# ------------------------------------------------------------------ rights

EXTRA = {
    "role": "admin", "is_admin": "1", "admin": "true", "isAdmin": "1", "id": "1", "uuid": "0" * 32,
    "person_id": "1", "email_proven_at": "2026-01-01", "emailProvenAt": "1", "verified": "1",
    "password_hash": "x", "passwordHash": "x", "blocked_at": "", "created_at": "2000-01-01",
    "picture_name": "../x", "person.role": "admin", "person[role]": "admin", "__class__": "x",
    "email_key": "x", "username_key": "x", "links": "{}", "kept": "1", "user": "admin",
}  # fmt: skip


def test_authz_01_fields_that_nobody_asked_for_are_not_read(app, inside, sign_up):
    sign_up("bob@example.org", "Bob Hill")
    before = dump(app)["person"]
    sections = {
        "/profile/name": {"full_name": "Ann Miller"},
        "/profile/work": {"job_title": "Smith"},
        "/profile/location": {"city": "Ulm"},
        "/profile/social-links": {"github": "ann"},
        "/profile/bio": {"bio": "Hello"},
    }
    for path, fields in sections.items():
        token = inside.get("/profile").form(path).fields["csrf_token"]
        page = inside.post(
            path, EXTRA | {"email": "eve@example.org"} | fields | {"csrf_token": token}
        )
        assert page.location == "/profile"
    assert dump(app)["person"] == before
    assert len(dump(app)["profile"]) == 1


def test_authz_01_nobody_signs_up_as_more_than_a_user(app, visitor):
    token = visitor.get("/sign-up").form("/sign-up").fields["csrf_token"]
    wish = {"full_name": "Eve", "password": PASSWORD, "confirm_password": PASSWORD}
    sent = EXTRA | wish | {"email": "eve@example.org", "csrf_token": token}
    assert visitor.post("/sign-up", sent).location == "/sign-up/code"
    (row,) = dump(app)["person"]
    assert "user" in row
    assert "admin" not in row
    assert row[4] is None  # not proven


def test_authz_02_nothing_of_a_person_is_reached_by_a_number(app, inside, sign_up):
    inside.get("/profile")
    inside.submit("/profile/picture", picture=(png(), "me.png"))
    ((name,),) = World(app).rows("SELECT picture_name FROM person")
    stranger = Visitor(app)
    for guess in ("1", "ann", "ann@example.org", name[:-1], name.upper(), f"../{name}", "0" * 32):
        assert stranger.get(f"/pictures/{guess}/256").status == 404, guess
    for size in ("1", "255", "0", "-1", "512x", "256.webp"):
        assert stranger.get(f"/pictures/{name}/{size}").status == 404
    for path in (
        "/profile/1",
        "/profile/ann",
        "/people/1",
        "/admin/people/1",
        "/users/1",
        "/api/v1/profile/1",
        "/api/v1/people/1",
    ):
        assert stranger.get(path).status == 404, path
    assert stranger.get(f"/pictures/{name}/256", checked=False).status == 200


def test_authz_02_everything_below_profile_and_security_asks_who_it_is(app):
    paths = [
        rule.rule for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in ("profile", "security", "admin", "staff")
    ]  # fmt: skip
    assert len(paths) >= 10
    for path in paths:
        stranger = Visitor(app)
        for page in (stranger.get(path), stranger.post(path, {})):
            assert page.status in (303, 405), path
            assert page.status == 405 or page.location.startswith("/sign-in"), path


@pytest.mark.parametrize("name", ["..", "../..", "/etc/passwd", "a/b", "%2e%2e", "x" * 32, "\0"])
def test_authz_02_no_name_leads_out_of_the_folder_of_pictures(app, name):
    with app.app_context():
        assert stores.read(name, 256) is None
        assert not stores.exists(name, 256)


def test_log_02_nothing_secret_or_personal_is_logged_or_shown(app, post, time, caplog):
    caplog.set_level("DEBUG", logger="latchkey")
    caplog.set_level("INFO")
    browser = Visitor(app)
    open_account(browser, "secret.person@example.org", "Very Private")
    browser.follow()
    mails = [post.newest()]
    browser.submit("/sign-up/code", code=mails[0].code)
    browser.get("/profile?token=in-the-query")
    browser.submit("/profile/bio", bio="deeply private words")
    time.pass_(minutes=2)
    ask(browser, "secret.person@example.org")
    mails.append(post.newest())
    browser.get(mails[1].link)
    browser.submit(mails[1].link, action="show-code")
    browser.get("/recover/code")
    browser.submit("/recover/code", code="000000")
    sign_in(Visitor(app), "secret.person@example.org", "a wrong password 9")
    Visitor(app).get("/nowhere/secret.person@example.org")
    secrets = [
        "secret.person", "Very Private", "deeply private", PASSWORD, "a wrong password 9", "in-the-query",
        browser.cookie("latchkey"), browser.cookie("latchkey-form"), browser.cookie("latchkey-device"),
    ]  # fmt: skip
    secrets += [part for mail in mails for part in (mail.code, mail.link.rpartition("/")[2])]
    assert "/recover/link/<string:token>" in caplog.text
    for secret in secrets:
        assert secret not in caplog.text, secret


def test_log_02_a_defect_shows_a_number_and_logs_no_value(make_app, monkeypatch, caplog):
    monkeypatch.setattr(crypto, "same", lambda *_: 1 / 0)
    browser = Visitor(make_app())
    page = sign_in(browser, "secret.person@example.org", "a wrong password 9")
    assert page.status == 500
    reference = page.find(".mono")[0]
    assert f"defect {reference}" in caplog.text
    for secret in ("secret.person", "a wrong password 9", "Traceback", "sqlite"):
        assert secret not in page.html
    assert "secret.person" not in caplog.text
    assert "a wrong password 9" not in caplog.text
