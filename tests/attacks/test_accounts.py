# ruff: noqa: E501 - tables, as wide as their texts
"""Whose account, whose password, whose sign-in: taking them away from their owner."""

import base64

import pytest
from itsdangerous import URLSafeTimedSerializer

from tests.attacks.conftest import block, dump
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, sign_in
from tests.rigs.visitor import Visitor

NEW = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
EVE = "velvet thunder monday"


def people(app):
    return [row[2] for row in dump(app)["person"]]


def sign_up_as(browser, email, password=PASSWORD, **more):
    browser.get("/sign-up")
    wish = {"full_name": "Ann Miller", "email": email, "password": password}
    return browser.submit("/sign-up", **wish, confirm_password=password, **more)


# ------------------------------------------------------------------ signing up

SAME = [
    "ANN@EXAMPLE.ORG", "Ann@Example.Org", " ann@example.org ", "\tann@example.org", "ann@example.org\n",
    "ann@\N{FULLWIDTH LATIN SMALL LETTER E}xample.org",
]  # fmt: skip
NO_ADDRESS = [
    "ann@example.org.", "ann @example.org", "ann@ example.org", "a\u0301nn@example.org", "ánn@example.org",
    "ann\u200d@example.org", "ann@example..org", ".ann@example.org", "ann.@example.org", "ann@localhost",
    "ann@[192.0.2.1]", '"ann"@example.org', "ann@example.org\0", "ａnn@example.org",
]  # fmt: skip


def test_signup_01_another_way_to_write_an_address_is_no_second_account(app, ann, time):
    for typed in SAME:
        time.pass_(hours=5)
        assert sign_up_as(Visitor(app), typed).location == "/sign-up/code", ascii(typed)
        assert people(app) == ["ann@example.org"]
        assert sign_in(Visitor(app), typed).location == "/profile", ascii(typed)


def test_signup_01_what_could_be_taken_for_an_address_is_refused(app, visitor):
    for typed in NO_ADDRESS:
        page = sign_up_as(visitor, typed)
        assert page.status == 422, ascii(typed)
        assert page.errors["email"].startswith("Enter an email address")
    assert people(app) == []


def test_signup_01_all_ways_to_write_a_name_of_a_host_are_one(app, post, time):
    for host in (
        "bücher.example",
        "BÜCHER.example",
        "bu\u0308cher.example",
        "xn--bcher-kva.example",
    ):
        assert sign_up_as(Visitor(app), f"ann@{host}").location == "/sign-up/code"
        time.pass_(seconds=61)
    assert people(app) == ["ann@xn--bcher-kva.example"]
    assert {mail.to for mail in post.deliver()} == {"ann@xn--bcher-kva.example"}


def test_signup_01_dots_and_signs_before_the_at_are_the_providers_business(app):
    for local in ("annmiller", "ann.miller", "ann+miller"):
        sign_up_as(Visitor(app), f"{local}@example.org")
    assert len(people(app)) == 3


@pytest.mark.parametrize("proof", ["code", "link", "recovery"])
@pytest.mark.parametrize("order", ["eve first", "eve last", "eve around"])
def test_signup_02_who_signs_up_somebody_elses_address_gets_nothing(app, post, time, order, proof):
    """Whatever the order: the owner's proof leaves the account to the owner alone."""
    eve, owner = Visitor(app, address="192.0.2.50"), Visitor(app)

    def by_eve():
        sign_up_as(eve, "ann@example.org", EVE)
        post.deliver()
        time.pass_(seconds=61)

    if order != "eve last":
        by_eve()
    sign_up_as(owner, "ann@example.org")
    post.deliver()
    time.pass_(seconds=61)
    if order != "eve first":
        by_eve()
    mail = post.newest("ann@example.org")
    proves(owner, post, proof)
    assert eve.get("/profile").location == "/sign-in"
    time.pass_(minutes=20)
    page = sign_in(eve, "ann@example.org", EVE)
    assert page.location in (None, "/sign-up/code")
    assert eve.get("/profile").location == "/sign-in"
    eve.get("/sign-up/code")
    token = eve.get("/sign-in").form("/sign-in").fields["csrf_token"]
    page = eve.post("/sign-up/code", {"code": mail.code, "csrf_token": token})
    assert page.location in (None, "/sign-up")
    assert eve.get("/profile").location == "/sign-in"


def proves(owner, post, proof):
    """Like somebody who reads the newest mail."""
    mail = post.newest("ann@example.org")
    if proof == "recovery":
        ask(owner, "ann@example.org")
        mail = post.newest("ann@example.org")
    path = {"code": "/sign-up/code", "link": mail.link, "recovery": "/recover/code"}[proof]
    owner.get(path)
    owner.submit(path, **({} if proof == "link" else {"code": mail.code}))
    if owner.page.location == "/auth/password-reset":
        owner.follow()
        assert owner.submit("/auth/password-reset", **NEW).location == "/sign-in"


