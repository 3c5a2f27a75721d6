"""Another site cannot press our buttons: every POST of the URL map, attacked in every way."""

import pytest
from werkzeug.routing import Rule

from portal import create_app
from portal.core import shapes
from tests.attacks.conftest import dump, png
from tests.conftest import SETTINGS, ask, open_account, sign_in
from tests.policy.world import OTHER_NUMBER, PHONE, World
from tests.rigs.visitor import Visitor

PICTURE = b"\x89PNG\r\n\x1a\nno picture"
SECRET = "Secret words, typed by ann 7"
CODE = "123456"
EVIL = "https://evil.example"
HIDDEN = {"password", "confirm_password", "old_password", "code", "crop", "csrf_token", "account"}


def posts() -> list[Rule]:
    """Those of pages; what is for programs reads no cookie, which test_programs.py shows."""
    app = create_app(SETTINGS)
    doors, rules = shapes.doors(app), list(app.url_map.iter_rules())
    pages = [rule for rule in rules if rule.endpoint.partition(".")[0] not in doors]
    return sorted((rule for rule in pages if "POST" in rule.methods), key=str)


# Of staff, of half a sign-in, of a second factor: these have test_csrf_inside.py.
INSIDE = "/admin", "/sign-in/", "/sign-up/invitation", "/security/two-step", "/security/devices"
LATER = *INSIDE, "/security/password/code"
POSTS = [rule for rule in posts() if not rule.rule.startswith(LATER)]


@pytest.fixture
def app(make_app):
    return make_app(CSRF_LIFETIME_SECONDS="60")


@pytest.fixture
def victim(app, post, time, sign_up):
    """A browser in which everything is under way: signed in, three flows, a grant, five links."""
    sign_up("ann@example.org")
    sign_up("bob@example.org", "Bob Hill")
    browser = Visitor(app)
    time.pass_(minutes=2)
    assert sign_in(browser, "ann@example.org").location == "/profile"
    browser.get("/profile")
    browser.submit("/profile/picture", picture=(png(), "me.png"))
    world = World(app)
    world.add_phone(browser)
    time.pass_(minutes=2)
    browser.get(PHONE)
    assert browser.submit(PHONE, phone=OTHER_NUMBER).status == 303
    old, new = world.wish_for(browser, "sana@example.net")
    ask(browser, "ann@example.org")
    browser.follow()
    browser.submit("/recover/code", code=post.newest("ann@example.org").code)
    ask(Visitor(app, address="192.0.2.50"), "bob@example.org")
    open_account(browser, "new@example.org")
    browser.links = {
        "/recover/link/": post.newest("bob@example.org").link,
        "/sign-up/link/": post.newest("new@example.org").link,
        "/recover/not-you/": post.alerts("ann@example.org")[0].not_you,
        "/recover/email/": new.confirm_email,
        "/recover/keep-email/": old.keep_email,
    }
    return browser


def path_of(rule: Rule, victim: Visitor) -> str:
    """The rule's path, with a token that lives where there is one."""
    start = rule.rule.partition("<")[0]
    assert "<" not in rule.rule or start in victim.links, f"Say how to get a live {rule.rule}."
    return victim.links.get(start, rule.rule)


def form_to(victim: Visitor, action: str):
    """The form that goes to `action`, on its own page or on one above it."""
    for page in (action, action.rpartition("/")[0], action.rpartition("/")[0] + "/code"):
        if page and victim.get(page).status == 200 and action in victim.page.forms:
            return victim.page.form(action)
    victim.get("/profile")
    return victim.page.form(action)


def filled(form) -> dict[str, object]:
    """Something typed in every field."""
    typed = {name: f"typed {name}" for name in form.names} | dict(form.fields)
    for name in form.names - {"csrf_token", "action", "remember", "country"}:
        typed[name] = SECRET if "password" in name else CODE if name == "code" else f"typed {name}"
    if "remember" in form.names:
        typed["remember"] = "y"
    if "email" in typed:
        typed["email"] = "typed@example.org"
    return {name: value for name, value in typed.items() if name not in form.files}


@pytest.fixture
def typed(victim):
    """Each rule with its path and what somebody typed there, with a good token."""
    paths = [(rule, path_of(rule, victim)) for rule in POSTS]
    return [(rule, path, filled(form_to(victim, path))) for rule, path in paths]


