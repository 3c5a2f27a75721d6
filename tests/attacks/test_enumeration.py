"""Nobody learns whether an address has an account: not from words, headers, limits or work."""

import re

import bcrypt
import pytest

from tests.attacks.conftest import KINDS, Strangers
from tests.conftest import OTHER_PASSWORD, PASSWORD, open_account, sign_in
from tests.rigs.visitor import Visitor

WISH = {"full_name": "Zed Zero", "password": PASSWORD, "confirm_password": PASSWORD}
WRONG = "000000"


def guess(strangers, path, times, code=WRONG):
    """Wrong codes, and a look at the page in between.  -> the statuses."""
    statuses = []
    for _ in range(times):
        strangers.open(path)
        statuses.append(strangers.send(path, code=code).status)
    return statuses


def test_enum_05_signing_up_looks_the_same_for_a_taken_address(strangers, post, time):
    strangers.open("/sign-up")
    assert strangers.send("/sign-up", email="{}", **WISH).location == "/sign-up/code"
    strangers.follow()
    post.deliver()
    time.pass_(seconds=3)
    assert guess(strangers, "/sign-up/code", 7) == [422] * 5 + [429] * 2
    strangers.open("/sign-up/code")
    assert strangers.send("/sign-up/resend").status == 429
    time.pass_(seconds=301)  # the account's own wait is over, the code's tries are not
    assert guess(strangers, "/sign-up/code", 6) == [429] * 6
    time.pass_(seconds=301)  # the code has run out
    assert 422 in guess(strangers, "/sign-up/code", 6)
    strangers.open("/sign-up/code")
    assert strangers.send("/sign-up/resend").location == "/sign-up/code"
    strangers.follow()
    post.deliver()
    time.pass_(seconds=400)
    assert guess(strangers, "/sign-up/code", 2) == [422] * 2
    strangers.open("/sign-up")
    strangers.send("/sign-up", email="{}", **WISH)


def test_enum_05_the_owner_of_a_taken_address_gets_a_notice_and_no_code(strangers, post):
    strangers.open("/sign-up")
    strangers.send("/sign-up", email="{}", **WISH)
    mail = post.newest(KINDS["known"])
    assert "already have" in mail.subject
    with pytest.raises(AssertionError, match="No code"):
        _ = mail.code
    assert "Zed" not in mail.text + mail.html


@pytest.mark.parametrize("password", [OTHER_PASSWORD, "x", "é" * 73, "a" * 128, "a" * 5000])
def test_enum_01_enum_07_a_wrong_password_looks_the_same_for_everyone(strangers, password):
    strangers.open("/sign-in")
    page = strangers.send("/sign-in", email="{}", password=password)
    assert page.status == 422
    assert "do not match" in page.errors["email"]


def test_enum_01_waiting_after_wrong_passwords_looks_the_same_for_everyone(strangers, time):
    statuses = []
    for _ in range(12):
        strangers.open("/sign-in")
        statuses.append(strangers.send("/sign-in", email="{}", password=OTHER_PASSWORD).status)
    assert statuses == [422] * 10 + [429] * 2
    time.pass_(seconds=301)
    strangers.open("/sign-in")
    assert strangers.send("/sign-in", email="{}", password=OTHER_PASSWORD).status == 422


def test_enum_01_recovery_looks_the_same_for_everyone(strangers, post, time):
    strangers.open("/recover")
    assert strangers.send("/recover", identifier="{}").location == "/recover/code"
    strangers.follow()
    assert strangers.open("/recover/status").json["state"] == "waiting"
    assert guess(strangers, "/recover/code", 1) == [422]
    time.pass_(seconds=3)
    post.deliver()
    assert strangers.open("/recover/status").json["state"] == "sent"
    assert guess(strangers, "/recover/code", 6) == [422] * 4 + [429] * 2
    strangers.open("/recover/code")
    assert strangers.send("/recover/resend").status == 429
    strangers.open("/recover")
    assert strangers.send("/recover", identifier="{}").status == 429
    time.pass_(seconds=301)
    guess(strangers, "/recover/code", 7)
    strangers.open("/recover/code")
    assert strangers.send("/recover/resend").location == "/recover/code"
    strangers.follow()
    post.deliver()
    strangers.open("/recover/status")
    time.pass_(seconds=301)
    assert guess(strangers, "/recover/code", 2) == [422] * 2
    time.pass_(seconds=901)
    assert strangers.open("/recover/code").location == "/recover"
    assert strangers.open("/recover/status").location == "/recover"