def test_signup_02_before_the_proof_the_right_password_opens_nothing(app, post, time):
    eve = Visitor(app)
    sign_up_as(eve, "ann@example.org", EVE)
    assert sign_in(eve, "ann@example.org", EVE).location == "/sign-up/code"
    for path in ("/profile", "/security", "/security/password"):
        assert "/sign-in" in eve.get(path).location
    assert dump(app)["session"] == []


# ------------------------------------------------------------------ passwords

WEAK = [
    "Password1!", "P@ssw0rd123", "Summer2026!", "Qwerty123!", "Welcome2026!", "1qaz@WSX", "Admin123!",
    "Iloveyou1!", "Football1!", "Drowssap1!", "Latchkey2026!", "Letmein1!", "Zaq12wsx!", "Abcd1234!",
]  # fmt: skip
OWN = [
    "Ann.Miller7",
    "Rellim!2026x",
    "Mi11er!Garden",
    "x4nnmi113r!X",
    "Yekhctal!7x",
    "Kellner.Post9",
]


@pytest.mark.parametrize("password", WEAK + OWN)
def test_pw_01_pw_02_common_and_personal_passwords_are_refused_with_a_reason(
    app, visitor, password
):
    page = sign_up_as(visitor, "kellner@example.org", password)
    assert page.status == 422, password
    assert len(page.errors["password"]) > 20
    assert people(app) == []


STRONG = [
    "correct-horse7 Staple", "copper lantern tuesday", "wüste Kamele trinken nie", "日本語の長いパスワードを使いますとてもね、そう",
    "🦔🦉🐢🐌🦂🐡🦚🦜🐾🪲🦋🐞🕷🦗🐜🪰🪱🦠🐚🪸", "tR4!vx9-Kq2", "  spaces  at  both  ends  ", "x" * 3 + "Q7!" + "zv%Lp2" * 20,
]  # fmt: skip


@pytest.mark.parametrize("password", STRONG)
def test_pw_05_long_and_foreign_passwords_are_taken_and_open_the_door(app, visitor, post, password):
    password = password[:128]
    page = sign_up_as(visitor, "kellner@example.org", password)
    assert page.location == "/sign-up/code", page.errors
    visitor.follow()
    visitor.submit("/sign-up/code", code=post.newest().code)
    assert sign_in(Visitor(app), "kellner@example.org", password).location == "/profile"
    assert sign_in(Visitor(app), "kellner@example.org", password[:-1]).status == 422
    assert sign_in(Visitor(app), "kellner@example.org", password.swapcase() + "x").status == 422


def test_pw_05_composed_and_decomposed_are_the_same_password(app, visitor, post):
    composed, apart = "w\u00fcste Kamele trinken nie", "wu\u0308ste Kamele trinken nie"
    sign_up_as(visitor, "kellner@example.org", composed)
    visitor.follow()
    visitor.submit("/sign-up/code", code=post.newest().code)
    assert sign_in(Visitor(app), "kellner@example.org", apart).location == "/profile"


def test_login_09_a_password_beyond_the_limit_is_refused_before_anything_slow(app, visitor, ann):
    for length in (129, 1_000, 20_000):
        assert sign_in(visitor, ann.email, "x" * length).status == 422
        page = sign_up_as(visitor, "kellner@example.org", "x" * length)
        assert page.errors["password"].startswith("Use at most 128")


# ------------------------------------------------------------------ signing in


def test_login_01_the_limits_trip_at_the_documented_counts(app, ann, time):
    browser = Visitor(app, address="203.0.113.9")
    tries = [sign_in(browser, ann.email, EVE).status for _ in range(12)]
    assert tries == [422] * 10 + [429] * 2
    assert int(browser.page.headers["Retry-After"]) <= 300
    assert sign_in(browser, ann.email).status == 429
    assert sign_in(Visitor(app, address="203.0.114.9"), ann.email, EVE).status == 422
    sprayed = [sign_in(browser, f"a{number}@example.org", EVE).status for number in range(92)]
    assert sprayed == [422] * 90 + [429] * 2
    assert int(browser.page.headers["Retry-After"]) <= 900
    time.pass_(seconds=901)
    assert sign_in(browser, ann.email).location == "/profile"


def test_login_01_right_passwords_use_nothing_up(app, ann):
    browser = Visitor(app)
    browser.client.delete_cookie("latchkey-device", domain="127.0.0.1")
    for _ in range(15):
        assert sign_in(Visitor(app), ann.email).location == "/profile"


