"""SMS: nobody earns by ours, nobody learns by them, nobody gets a number that is not theirs."""

import re

import bcrypt
import pytest

from tests.attacks.conftest import KINDS, Strangers, dump
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.policy.world import ANN, NUMBER, OTHER_NUMBER, PHONE, World, type_code, wrong
from tests.rigs.visitor import Visitor

CODE, RESEND, REMOVE = f"{PHONE}/code", f"{PHONE}/resend", f"{PHONE}/remove"
CONFIRM = f"/security/confirm?next={PHONE}"
BOB = "bob@example.org"
NUMBERS = {
    "known": "+447400111001",
    "blocked": "+447400222002",
    "wanted": "+447400333003",
    "unknown": "+447400444004",
}
ABROAD = {"known": "+79123456789", "unknown": "+79123456780"}
NEW = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def callers(app, world, strangers):
    """Four browsers and a number each: somebody's, a blocked person's, only wanted, nobody's."""
    owned = "UPDATE person SET phone = :number WHERE email = :mail"
    for kind in "known", "blocked":
        world.write(owned, number=NUMBERS[kind], mail=KINDS[kind])
    wanted = "UPDATE person SET phone_wanted = :number WHERE email = :mail"
    world.write(wanted, number=NUMBERS["wanted"], mail=KINDS["unproven"])
    return Strangers(app, tuple(NUMBERS), NUMBERS)


@pytest.fixture
def inside(world, ann):
    """Ann's browser, her number proven."""
    browser = world.inside()
    world.add_phone(browser)
    return browser


def guess(callers, times, code="000000"):
    """Wrong codes, and a look at the page in between.  -> the statuses."""
    statuses = []
    for _ in range(times):
        callers.open("/recover/code")
        statuses.append(callers.send("/recover/code", code=code).status)
    return statuses


def sms(world):
    """To whom SMS went, oldest first."""
    world.post.deliver()
    return [
        to for (to,) in world.rows("SELECT \"to\" FROM mailbox WHERE channel = 'sms' ORDER BY id")
    ]


# ------------------------------------------------------------------ nobody learns whose it is


def test_enum_01_recovery_by_number_looks_the_same_for_everyone(callers, post, time):
    callers.open("/recover")
    assert callers.send("/recover", identifier="{}").location == "/recover/code"
    callers.follow()
    assert callers.open("/recover/status").json["state"] == "waiting"
    assert guess(callers, 1) == [422]
    time.pass_(seconds=3)
    post.deliver()
    assert callers.open("/recover/status").json["state"] == "sent"
    assert guess(callers, 6) == [422] * 4 + [429] * 2
    callers.open("/recover/code")
    assert callers.send("/recover/resend").status == 429
    callers.open("/recover")
    assert callers.send("/recover", identifier="{}").status == 429
    time.pass_(seconds=301)
    guess(callers, 7)
    callers.open("/recover/code")
    assert callers.send("/recover/resend").location == "/recover/code"
    callers.follow()
    post.deliver()
    callers.open("/recover/status")
    time.pass_(seconds=301)
    assert guess(callers, 2) == [422] * 2
    time.pass_(seconds=901)
    assert callers.open("/recover/code").location == "/recover"


def test_enum_01_only_who_has_proven_a_number_and_may_come_in_gets_a_message(callers, world):
    callers.open("/recover")
    callers.send("/recover", identifier="{}")
    assert sms(world) == [NUMBERS["known"]]


def test_enum_01_the_caps_on_sms_look_the_same_for_everyone(callers, post, time):
    statuses = []
    for _ in range(7):
        callers.open("/recover")
        statuses.append(callers.send("/recover", identifier="{}").status)
        post.deliver()
        time.pass_(minutes=13)
    assert statuses == [303] * 5 + [303, 429]
    time.pass_(hours=2)
    callers.open("/recover")
    assert callers.send("/recover", identifier="{}").status == 429  # six a day


def test_enum_01_every_kind_of_number_leaves_as_many_rows(app, callers, world, time):
    left = {}
    ask(world.visitor(), OTHER_NUMBER)  # the counts of everybody are there
    for kind, browser in callers.browsers.items():
        before = {name: len(rows) for name, rows in dump(app).items()}
        ask(browser, NUMBERS[kind])
        type_code(browser, "000000")
        left[kind] = {name: len(rows) - before[name] for name, rows in dump(app).items()}
    assert {kind: each for kind, each in left.items() if each != left["unknown"]} == {}
    assert left["unknown"]["challenge"] == left["unknown"]["outbox"] == 1
    queued = "SELECT recipe, channel, rank FROM outbox ORDER BY id DESC LIMIT 4"
    assert set(world.rows(queued)) == {("recovery_sms", "sms", 0)}