def test_enum_01_the_caps_on_messages_look_the_same_for_everyone(strangers, post, time):
    statuses = []
    for _ in range(7):
        strangers.open("/recover")
        statuses.append(strangers.send("/recover", identifier="{}").status)
        post.deliver()
        time.pass_(seconds=61)
    assert statuses == [303] * 5 + [429] * 2
    strangers.open("/sign-up")
    assert strangers.send("/sign-up", email="{}", **WISH).status == 429


def _presses_the_link(owner, mail):
    owner.get(mail.link)
    assert owner.submit(mail.link, action="continue").status == 303


def _shows_a_code(owner, mail):
    owner.get(mail.link)
    assert owner.submit(mail.link, action="show-code").status == 200


def _finishes(owner, mail):
    _presses_the_link(owner, mail)
    owner.follow()
    new = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    assert owner.submit("/auth/password-reset", **new).location == "/sign-in"


def _signs_in(owner, _mail):
    assert sign_in(owner, KINDS["known"]).location == "/profile"


def _changes_the_password(owner, mail):
    _signs_in(owner, mail)
    owner.get("/security/password")
    new = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    assert owner.submit("/security/password", old_password=PASSWORD, **new).status == 303


ACTS = [_presses_the_link, _shows_a_code, _finishes, _signs_in, _changes_the_password]


@pytest.mark.parametrize("early", [0, 3])
@pytest.mark.parametrize("act", ACTS)
def test_enum_01_what_the_owner_does_elsewhere_is_not_seen(app, strangers, post, time, act, early):
    """The one who asked keeps seeing what somebody who asked for nobody's address sees."""
    strangers = Strangers(app, ("known", "unknown"))
    strangers.open("/recover")
    strangers.send("/recover", identifier="{}")
    mail = post.newest(KINDS["known"])
    strangers.follow()
    guess(strangers, "/recover/code", early)
    time.pass_(seconds=302)
    act(Visitor(app, address="192.0.2.77"), mail)
    post.deliver()
    strangers.open("/recover/status")
    guess(strangers, "/recover/code", 7)
    time.pass_(seconds=20)
    strangers.open("/recover/status")
    strangers.open("/recover/code")
    assert strangers.send("/recover/resend").location == "/recover/code"
    strangers.follow()
    post.deliver()
    strangers.open("/recover/status")
    time.pass_(seconds=300)
    guess(strangers, "/recover/code", 2)


def test_enum_01_a_right_code_after_the_owner_came_in_is_only_wrong(app, strangers, post, time):
    strangers = Strangers(app, ("known", "unknown"))
    strangers.open("/recover")
    strangers.send("/recover", identifier="{}")
    mail = post.newest(KINDS["known"])
    strangers.follow()
    _finishes(Visitor(app, address="192.0.2.77"), mail)
    assert strangers.send("/recover/code", code=mail.code).status == 422


def test_enum_01_a_proof_by_the_owner_is_not_seen_by_who_signed_the_address_up(app, time, post):
    strangers = Strangers(app, ("unproven", "unknown"))
    strangers.open("/sign-up")
    strangers.send("/sign-up", email="{}", **WISH)
    mail = post.newest(KINDS["unproven"])
    strangers.follow()
    owner = Visitor(app, address="192.0.2.77")
    owner.get(mail.link)
    assert owner.submit(mail.link).location == "/auth/password-reset"
    strangers.open("/sign-up/code")
    guess(strangers, "/sign-up/code", 6)
    time.pass_(seconds=301)
    guess(strangers, "/sign-up/code", 3)
    strangers.send("/sign-up/resend")