@pytest.fixture
def attack(app, victim, typed):
    """attack(change) sends every form spoilt: each is refused and shown again; nothing changes."""

    def send(change, **headers):
        for rule, path, fields in typed:
            before = dump(app)
            page = victim.post(path, change(dict(fields)), **headers)
            assert dump(app) == before, f"{rule} changed something"
            refused_and_shown_again(rule, page, fields)

    return send


def refused_and_shown_again(rule, page, typed):
    assert page.status == 400, f"{rule}: {page.status}"
    assert page.summary, f"{rule}: nothing is said"
    assert SECRET not in page.html
    assert CODE not in page.html
    shown = page.form(page.path)
    for name in set(typed) - HIDDEN - {"action"}:
        assert shown.fields.get(name) == typed[name], f"{rule}: {name} is lost"


def test_csrf_01_there_are_buttons_to_press():
    assert len(POSTS) >= 15


def test_csrf_01_forged_posts_change_nothing(app, attack):
    foreign = Visitor(app).get("/sign-in").form("/sign-in").fields["csrf_token"]
    attack(lambda fields: {key: each for key, each in fields.items() if key != "csrf_token"})
    attack(lambda fields: fields | {"csrf_token": ""})
    attack(lambda fields: fields | {"csrf_token": foreign})
    attack(lambda fields: fields | {"csrf_token": fields["csrf_token"][:-1] + "\N{SNOWMAN}"})


@pytest.mark.parametrize(
    "origin", [EVIL, "http://127.0.0.1.evil.example", "http://[x", "evil", "null"]
)
def test_csrf_01_posts_from_other_sites_change_nothing(attack, origin):
    attack(dict, Origin=origin, Sec_Fetch_Site="cross-site")


def test_csrf_01_a_stale_token_changes_nothing(attack, time):
    time.pass_(seconds=61)
    attack(dict)


def test_csrf_01_other_bodies_and_methods_change_nothing(app, victim, typed):
    before = dump(app)
    for rule, path, fields in typed:
        other_bodies(victim, path, fields)
        other_methods(victim, rule, path, fields)
    assert dump(app) == before


def other_bodies(victim, path, fields):
    plain = "&".join(f"{name}={value}" for name, value in fields.items())
    for kind in ("text/plain", "application/json", "application/xml", "x"):
        assert victim.post(path, plain, kind=kind).status == 400, f"{path} as {kind}"


def other_methods(victim, rule, path, fields):
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        answer = victim.client.open(path, method=method, data=fields, base_url=victim.site)
        assert answer.status_code == 405, f"{method} {path}"
    override = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method": "POST"}
    for headers in ({}, override):
        query = fields | {"_method": "POST", "_http_method": "POST"}
        answer = victim.client.get(path, query_string=query, headers=headers, base_url=victim.site)
        assert answer.status_code in ((200, 303) if "GET" in rule.methods else (405,)), path


def test_csrf_01_a_form_page_without_referrer_is_trusted_only_with_the_browsers_word(victim):
    """`Origin: null` is what a page with no-referrer sends; so does a sandboxed frame."""
    link = victim.links["/recover/link/"]
    token = victim.get(link).form(link).fields["csrf_token"]
    sent = {"csrf_token": token, "action": "show-code"}
    for site in ("cross-site", "same-site", "none", ""):
        assert victim.post(link, sent, Origin="null", Sec_Fetch_Site=site).status == 400, site
    without = {"action": "show-code"}
    assert victim.post(link, without, Origin="null", Sec_Fetch_Site="same-origin").status == 400
    assert victim.post(link, sent, Origin="null", Sec_Fetch_Site="same-origin").status == 200


def test_csrf_01_the_token_of_before_is_worth_nothing_after_signing_in(app, ann):
    browser = Visitor(app)
    old = browser.get("/sign-in").form("/sign-in").fields["csrf_token"]
    sign_in(browser, ann.email)
    assert browser.post("/sign-out", {"csrf_token": old}).status == 400
    assert browser.get("/profile").status == 200


def test_csrf_01_there_is_no_answer_for_other_sites_to_read(inside):
    for origin in (EVIL, "null"):
        for path in ("/profile", "/recover/status", "/dev/mailbox.json", "/static/css/portal.css"):
            answer = inside.get(path, checked=False, Origin=origin)
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_csrf_01_a_picture_without_token_is_not_even_looked_at(inside):
    token_less = {"picture": (PICTURE, "me.png")}
    inside.get("/profile")
    page = inside.submit("/profile/picture", csrf_token=None, **token_less)
    assert page.status == 400
    assert page.form("/profile/name").fields["full_name"] == "Ann Miller"