def test_enum_02_no_kind_of_number_sets_another_cookie(callers):
    callers.open("/recover")
    callers.send("/recover", identifier="{}")
    names = [list(browser.client._cookies) for browser in callers.browsers.values()]
    assert all(each == names[0] for each in names)


def test_enum_01_a_number_of_another_country_is_refused_whoever_has_it(app, world, strangers):
    """As if it had been proven while its country was on the list."""
    world.write(
        "UPDATE person SET phone = :number WHERE email = :mail", number=ABROAD["known"], mail=ANN
    )
    abroad = Strangers(app, tuple(ABROAD), ABROAD)
    abroad.open("/recover")
    page = abroad.send("/recover", identifier="{}")
    assert (page.status, set(page.errors)) == (422, {"identifier"})
    assert world.rows("SELECT id FROM challenge WHERE channel = 'sms'") == []


def test_enum_01_nothing_tells_that_a_number_and_an_address_are_one_accounts(callers, world, time):
    """A stranger uses up what is counted for the address, then looks at the numbers."""
    spy = Visitor(world.app, address="203.0.113.99")
    for _ in range(5):
        assert ask(spy, KINDS["known"]).status == 303
        code = world.post.newest(KINDS["known"]).code
        time.pass_(seconds=61)
    for step in range(5):
        type_code(spy, wrong(code, step + 1))
    assert type_code(spy, "000000").status == 429
    assert ask(spy, KINDS["known"]).status == 429
    callers.open("/recover")
    assert callers.send("/recover", identifier="{}").location == "/recover/code"
    world.post.deliver()
    assert guess(callers, 6) == [422] * 5 + [429]


def test_enum_01_nor_the_other_way_round(app, callers, world, time):
    for browser in callers.browsers.values():
        browser.get("/recover")
    for _ in range(5):
        callers.send("/recover", identifier="{}")
        callers.follow()
        guess(callers, 5)
        time.pass_(seconds=61)
        callers.open("/recover")
    addresses = Strangers(app, ("known", "unknown"))
    addresses.open("/recover")
    assert addresses.send("/recover", identifier="{}").location == "/recover/code"
    addresses.follow()
    assert addresses.send("/recover/code", code="000000").status == 422


def _finishes(owner, world, message):
    ask(owner, KINDS["known"])
    link = world.post.newest(KINDS["known"]).link
    owner.get(link)
    owner.submit(link, action="continue")
    owner.follow()
    assert owner.submit("/auth/password-reset", **NEW).location == "/sign-in"


def _signs_in(owner, world, message):
    assert sign_in(owner, KINDS["known"]).location == "/profile"


def _removes_the_number(owner, world, message):
    _signs_in(owner, world, message)
    owner.get(PHONE)
    assert owner.submit(REMOVE).location == PHONE


def _loses_the_number(owner, world, message):
    world.account(BOB, "Bob Hill")
    sign_in(owner, BOB)
    world.add_phone(owner, NUMBERS["known"])


@pytest.mark.parametrize("act", [_finishes, _signs_in, _removes_the_number, _loses_the_number])
def test_enum_01_what_becomes_of_the_number_elsewhere_is_not_seen(app, callers, world, time, act):
    callers = Strangers(app, ("known", "unknown"), NUMBERS)
    callers.open("/recover")
    callers.send("/recover", identifier="{}")
    message = world.post.newest(NUMBERS["known"])
    callers.follow()
    guess(callers, 2)
    time.pass_(seconds=302)
    act(Visitor(app, address="192.0.2.77"), world, message)
    world.post.deliver()
    callers.open("/recover/status")
    guess(callers, 5, code=message.code if act is not _loses_the_number else "000000")
    time.pass_(seconds=301)
    callers.open("/recover/code")
    assert callers.send("/recover/resend").location == "/recover/code"
    callers.follow()
    world.post.deliver()
    callers.open("/recover/status")
    guess(callers, 2)