def test_login_02_failures_of_others_never_keep_out_the_owner(app, inside, post, ann, time):
    """On a known device, from the very network of the attacker; or by the link, from anywhere."""
    inside.get("/profile")
    inside.submit("/sign-out")
    eve = Visitor(app, address=inside.address)
    for number in range(120):
        sign_in(eve, ann.email if number < 15 else f"a{number}@example.org", EVE)
    assert eve.page.status == 429
    assert sign_in(inside, ann.email).location == "/profile"
    stranger = Visitor(app, address=inside.address)
    ask(stranger, ann.email)
    code = f"{(int(post.newest().code) + 1) % 1_000_000:06d}"
    for _ in range(9):
        stranger.get("/recover/code")
        stranger.submit("/recover/code", code=code)
    owner, link = Visitor(app, address=inside.address), post.newest().link
    owner.get(link)
    assert owner.submit(link, action="continue").location == "/auth/password-reset"


def test_login_02_a_device_is_known_for_its_own_person_and_until_a_reset(
    app, inside, post, sign_up
):
    sign_up("bob@example.org", "Bob Hill")
    inside.get("/profile")
    inside.submit("/sign-out")
    tries = [sign_in(inside, "bob@example.org", EVE).status for _ in range(11)]
    assert tries[-1] == 429
    assert sign_in(inside, "ann@example.org").location == "/profile"
    eve = Visitor(app)
    eve.client.set_cookie("latchkey-device", "A" * 43, domain="127.0.0.1")
    tries = [sign_in(eve, "ann@example.org", EVE).status for _ in range(11)]
    assert tries[-1] == 429


@pytest.mark.parametrize(
    "claim", ["192.0.2.{}", "10.0.0.{}", "x{}", "192.0.2.{}, 10.1.1.1", "::{}"]
)
def test_login_03_a_claimed_address_is_worth_nothing_from_anybody(app, ann, claim):
    browser = Visitor(app, address="203.0.113.9")
    for number in range(11):
        browser.headers["X-Forwarded-For"] = claim.format(number)
        page = sign_in(browser, ann.email, EVE)
    assert page.status == 429


def test_login_03_behind_a_proxy_the_nearest_unknown_address_counts(make_app, sign_up, app, ann):
    app = make_app(TRUSTED_PROXIES="10.0.0.0/8")
    browser = Visitor(app, address="10.0.0.1")
    for number in range(11):
        browser.headers["X-Forwarded-For"] = f"192.0.{number}.1, 203.0.113.9, 10.0.0.{number}"
        page = sign_in(browser, ann.email, EVE)
    assert page.status == 429
    browser.headers["X-Forwarded-For"] = "203.0.113.9, 198.51.100.9"
    assert sign_in(browser, ann.email, EVE).status == 422


# ------------------------------------------------------------------ sign-ins


def test_session_02_session_03_a_copied_cookie_is_dead_after_signing_out(app, inside):
    copied = {name: inside.cookie(name) for name in ("latchkey", "latchkey-form")}
    inside.get("/profile")
    copied["latchkey-form"] = inside.cookie("latchkey-form")
    assert inside.submit("/sign-out").location == "/sign-in"
    thief = Visitor(app)
    for name, value in copied.items():
        thief.client.set_cookie(name, value, domain="127.0.0.1")
    assert thief.get("/profile").location == "/sign-in"


@pytest.mark.parametrize("event", ["password change", "block", "reset"])
def test_session_02_other_sign_ins_end_at_once(app, inside, post, ann, event):
    other = Visitor(app, address="192.0.2.70")
    sign_in(other, ann.email, remember=True)
    old = inside.cookie("latchkey")
    if event == "password change":
        inside.get("/security/password")
        inside.submit("/security/password", old_password=PASSWORD, **NEW)
        assert inside.cookie("latchkey") != old
        assert inside.get("/profile").status == 200
    elif event == "block":
        block(app, ann.email)
        assert inside.get("/profile").location == "/sign-in"
        assert sign_in(inside, ann.email).status == 422
    else:
        ask(inside, ann.email)
        inside.follow()
        inside.submit("/recover/code", code=post.newest(ann.email).code)
        inside.follow()
        inside.submit("/auth/password-reset", **NEW)
    assert other.get("/profile").location == "/sign-in"
    thief = Visitor(app)
    thief.client.set_cookie("latchkey", old, domain="127.0.0.1")
    assert thief.get("/profile").location == "/sign-in"


