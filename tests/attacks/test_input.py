"""Whatever is typed anywhere: kept and shown as typed, or refused beside its field; never a 500."""

import unicodedata
from urllib.parse import quote, urlencode

import pytest

from tests.attacks.naughty import BROKEN, TEXTS
from tests.conftest import PASSWORD, ask, open_account
from tests.rigs.visitor import Visitor

LINKS = ["website", "github", "x", "mastodon"]
SOME = TEXTS[::4]
SECTIONS = {
    "/profile/name": {("full_name",): TEXTS, ("username",): SOME},
    "/profile/work": {("job_title", "organisation"): SOME},
    "/profile/location": {("city",): SOME, ("country",): SOME},
    "/profile/social-links": {(name,): TEXTS[at::4] for at, name in enumerate(LINKS)},
    "/profile/bio": {("bio",): TEXTS},
}


@pytest.fixture
def app(make_app):
    """Without waiting times, which would soon be all that one gets to see."""
    return make_app(THROTTLES="off")


def parsed(text):
    """What HTML makes of a text that was sent as a browser sends it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def said(page, *fields):
    """The refusal stands beside a field and in the summary; what was typed is still there."""
    assert page.status == 422
    assert set(page.errors) & set(fields), f"{fields}: only {page.errors}"
    for words in page.errors.values():
        assert words in page.summary


def folded(text, field):
    text = unicodedata.normalize("NFC", text)
    if field == "bio":
        return parsed(text).strip()
    return " ".join(text.split())


@pytest.mark.parametrize("path", SECTIONS)
def test_inj_02_every_field_of_the_profile_keeps_or_refuses_every_text(inside, path):
    for fields, texts in SECTIONS[path].items():
        inside.get("/profile")
        for text in texts:
            kept_or_refused(inside, path, fields, text)


def kept_or_refused(inside, path, fields, text):
    page = inside.submit(path, **dict.fromkeys(fields, text))
    refused = page.status == 422
    if refused:
        said(page, *fields)
    else:
        assert page.location == "/profile", repr(text)
    shown = (page if refused else inside.follow()).form(path).fields
    for each in set(fields) - {"country"}:
        if refused:
            assert parsed(shown[each]) == parsed(text), repr(text)
        elif path != "/profile/social-links":
            assert shown[each] == folded(text, each), repr(text)


@pytest.mark.parametrize(
    "path, field, steps",
    [
        ("/sign-up", "full_name", {}),
        ("/sign-up", "email", {}),
        ("/sign-in", "email", {"password": "x"}),
        ("/recover", "identifier", {}),
    ],
)
def test_inj_02_every_field_outside_keeps_or_refuses_every_text(visitor, path, field, steps):
    visitor.get(path)
    for text in TEXTS:
        page = visitor.submit(path, **{field: text}, **steps)
        if page.status == 303:
            assert "@" in text, repr(text)
            visitor.get(path)
        else:
            said(page, field, "password")
            assert parsed(page.form(path).fields[field]) == parsed(text), repr(text)


def test_inj_02_every_text_may_be_typed_as_a_password(app, inside, visitor, post):
    ask(visitor, "ann@example.org")
    visitor.get("/recover/code")
    visitor.submit("/recover/code", code=post.newest().code)
    for text in SOME:
        visitor.get("/auth/password-reset")
        page = visitor.submit("/auth/password-reset", password=text, confirm_password="other")
        said(page, "password", "confirm_password")
        visitor.get("/sign-in")
        page = visitor.submit("/sign-in", email="ann@example.org", password=text)
        said(page, "email", "password")
        inside.get("/security/password")
        page = inside.submit(
            "/security/password", old_password=text, password=PASSWORD, confirm_password=PASSWORD
        )
        said(page, "old_password", "password")


@pytest.mark.parametrize("story", ["recover", "sign-up"])
def test_inj_02_every_text_may_be_typed_as_a_code(visitor, post, story):
    if story == "recover":
        ask(visitor, "nobody@example.org")
    else:
        open_account(visitor, "new@example.org")
    post.deliver()
    path = f"/{story}/code"
    visitor.get(path)
    for text in SOME:
        page = visitor.submit(path, code=text)
        said(page, "code")
        assert "value" not in page.tree.css_first("#code").attributes
        if len(text) > 12:
            assert text not in page.html.replace("&#39;", "'")


@pytest.mark.parametrize("path", [*SECTIONS, "/sign-up", "/sign-in", "/recover"])
def test_inj_02_bytes_that_are_no_text_are_no_accident(inside, app, path):
    browser = inside if path in SECTIONS else Visitor(app)
    page = "/profile" if path in SECTIONS else path
    for raw in BROKEN:
        form = browser.get(page).form(path)
        token = urlencode({"csrf_token": form.fields["csrf_token"]})
        body = "&".join([token, *(f"{name}={raw}" for name in form.names - {"csrf_token"})])
        kind = "application/x-www-form-urlencoded"
        assert browser.post(path, body, kind=kind).status in (303, 422), raw


PLACES = [
    "/{}", "/recover/link/{}", "/sign-up/link/{}", "/pictures/{}/256", "/pictures/x/{}",
    "/static/{}", "/static/uploads/{}", "/dev/mailbox/{}", "/profile/{}", "/.well-known/{}",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_inj_02_every_text_may_stand_in_a_path(inside, place):
    for part in [*(quote(text, safe="") for text in TEXTS), *BROKEN, "9" * 30, "9" * 5_000]:
        page = inside.get(place.format(part))
        assert page.status in (200, 303, 308, 404, 405, 410), (page.status, part[:60])


@pytest.mark.parametrize("place", ["/sign-in?next={}", "/recover?email={}", "/sign-up?x={}&x[]=1"])
def test_inj_02_every_text_may_stand_in_a_query(visitor, place):
    for part in [*(quote(text, safe="") for text in TEXTS), *BROKEN]:
        assert visitor.get(place.format(part)).status == 200, part[:60]


HEADERS = [
    "User_Agent", "Accept_Language", "Accept", "X_Forwarded_For", "Forwarded", "Referer", "Origin",
    "Range", "If_None_Match", "If_Modified_Since", "Authorization", "Sec_Fetch_Site",
]  # fmt: skip


def test_inj_02_every_text_may_stand_in_a_header(app, ann):
    browser = Visitor(app)
    for text in SOME:
        raw = text.encode().decode("latin-1").replace("\r", "").replace("\n", "")
        page = browser.get("/sign-in", **dict.fromkeys(HEADERS, raw))
        assert page.status == 200, repr(text)
        browser.headers["User-Agent"] = raw
        assert ask(browser, ann.email).status == 303, repr(text)


COOKIES = ["latchkey", "latchkey-device", "latchkey-form", "theme", "session", "remember_token"]


def test_inj_02_every_text_may_stand_in_a_cookie(app, inside):
    own = {name: inside.cookie(name) or "" for name in COOKIES}
    cut = own["latchkey-form"][:-2]
    client = app.test_client(use_cookies=False)
    for text in [*TEXTS, "x" * 100_000, cut, cut + "AA", ".eJw", "e30.YQ.YQ", "." * 300, "a=b; c"]:
        raw = text.encode().decode("latin-1").replace("\r", "").replace("\n", "")
        for name in COOKIES[:4]:
            sent = "; ".join(f"{each}={value}" for each, value in (own | {name: raw}).items())
            answer = client.get("/profile", headers={"Cookie": sent}, base_url=inside.site)
            expected = 303 if name == "latchkey" else 200
            assert answer.status_code == expected, (name, ascii(text[:60]))
            if name == "theme":
                assert text in ("", "light") or b"data-theme" not in answer.data


def test_inj_02_a_message_is_written_for_every_address_that_is_taken(visitor, post):
    """Otherwise one who types a strange address waits for ever, and learns that it is known."""
    for number, local in enumerate(["!#$%&'*+/=?^_`{|}~-", "a.b+c", "x" * 64, "0", "_", "-"]):
        address = f"{local}@example{number}.org"
        assert open_account(visitor, address).location == "/sign-up/code"
        assert post.newest(address).code
        visitor.get("/sign-up/code")
        assert address in visitor.page.text


def test_inj_02_a_name_cannot_write_into_the_head_of_a_message(inside, visitor, post, time):
    for name, kept in (("Bcc: eve@evil.example", False), ("Bcc: {{7*7}} & %(code)s", True)):
        inside.get("/profile")
        assert inside.submit("/profile/name", full_name=name).status == 303
        time.pass_(seconds=61)
        ask(visitor, "ann@example.org")
        mail = post.with_code("ann@example.org")
        assert mail.to == "ann@example.org"
        assert (name in mail.text) is kept
        assert ("Bcc: {{7*7}} &amp; %(code)s" in mail.html) is kept
        assert "evil" not in mail.text + mail.html