def test_enum_03_enum_04_no_number_costs_a_hash(callers, world, monkeypatch):
    done, real = [], bcrypt.hashpw
    monkeypatch.setattr(bcrypt, "hashpw", lambda *args: done.append(1) or real(*args))
    callers.open("/recover")
    callers.send("/recover", identifier="{}")
    guess(callers, 2)
    assert done == []


def test_enum_01_a_taken_number_is_asked_for_like_a_free_one(app, callers, world, time):
    """Two people who are signed in wish for a number: one of somebody, one of nobody."""
    pages = {}
    for kind in "known", "unknown":
        world.account(f"{kind}@example.com", "Zed Zero")
        browser = world.inside(f"{kind}@example.com")
        browser.get(PHONE)
        seen = [browser.submit(PHONE, phone=NUMBERS[kind]), browser.follow()]
        code = world.post.newest(NUMBERS[kind]).code
        seen += [type_code(browser, wrong(code), CODE), type_code(browser, code, CODE)]
        seen.append(browser.follow())
        pages[kind] = [_plain(page, NUMBERS[kind]) for page in seen]
    assert pages["known"] == pages["unknown"]


def _plain(page, number):
    body = re.sub(r'(csrf_token" value=")[^"]+', r"\1", page.html)
    spaced = f"{number[:3]} {number[3:7]} {number[7:]}"
    return page.status, body.replace(number, "").replace(spaced, "")


# ------------------------------------------------------------------ nobody earns by what we pay


def test_signup_05_one_network_gets_thirty_sms_a_day(world, time):
    statuses = []
    for each in range(40):
        browser = Visitor(world.app, address=f"198.51.100.{each + 1}")
        statuses.append(ask(browser, f"+447{400 + each}123000").status)
        time.pass_(seconds=40)
    assert statuses == [303] * 30 + [429] * 10
    assert len(world.channels()) == 30


def test_signup_05_a_block_of_numbers_gets_thirty_sms_an_hour(world):
    """From as many networks as there are numbers."""
    pages = [
        ask(Visitor(world.app, address=f"203.{each}.0.4"), f"+44740077{each:04d}")
        for each in range(40)
    ]
    assert [page.status for page in pages] == [303] * 30 + [429] * 10
    assert all(int(page.headers["Retry-After"]) > 0 for page in pages[30:])
    assert len(world.channels()) == 30


def test_signup_05_all_together_end_at_the_days_total(make_app):
    world = World(make_app(SMS_TOTAL_DAY="5"))
    for each in range(9):
        page = ask(Visitor(world.app, address=f"203.{each}.0.4"), f"+447{400 + each}123000")
        assert page.status == (303 if each < 5 else 429)
    ann = world.account()
    browser = world.inside(ann.email)
    browser.get(PHONE)
    page = browser.submit(PHONE, phone=NUMBER)
    assert page.status == 429
    assert page.form(PHONE).fields["phone"] == NUMBER
    assert len([each for each in world.channels() if each == "sms"]) == 5


@pytest.mark.parametrize("typed", [
    "+7 912 345 67 89", "+880 1812 345678", "+252 61 2345678", "+1 876 555 1234",
    "+44 909 879 0000", "+1 900 234 5678", "+882 16 12345678", "+870 301 234567",
    "+44 70 1234 5678",
])  # fmt: skip
def test_signup_05_what_is_dear_is_refused_and_not_even_counted(app, world, ann, typed):
    browser, stranger = world.inside(), world.visitor()
    before = dump(app)["throttle"]
    for each, path, name in ((browser, PHONE, "phone"), (stranger, "/recover", "identifier")):
        each.get(path)
        assert each.submit(path, **{name: typed}).status == 422
    assert dump(app)["throttle"] == before
    assert "sms" not in world.channels()


def test_signup_05_one_account_asks_for_five_numbers_an_hour(world, ann, time):
    browser, statuses = world.inside(), []
    for each in range(8):
        browser.get(PHONE)
        page = browser.submit(PHONE, phone=f"+447{400 + each}123000")
        statuses.append((page.status, page.location))
        time.pass_(seconds=61)
    assert statuses == [(303, CODE)] * 5 + [(429, None)] * 3


def test_signup_05_only_who_is_signed_in_has_a_number_verified(world, visitor):
    open_account(visitor, "new@example.org")
    token = visitor.follow().form("/sign-up/code").fields["csrf_token"]
    for browser in visitor, world.visitor():
        answer = browser.post(PHONE, {"csrf_token": token, "phone": NUMBER})
        assert answer.location == "/sign-in"
    assert "sms" not in world.channels()


