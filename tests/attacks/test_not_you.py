"""The link of a notice against scanners, replays, other people, thieves in a hurry, and spies."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.accounts import attempts, passwords
from tests.attacks.conftest import KINDS, Strangers, dump
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.policy.world import ANN, ELSEWHERE, NUMBER, World, choose, type_code

BOB = "bob@example.org"
NEW = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
WISH = {"full_name": "Zed Zero", "password": PASSWORD, "confirm_password": PASSWORD}
SCANNER = "Mozilla/5.0 (compatible; MailScanner/1.0)"


@pytest.fixture
def world(app):
    return World(app)


def alert(world, email=ANN):
    """The newest mail about a new sign-in."""
    world.inside(email)
    return world.post.alerts(email)[0]


def press(world, mail, **more):
    browser = world.visitor(**more)
    browser.get(mail.not_you)
    return browser.submit(mail.not_you)


def press_elsewhere(world, mail):
    """While a request of this thread is under way."""
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(press, world, mail).result().location == "/recover/held"


def holds(world):
    return world.rows("SELECT count(*) FROM event WHERE kind = 'account:held'")[0][0]


def held(world):
    return [email for (email,) in world.rows("SELECT email FROM person WHERE held_at IS NOT NULL")]


# ------------------------------------------------------------------ who only looks


def test_scanners_that_open_and_ask_for_the_head_change_nothing(world, ann):
    mail = alert(world)
    before = dump(world.app)
    for _ in range(5):
        scanner = world.visitor(agent=SCANNER, address="203.0.113.200")
        assert scanner.get(mail.not_you).status == 200
        answer = scanner.client.head(mail.not_you, base_url=scanner.site)
        assert (answer.status_code, answer.data) == (200, b"")
        answer = scanner.client.options(mail.not_you, base_url=scanner.site)
        assert answer.status_code == 200
    assert dump(world.app) == before
    assert press(world, mail).location == "/recover/held"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_there_is_no_other_way_to_press(world, ann, method):
    mail = alert(world)
    browser = world.visitor()
    answer = browser.client.open(mail.not_you, method=method, base_url=browser.site)
    assert answer.status_code == 405
    assert held(world) == []


# ------------------------------------------------------------------ forged presses


FORGED = [
    ({}, {}),
    ({"csrf_token": "forged"}, {}),
    ("own", {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}),
    ("own", {"Origin": "null", "Sec-Fetch-Site": "cross-site"}),
]


@pytest.mark.parametrize("sent, headers", FORGED)
def test_a_press_from_elsewhere_is_asked_for_again(world, ann, sent, headers):
    mail, browser = alert(world), world.visitor()
    form = browser.get(mail.not_you).form(mail.not_you)
    page = browser.post(mail.not_you, form.fields if sent == "own" else sent, **headers)
    assert (page.status, page.h1) == (400, "Was that not you?")
    assert held(world) == []
    assert browser.submit(mail.not_you).location == "/recover/held"


def test_a_page_without_referrer_sends_no_origin_and_may_press(world, ann):
    mail, browser = alert(world), world.visitor()
    fields = browser.get(mail.not_you).form(mail.not_you).fields
    same = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert browser.post(mail.not_you, fields, **same).location == "/recover/held"


# ------------------------------------------------------------------ the wrong link


def test_a_link_holds_its_own_account_and_no_other(world, ann, sign_up):
    sign_up(BOB, "Bob Hill")
    mine = world.inside(BOB)
    mail = alert(world)
    browser = world.inside(BOB)
    browser.get(mail.not_you)
    assert browser.submit(mail.not_you).location == "/recover/held"
    assert held(world) == [ANN]
    for each in mine, browser:
        assert each.get("/profile").status == 200


def test_links_of_one_kind_are_nothing_at_the_door_of_another(world, ann):
    notice, recovery = alert(world), world.asked()[1]
    token, other = (mail.rpartition("/")[2] for mail in (notice.not_you, recovery.link))
    for path in f"/recover/link/{token}", f"/sign-up/link/{token}", f"/recover/not-you/{other}":
        page = world.visitor().get(path)
        assert page.status == 410
        assert world.visitor().post(path, {"action": "continue"}).status == 410
    assert held(world) == []


@pytest.mark.parametrize("token", ["", "x", "%00", "a" * 5000, "..%2f..", "'--", "not_you 1"])
def test_what_is_no_link_changes_nothing(world, ann, token):
    alert(world)
    assert world.visitor().get(f"/recover/not-you/{token}").status in (404, 410)
    assert held(world) == []


def test_a_notices_number_is_no_flow(world, ann):
    """Its row stands among the flows under a number that can be guessed."""
    alert(world)
    [(key,)] = world.rows("SELECT id FROM challenge WHERE purpose = 'not_you'")
    browser = world.visitor()
    for name in "recovery", "sign-up", "phone", "grant":
        with browser.client.session_transaction(base_url=browser.site) as kept:
            kept[name] = key
    assert browser.get("/recover/code").location == "/recover"
    assert browser.get("/sign-up/code").location == "/sign-up"
    assert browser.get("/auth/password-reset").location == "/recover"


# ------------------------------------------------------------------ again, and at once


def test_a_replay_holds_nobody_again(world, ann):
    mail = alert(world)
    browser = world.visitor()
    fields = browser.get(mail.not_you).form(mail.not_you).fields
    assert browser.submit(mail.not_you).location == "/recover/held"
    asking, code = world.asked()
    type_code(asking, code.code)
    choose(asking, OTHER_PASSWORD)
    page = browser.post(mail.not_you, fields)
    assert page.status == 410
    assert sign_in(world.visitor(), ANN, OTHER_PASSWORD).location == "/profile"
    assert holds(world) == 1


@pytest.fixture
def shared(app):
    """A database on which several may work at once."""
    return World(app)


def test_of_two_presses_at_once_one_acts_and_the_other_sees_a_clear_page(shared):
    shared.account()
    mail, start = alert(shared), threading.Barrier(6)
    browsers = [shared.visitor(address=f"192.0.{number}.1") for number in range(6)]
    for browser in browsers:
        browser.get(mail.not_you)

    def pressed(browser):
        start.wait()
        return browser.submit(mail.not_you)

    with ThreadPoolExecutor(6) as threads:
        pages = list(threads.map(pressed, browsers))
    assert sorted(page.status for page in pages) == [303] + [410] * 5
    for page in pages:
        assert page.status == 303 or "It was used on " in page.text
    assert holds(shared) == 1


def test_presses_behind_two_notices_at_once_are_both_fine(shared):
    shared.account()
    alert(shared)
    alert(shared)
    mails, start = shared.post.alerts(), threading.Barrier(2)

    def pressed(mail):
        start.wait()
        return press(shared, mail).location

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(pressed, mails)) == ["/recover/held"] * 2


# ------------------------------------------------------------------ thieves in a hurry


def test_a_sign_in_that_is_being_judged_comes_too_late(world, ann, monkeypatch):
    mail, real = alert(world), attempts.right

    def judged(*typed):
        done = real(*typed)
        press_elsewhere(world, mail)
        return done

    monkeypatch.setattr(attempts, "right", judged)
    thief = world.visitor()
    assert sign_in(thief, ANN).status == 422
    assert thief.get("/profile").location == "/sign-in"


def test_a_recovery_that_is_being_finished_comes_too_late(world, ann, monkeypatch, time):
    mail, real = alert(world), passwords.prepare
    thief, message = world.asked()
    type_code(thief, message.code)

    def prepared(*typed):
        done = real(*typed)
        press_elsewhere(world, mail)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(passwords, "prepare", prepared)
        assert choose(thief, OTHER_PASSWORD).location == "/recover"
    assert held(world) == [ANN]
    time.pass_(seconds=61)
    owner, message = world.asked()
    type_code(owner, message.code)
    assert choose(owner, "third wooden planet friday").location == "/sign-in"
    assert held(world) == []


def test_a_password_change_that_is_being_made_lifts_nothing(world, ann, monkeypatch):
    mail, real, thief = alert(world), passwords.prepare, world.inside()

    def prepared(*typed):
        done = real(*typed)
        press_elsewhere(world, mail)
        return done

    monkeypatch.setattr(passwords, "prepare", prepared)
    world.change_password(thief, PASSWORD, OTHER_PASSWORD)
    assert held(world) == [ANN]
    assert thief.get("/profile").location == "/sign-in"
    assert "on hold" in str(sign_in(world.visitor(), ANN, PASSWORD).summary)


def test_keep_me_signed_in_and_a_copied_cookie_are_worth_nothing(world, ann, time):
    kept = world.inside(remember=True)
    secret, device = kept.cookie("latchkey"), kept.cookie("latchkey-device")
    press(world, alert(world))
    thief = world.visitor()
    thief.client.set_cookie("latchkey", secret, domain="127.0.0.1")
    thief.client.set_cookie("latchkey-device", device, domain="127.0.0.1")
    for browser in kept, thief:
        assert browser.get("/profile").location == "/sign-in"
    assert "on hold" in str(sign_in(thief, ANN).summary)


def test_a_session_that_was_left_over_is_not_live_while_it_lasts(world, ann):
    browser = world.inside()
    press(world, alert(world))
    world.write("UPDATE session SET ended_at = NULL")
    assert browser.get("/profile").location == "/sign-in"


def test_a_thiefs_phone_number_does_not_end_the_hold(world, ann):
    """Only who reads the mail of the account gives it back."""
    thief = world.inside()
    world.add_phone(thief)
    press(world, world.post.alerts()[0])
    asking = world.visitor(address=ELSEWHERE)
    before = len(world.post.deliver())
    assert ask(asking, NUMBER).location == "/recover/code"
    assert len(world.post.deliver()) == before
    assert held(world) == [ANN]


def test_a_thiefs_phone_number_is_no_way_in_after_the_hold_either(world, ann, time):
    thief = world.inside()
    world.add_phone(thief)
    browser, mail = world.visitor(), world.post.newest(ANN)
    assert "phone number was added" in mail.subject
    assert "The phone number is taken out" in browser.get(mail.not_you).text
    browser.submit(mail.not_you)
    assert "Add it again" in browser.follow().text
    asking, message = world.asked()
    type_code(asking, message.code)
    choose(asking, OTHER_PASSWORD)
    time.pass_(minutes=20)
    before = len(world.post.deliver())
    ask(world.visitor(address=ELSEWHERE), NUMBER)
    assert len(world.post.deliver()) == before
    assert world.rows("SELECT phone, phone_wanted FROM person") == [(None, None)]


# ------------------------------------------------------------------ spies


@pytest.fixture
def spies(app, strangers):
    """For an account on hold, and for an address that nobody has."""
    World(app).write("UPDATE person SET held_at = created_at WHERE email = :it", it=KINDS["known"])
    return Strangers(app, ("known", "unknown"))


def test_without_the_password_a_hold_is_not_seen(spies, post, time):
    spies.open("/sign-in")
    page = spies.send("/sign-in", email="{}", password=OTHER_PASSWORD)
    assert (page.status, "do not match" in page.errors["email"]) == (422, True)
    spies.open("/recover")
    assert spies.send("/recover", identifier="{}").location == "/recover/code"
    spies.follow()
    post.deliver()
    spies.open("/recover/status")
    spies.open("/recover/code")
    spies.send("/recover/code", code="000000")
    time.pass_(seconds=61)
    spies.open("/sign-up")
    assert spies.send("/sign-up", email="{}", **WISH).location == "/sign-up/code"
    for _ in range(11):
        spies.open("/sign-in")
        spies.send("/sign-in", email="{}", password=OTHER_PASSWORD)


def test_the_alarm_about_wrong_passwords_is_not_seen(strangers, post):
    """Not in answers, and not in what stands in the outbox before the worker comes."""
    world = World(strangers.browsers["known"].client.application)
    for _ in range(12):
        strangers.open("/sign-in")
        strangers.send("/sign-in", email="{}", password=OTHER_PASSWORD)
    kinds = world.rows("SELECT recipe, count(*) FROM outbox WHERE done_at IS NULL GROUP BY recipe")
    assert kinds == [("many_wrong_passwords", 4)]
    assert [mail.to for mail in post.alerts()] == [KINDS["blocked"], KINDS["known"]]


def test_the_log_names_the_page_and_never_the_link(world, ann, caplog):
    caplog.set_level(logging.DEBUG)
    mail = alert(world)
    press(world, mail)
    world.visitor().get(mail.not_you)
    assert "/recover/not-you/<string:token>" in caplog.text
    assert mail.not_you.rpartition("/")[2] not in caplog.text
    assert ANN not in caplog.text


# ------------------------------------------------------------------ time and tidying


@pytest.mark.parametrize("days, status", [(6, 200), (8, 410)])
def test_tidying_takes_no_link_that_is_still_good(make_app, time, days, status):
    world = World(make_app(CODE_RETENTION_DAYS="1"))
    world.account()
    mail = alert(world)
    time.pass_(days=days)
    world.command("purge")
    assert world.visitor().get(mail.not_you).status == status


def test_a_notice_to_somebody_who_is_gone_goes_to_nobody(world, ann):
    world.post.deliver()
    world.inside()
    world.write("DELETE FROM person")
    assert world.post.alerts() == []
    assert world.rows("SELECT trouble FROM outbox WHERE recipe = 'new_device'") == [("",)]


def test_a_link_of_somebody_who_is_gone_is_dead(world, ann):
    mail = alert(world)
    world.write("DELETE FROM person")
    assert world.visitor().get(mail.not_you).status == 410


def test_signing_up_again_holds_and_ends_nothing(world, ann, time):
    """The notice to the owner of a taken address has nothing to hold: nobody came in."""
    time.pass_(seconds=61)
    open_account(world.visitor(address=ELSEWHERE), ANN)
    mail = world.post.newest(ANN)
    assert "already have" in mail.subject
    assert "not-you" not in mail.text