def test_session_04_a_cookie_signed_with_a_guessed_key_is_nothing(app, ann):
    """Neither the sign-in, which is no signed thing at all, nor a grant."""
    visitor = Visitor(app)
    for key in ("secret", "changeme", "dev", "", "latchkey"):
        forged = URLSafeTimedSerializer(
            key or "x", salt="cookie-session", signer_kwargs={"key_derivation": "hmac"}
        ).dumps({"_user_id": "1", "grant": "x", "recovery": "x"})
        for name in ("latchkey", "latchkey-form", "session"):
            visitor.client.set_cookie(name, forged, domain="127.0.0.1")
        assert visitor.get("/profile").location == "/sign-in"
        assert visitor.get("/auth/password-reset").location == "/recover"


def test_session_04_what_the_database_keeps_is_no_cookie(app, inside):
    thief = Visitor(app)
    for row in dump(app)["session_secret"] + dump(app)["session"]:
        for value in row:
            thief.client.set_cookie("latchkey", str(value), domain="127.0.0.1")
            assert thief.get("/profile").location == "/sign-in"


def test_session_a_cookie_planted_before_signing_in_is_not_the_one_afterwards(app, ann):
    victim, eve = Visitor(app), Visitor(app, address="192.0.2.71")
    eve.get("/sign-in")
    planted = {"latchkey": "A" * 43, "latchkey-form": eve.cookie("latchkey-form")}
    for name, value in planted.items():
        victim.client.set_cookie(name, value, domain="127.0.0.1")
        eve.client.set_cookie(name, value, domain="127.0.0.1")
    assert sign_in(victim, ann.email).location == "/profile"
    assert victim.cookie("latchkey") != planted["latchkey"]
    assert eve.get("/profile").location == "/sign-in"


def test_session_signing_in_again_ends_the_sign_in_before(app, inside, ann):
    old = inside.cookie("latchkey")
    sign_in(inside, ann.email)
    thief = Visitor(app)
    thief.client.set_cookie("latchkey", old, domain="127.0.0.1")
    assert inside.cookie("latchkey") != old
    assert thief.get("/profile").location == "/sign-in"


@pytest.mark.parametrize("remember", [False, True])
def test_session_a_sign_in_ends_idle_and_absolutely(app, ann, time, remember):
    browser = Visitor(app)
    sign_in(browser, ann.email, remember=remember)
    idle, absolute = (30 * 86_400, 30 * 86_400) if remember else (1800, 43_200)
    time.pass_(seconds=idle - 5)
    assert browser.get("/profile").status == 200
    time.pass_(seconds=idle + 1)
    assert browser.get("/profile").location == "/sign-in"
    sign_in(browser, ann.email, remember=remember)
    for _ in range(int(absolute / (idle / 2)) - 1):
        time.pass_(seconds=idle / 2)
        assert browser.get("/profile").status == 200
    time.pass_(seconds=idle / 2 + 1)
    assert browser.get("/profile").location == "/sign-in"


def test_session_cookies_are_out_of_reach_of_script_and_other_sites(make_app, app, ann):
    secure = make_app(
        PUBLIC_URL="https://account.example.org", EMAIL_BACKEND="smtp", BCRYPT_COST="10",
        ALLOWED_HOSTS="account.example.org",
    )  # fmt: skip
    for portal, start in ((app, "latchkey"), (secure, "__Host-latchkey")):
        browser = Visitor(portal)
        browser.get("/sign-in")
        lines = browser.page.headers.getlist("Set-Cookie")
        page = sign_in(browser, ann.email)
        assert page.location == "/profile"
        lines += page.headers.getlist("Set-Cookie")
        assert {line.partition("=")[0] for line in lines} == {
            start,
            f"{start}-form",
            f"{start}-device",
        }
        for line in lines:
            assert "HttpOnly" in line
            assert "SameSite=Lax" in line
            assert "Path=/" in line
            assert "Domain" not in line
            assert ("Secure" in line) == (portal is secure)


def test_session_the_form_cookie_holds_nothing_of_the_sign_in(inside):
    inside.get("/profile")
    payload = inside.cookie("latchkey-form").partition(".")[0]
    plain = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    assert b"csrf_token" in plain
    assert inside.cookie("latchkey").encode() not in plain
    assert b"ann" not in plain


def test_login_03_an_address_told_as_ipv6_counts_as_what_it_is(app, ann):
    """A server that listens on both kinds tells IPv4 as ::ffff:a.b.c.d; these must not be one /64."""
    for _ in range(10):
        sign_in(Visitor(app, address="::ffff:192.0.2.7"), ann.email, "wrong password")
    assert sign_in(Visitor(app, address="192.0.2.8"), ann.email).status == 429
    assert sign_in(Visitor(app, address="::ffff:203.0.113.8"), ann.email).location == "/profile"