def test_signup_05_many_numbers_in_one_field_are_no_number(world, ann):
    browser = world.inside()
    browser.get(PHONE)
    for typed in (f"{NUMBER},{OTHER_NUMBER}", f"{NUMBER}\n{OTHER_NUMBER}", [NUMBER, OTHER_NUMBER]):
        page = browser.submit(PHONE, phone=typed)
        assert page.status == 422 or isinstance(typed, list)
    assert len(sms(world)) <= 1


# ------------------------------------------------------------------ codes stay where they belong


def test_otp_05_a_code_to_add_a_number_chooses_no_password_and_the_other_way_round(
    world, inside, time
):
    time.pass_(seconds=61)
    inside.get(PHONE)
    inside.submit(PHONE, phone=OTHER_NUMBER)
    adding = world.post.newest(OTHER_NUMBER).code
    ask(inside, NUMBER)
    choosing = world.post.newest(NUMBER).code
    if adding == choosing:
        pytest.skip("One in a million.")
    assert type_code(inside, adding).status == 422
    assert type_code(inside, choosing, CODE).status == 422
    assert type_code(inside, adding, CODE).location == PHONE


def test_otp_05_a_flow_of_one_story_is_no_flow_of_another(world, inside, time):
    time.pass_(seconds=61)
    inside.get(PHONE)
    inside.submit(PHONE, phone=OTHER_NUMBER)
    ask(inside, NUMBER)
    world.post.deliver()
    with inside.client.session_transaction(base_url=inside.site) as kept:
        kept["recovery"], kept["phone"] = kept["phone"], kept["recovery"]
    assert inside.get("/recover/code").location == "/recover"
    assert inside.get(CODE).location == PHONE


def test_authz_somebody_elses_wish_is_not_ones_own(world, ann):
    """Bob knows Ann's flow and her code."""
    world.account(BOB, "Bob Hill")
    annes, bobs = world.inside(), world.inside(BOB)
    annes.get(PHONE)
    annes.submit(PHONE, phone=NUMBER)
    code = world.post.newest(NUMBER).code
    with annes.client.session_transaction(base_url=annes.site) as kept:
        flow = kept["phone"]
    with bobs.client.session_transaction(base_url=bobs.site) as kept:
        kept["phone"] = flow
    token = bobs.get(PHONE).form(PHONE).fields["csrf_token"]
    assert bobs.get(CODE).location == PHONE
    for path in CODE, RESEND:
        assert bobs.post(path, {"csrf_token": token, "code": code}).location == PHONE
    assert world.rows("SELECT phone FROM person WHERE phone IS NOT NULL") == []
    assert type_code(annes, code, CODE).location == PHONE


def test_otp_03_a_used_code_adds_nothing_a_second_time(world, ann):
    browser = world.inside()
    browser.get(PHONE)
    browser.submit(PHONE, phone=NUMBER)
    code = world.post.newest(NUMBER).code
    token = browser.get(CODE).form(CODE).fields["csrf_token"]
    assert browser.post(CODE, {"csrf_token": token, "code": code}).location == PHONE
    browser.get(PHONE)
    browser.submit(REMOVE)
    assert browser.post(CODE, {"csrf_token": token, "code": code}).location == PHONE
    assert world.rows("SELECT phone FROM person") == [(None,)]


def test_otp_05_a_code_for_one_number_proves_no_other(world, ann, time):
    browser = world.inside()
    browser.get(PHONE)
    browser.submit(PHONE, phone=NUMBER)
    mine = world.post.newest(NUMBER).code
    with browser.client.session_transaction(base_url=browser.site) as kept:
        first = kept["phone"]
    time.pass_(seconds=61)
    browser.get(PHONE)
    browser.submit(PHONE, phone=OTHER_NUMBER)
    others = world.post.newest(OTHER_NUMBER).code
    assert type_code(browser, mine, CODE).status == (303 if mine == others else 422)
    with browser.client.session_transaction(base_url=browser.site) as kept:
        kept["phone"] = first
    assert browser.get(CODE).location == PHONE
    assert world.rows("SELECT phone FROM person") == [(None,)]