@pytest.mark.parametrize("way_in", ["/recover", "/sign-in"])
def test_enum_01_two_flows_in_one_browser_tell_nothing(strangers, post, time, way_in):
    """An own sign-up first, then somebody else's address in another form, then "send again"."""
    for number, browser in enumerate(strangers.browsers.values()):
        open_account(browser, f"spy{number}@example.org")
    post.deliver()
    time.pass_(hours=2)
    strangers.do(lambda browser, _address: hide_spy(browser.get(way_in)))
    typed = {"/recover": {"identifier": "{}"}, "/sign-in": {"email": "{}", "password": "wrong"}}
    strangers.send(way_in, **typed[way_in])
    before = mails(post)
    time.pass_(seconds=61)
    strangers.do(lambda browser, _address: hide_spy(browser.get("/sign-up/code")))
    page = strangers.do(lambda browser, _address: hide_spy(browser.submit("/sign-up/resend")))
    assert page.location == "/sign-up/code"
    page = strangers.do(lambda browser, _address: hide_spy(browser.follow()))
    assert "spy@example.org" in page.text
    assert mails(post) == before


def test_enum_01_a_resend_takes_no_address_of_another_flow(app, post, time, ann):
    """As if somebody could change what the browser remembers of the address."""
    spy = Visitor(app)
    open_account(spy, "spy@example.org")
    post.deliver()
    time.pass_(seconds=61)
    for address in ann.email, "nobody@example.org":
        with spy.client.session_transaction(base_url=spy.site) as kept:
            kept["sign-up-address"] = address
        spy.get("/sign-up/code")
        assert spy.submit("/sign-up/resend").location == "/sign-up"
        assert "already have" not in post.newest().subject


def hide_spy(page):
    """Each browser's own address is its own."""
    page.body = re.sub(rb"spy\d@", b"spy@", page.body)
    return page


def mails(post):
    """How many messages each kind of address got."""
    got = [mail.to for mail in post.deliver()]
    return {kind: got.count(address) for kind, address in KINDS.items()}


def test_enum_01_a_blocked_account_gets_no_way_back_in(strangers, post):
    before = mails(post)
    strangers.open("/recover")
    strangers.send("/recover", identifier="{}")
    got = {kind: count - before[kind] for kind, count in mails(post).items()}
    assert got == {"known": 1, "unproven": 1, "blocked": 0, "unknown": 0}


def test_enum_02_no_kind_of_address_sets_another_cookie(strangers):
    strangers.open("/recover")
    strangers.send("/recover", identifier="{}")
    names = [list(browser.client._cookies) for browser in strangers.browsers.values()]
    assert all(each == names[0] for each in names)


# ------------------------------------------------------------------ the same work for everyone


@pytest.fixture
def hashes(monkeypatch):
    """Every bcrypt that is computed."""
    done, real = [], bcrypt.hashpw

    def counted(password, salt):
        done.append(salt)
        return real(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", counted)
    return done


def counted(hashes, act):
    hashes.clear()
    act()
    return [salt[:7] for salt in hashes]


@pytest.mark.parametrize(
    "path, typed, cost",
    [
        ("/sign-in", {"email": "{}", "password": OTHER_PASSWORD}, 1),
        ("/sign-in", {"email": "{}", "password": "x" * 129}, 0),
        ("/sign-up", {"email": "{}", **WISH}, 1),
        ("/recover", {"identifier": "{}"}, 0),
    ],
)
def test_enum_03_enum_04_every_kind_of_address_costs_as_many_hashes(
    strangers, hashes, path, typed, cost
):
    done = {}
    for kind, browser in strangers.browsers.items():
        browser.get(path)
        sent = {name: value.format(KINDS[kind]) for name, value in typed.items()}
        done[kind] = counted(hashes, lambda: browser.submit(path, **sent))  # noqa: B023
    assert set(map(tuple, done.values())) == {tuple(done["unknown"])}
    assert len(done["unknown"]) == cost


@pytest.mark.parametrize("story", ["recover", "sign-up"])
def test_enum_04_codes_and_resending_cost_no_hash(strangers, hashes, post, time, story):
    strangers.open(f"/{story}")
    typed = {"identifier": "{}"} if story == "recover" else {"email": "{}", **WISH}
    strangers.send(f"/{story}", **typed)
    post.deliver()
    time.pass_(seconds=61)
    hashes.clear()
    strangers.open(f"/{story}/code")
    strangers.send(f"/{story}/code", code=WRONG)
    strangers.send(f"/{story}/resend")
    assert hashes == []


def test_enum_04_nothing_is_handed_over_inside_a_request(strangers, post):
    before = len(post.deliver())
    strangers.open("/recover")
    strangers.send("/recover", identifier="{}")
    caught = post.app.test_client().get("/dev/mailbox.json").json
    assert len(caught) == before
    assert len(post.deliver()) > before