def test_otp_06_a_code_is_nothing_in_another_browser(world, inside):
    ask(world.visitor(), NUMBER)
    code = world.post.newest(NUMBER).code
    other = world.visitor()
    assert other.get("/recover/code").location == "/recover"
    token = other.get("/recover").form("/recover").fields["csrf_token"]
    assert other.post("/recover/code", {"csrf_token": token, "code": code}).location == "/recover"


def test_otp_nothing_readable_of_a_code_or_a_strangers_number_is_kept(app, world, inside):
    ask(world.visitor(), OTHER_NUMBER)
    ask(world.visitor(), NUMBER)
    code = world.post.newest(NUMBER).code
    owners = "person", "search_term"  # where whose number it is stands, to be found by it
    tables = {name: rows for name, rows in dump(app).items() if name != "mailbox"}
    for name, rows in tables.items():
        for row in rows:
            assert OTHER_NUMBER[3:] not in str(row), name
            assert NUMBER[3:] not in str(row) or name in owners, name
            assert f"'{code}'" not in str(row), name


def test_log_02_no_number_and_no_code_is_logged(world, inside, caplog, time):
    caplog.set_level(0)
    time.pass_(seconds=61)
    ask(world.visitor(), NUMBER)
    inside.get(PHONE)
    inside.submit(PHONE, phone=OTHER_NUMBER)
    code = world.post.newest(OTHER_NUMBER).code
    type_code(inside, code, CODE)
    for secret in (NUMBER, OTHER_NUMBER, NUMBER[3:], OTHER_NUMBER[3:], code):
        assert secret not in caplog.text


# ------------------------------------------------------------------ who is it, once more


def test_sess_a_stolen_sign_in_changes_no_number_without_the_password(app, world, inside, time):
    """Posted directly, with a good token and none of the pages in between."""
    time.pass_(seconds=700)
    token = inside.get(PHONE).form(PHONE).fields["csrf_token"]
    before = dump(app)
    forms = {PHONE: {"phone": OTHER_NUMBER}, REMOVE: {}}
    for path, typed in forms.items():
        assert inside.post(path, typed | {"csrf_token": token}).location == CONFIRM
    more = {"password": "", "confirmed": "1", "next": PHONE, "confirmed_at": "2099-01-01"}
    assert inside.post("/security/confirm", more | {"csrf_token": token}).status == 422
    for path, typed in forms.items():
        assert inside.post(path, typed | {"csrf_token": token}).location == CONFIRM
    assert dump(app) == before


def test_sess_another_persons_password_confirms_nothing(world, inside, time):
    world.account(BOB, "Bob Hill")
    world.change_password(world.inside(BOB), PASSWORD, OTHER_PASSWORD)
    time.pass_(seconds=700)
    inside.get(CONFIRM)
    assert inside.submit(CONFIRM, password=OTHER_PASSWORD).status == 422


def test_sess_wrong_passwords_there_and_at_sign_in_share_one_count(world, ann, time):
    """A stolen sign-in is no second allowance for guessing."""
    browser = world.inside()
    browser.client.delete_cookie("latchkey-device", domain="127.0.0.1")
    for _ in range(5):
        browser.get(CONFIRM)
        assert browser.submit(CONFIRM, password=OTHER_PASSWORD).status == 422
        assert sign_in(world.visitor(), ANN, OTHER_PASSWORD).status == 422
    browser.get(CONFIRM)
    assert browser.submit(CONFIRM, password=PASSWORD).status == 429
    assert sign_in(world.visitor(), ANN).status == 429


def test_sess_a_reset_ends_the_wish_of_whoever_was_in(world, inside, time):
    """A thief has asked for his number; the owner chooses a new password meanwhile."""
    time.pass_(seconds=61)
    inside.get(PHONE)
    inside.submit(PHONE, phone=OTHER_NUMBER)
    code = world.post.newest(OTHER_NUMBER).code
    owner, mail = world.asked()
    type_code(owner, mail.code)
    owner.follow()
    assert owner.submit("/auth/password-reset", **NEW).location == "/sign-in"
    token = owner.get("/sign-in").form("/sign-in").fields["csrf_token"]
    assert inside.post(CODE, {"csrf_token": token, "code": code}).location == "/sign-in"
    sign_in(owner, ANN, OTHER_PASSWORD)
    assert world.rows("SELECT phone FROM person") == [(NUMBER,)]
