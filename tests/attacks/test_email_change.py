"""Changing the address against spies, thieves, squatters and people in a hurry."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attacks.conftest import block, dump, seen
from tests.conftest import OTHER_PASSWORD, PASSWORD, open_account, sign_in
from tests.policy.world import ANN, ELSEWHERE, EMAIL, World, choose, type_code

BOB, EVE, NEW = "bob@example.org", "eve@example.org", "sana@example.net"
THIEFS, THIEFS_OTHER = "thief@example.com", "other@example.com"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def inside(world, ann):
    return world.inside()


def address(world, number=1):
    return world.rows("SELECT email FROM person WHERE id = :it", it=number)[0][0]


def press(world, link, browser=None):
    browser = browser or world.visitor()
    page = browser.get(link)
    return browser.submit(link) if page.status == 200 else page


def held(world):
    return [email for (email,) in world.rows("SELECT email FROM person WHERE held_at IS NOT NULL")]


def stolen(world, thief, time):
    """The thief, who knows the password, moves the account away twice.  -> mails to the owner."""
    first, new = world.wish_for(thief, THIEFS)
    assert press(world, new.confirm_email, thief).status == 303
    time.pass_(seconds=61)
    second, newer = world.wish_for(thief, THIEFS_OTHER)
    assert press(world, newer.confirm_email, thief).status == 303
    assert address(world) == THIEFS_OTHER
    return first, second


# ------------------------------------------------------------------ who has an account here


def test_nothing_tells_whether_the_new_address_is_somebodys(world, inside, sign_up, time):
    """Somebody's, unproven, blocked, and nobody's: words, status, rows and own messages."""
    for email in BOB, EVE, "bad@example.org":
        sign_up(email, "Bob Hill")
    block(world.app, "bad@example.org")
    open_account(world.visitor(address=ELSEWHERE), "new@example.org")
    world.post.deliver()
    time.pass_(days=2)
    views = []
    for wanted in EVE, "new@example.org", "bad@example.org", "who@example.org":
        time.pass_(minutes=20)
        world.write("DELETE FROM throttle")
        browser = world.inside(BOB)
        world.post.deliver()
        before, rows = len(world.post.deliver()), dump(world.app)
        browser.get(EMAIL)
        pages = [browser.submit(EMAIL, email=wanted), browser.follow()]
        waiting = [
            len(now) - len(rows[table])
            for table, now in dump(world.app).items()
            if table not in ("session", "session_secret", "known_device")
        ]
        sent = len(world.post.deliver()) - before
        pages += [browser.submit(EMAIL, email=wanted)]  # too soon
        listed = browser.get("/security/messages").find("tbody th")[:1]
        views.append(([seen(page, wanted) for page in pages], waiting, sent, listed))
    assert [view == views[-1] for view in views] == [True] * 4
    assert views[-1][2:] == (2, ["Your email address is being changed"])


def test_the_owner_of_a_taken_address_gets_a_notice_and_nothing_to_press(world, inside, sign_up):
    sign_up(BOB, "Bob Hill")
    inside.get(EMAIL)
    assert inside.submit(EMAIL, email="BOB@Example.org").location == EMAIL
    notice, old = world.post.newest(BOB), world.post.newest(ANN)
    assert notice.subject == "You already have a Latchkey account"
    for part in notice.text, notice.html:
        assert "Someone wanted to use bob@example.org for another account" in _plain(part)
        assert "/recover/email" not in part
        assert "Ann" not in part
        assert ANN not in part
    assert "B…@example.org" in old.text
    assert BOB not in old.text + old.html


def _plain(part):
    return part.replace('<strong dir="ltr">', "").replace("</strong>", "")


def test_a_stranger_is_not_bombed(world, inside, sign_up, time):
    """The limits count by the new address too, whoever asks."""
    sign_up(BOB, "Bob Hill")
    statuses = []
    for browser in inside, world.inside(BOB):
        browser.get(EMAIL)
        statuses.append(browser.submit(EMAIL, email=NEW).status)
    assert statuses == [303, 429]
    assert len([mail for mail in world.post.deliver() if mail.to == NEW]) == 1


def test_two_who_wish_for_one_address_do_not_end_each_others_wish(world, inside, sign_up, time):
    sign_up(BOB, "Bob Hill")
    bob = world.inside(BOB)
    _old, first = world.wish_for(inside, NEW)
    time.pass_(seconds=61)
    _old, second = world.wish_for(bob, NEW)
    assert press(world, second.confirm_email).status == 303
    assert (address(world, 1), address(world, 2)) == (ANN, NEW)
    page = world.visitor().get(first.confirm_email)
    assert (page.status, "belongs to another account by now" in page.text) == (410, True)
    assert sign_in(world.visitor(), ANN).location == "/profile"


# ------------------------------------------------------------------ the new address


def test_an_address_taken_between_wish_and_confirmation_ends_on_a_clear_page(
    world, inside, sign_up
):
    _old, new = world.wish_for(inside, NEW)
    browser = world.visitor()
    browser.get(new.confirm_email)
    world.write("DELETE FROM throttle")
    sign_up(NEW, "Sana Iqbal")
    page = browser.submit(new.confirm_email)
    assert (page.status, page.h1) == (410, "This link no longer works")
    assert address(world) == ANN
    assert inside.get("/profile").status == 200


def test_whoever_only_signed_up_with_the_address_gives_way(world, inside, time):
    squatter = world.visitor(address=ELSEWHERE)
    open_account(squatter, NEW)
    squatter.follow()
    code = world.post.newest(NEW).code
    time.pass_(seconds=61)
    _old, new = world.wish_for(inside, NEW)
    assert press(world, new.confirm_email).status == 303
    assert world.rows("SELECT email FROM person") == [(NEW,)]
    assert squatter.submit("/sign-up/code", code=code).status == 422
    squatter.get("/sign-up/code")
    assert squatter.submit("/sign-up/resend").status == 303
    assert world.post.newest(NEW).subject == "You already have a Latchkey account"
    assert sign_in(world.visitor(), NEW).location == "/profile"


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("Sana@Example.NET", "Sana@example.net"),
        ("sana@bücher.example", "sana@xn--bcher-kva.example"),
        ("sana@BÜCHER.example", "sana@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_kept_and_compared_as_everywhere(world, inside, typed, kept):
    _old, new = world.wish_for(inside, typed)
    assert new.to == kept
    assert press(world, new.confirm_email).status == 303
    assert world.rows("SELECT email, email_key FROM person") == [(kept, kept.lower())]
    assert sign_in(world.visitor(), typed.swapcase()).location == "/profile"


def test_a_taken_address_in_other_letters_is_taken(world, inside, sign_up, time):
    sign_up("bob@xn--bcher-kva.example", "Bob Hill")
    for typed in "BOB@bücher.example", "bob@BÜCHER.Example":
        time.pass_(minutes=2)
        inside.get(EMAIL)
        inside.submit(EMAIL, email=typed)
        notice = world.post.newest("bob@xn--bcher-kva.example")
        assert notice.subject == "You already have a Latchkey account"


# ------------------------------------------------------------------ the wrong link


def test_a_token_of_another_purpose_is_dead(world, inside):
    old, new = world.wish_for(inside, NEW)
    world.inside()
    _browser, recovery = world.asked()
    alert = world.post.alerts()[0]
    own = {
        "/recover/email/": new.confirm_email,
        "/recover/keep-email/": old.keep_email,
        "/recover/link/": recovery.link,
        "/recover/not-you/": alert.not_you,
    }
    for path, link in own.items():
        for start in {*own, "/sign-up/link/"} - {path}:
            page = world.visitor().get(start + link.rpartition("/")[2])
            assert (page.status, page.h1) == (410, "This link no longer works"), (start, path)


@pytest.mark.parametrize("which", ["confirm_email", "keep_email"])
def test_a_link_cut_off_or_made_up_is_dead(world, inside, which):
    old, new = world.wish_for(inside, NEW)
    link = getattr(new if which == "confirm_email" else old, which)
    for broken in link[:-1], link + "x", link.rpartition("/")[0] + "/none":
        assert "It was not copied whole" in world.visitor().get(broken).text


def test_scanners_and_forged_presses_change_nothing(world, inside):
    old, new = world.wish_for(inside, NEW)
    before = dump(world.app)
    for link in new.confirm_email, old.keep_email:
        scanner = world.visitor(agent="MailScanner/1.0", address="203.0.113.200")
        form = scanner.get(link).form(link)
        assert scanner.client.head(link, base_url=scanner.site).status_code == 200
        assert scanner.post(link, {}).status == 400
        evil = {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"}
        assert scanner.post(link, form.fields, **evil).status == 400
    assert dump(world.app) == before


def test_somebody_else_who_is_signed_in_may_press_and_stays(world, inside, sign_up):
    """A family's computer: the button is about the account of the link, and no other."""
    sign_up(BOB, "Bob Hill")
    bob = world.inside(BOB)
    _old, new = world.wish_for(inside, NEW)
    press(world, new.confirm_email, bob)
    assert bob.get("/profile").status == 200
    assert inside.get("/profile").location == "/sign-in"
    assert (address(world, 1), address(world, 2)) == (NEW, BOB)


def test_the_log_names_the_page_and_neither_link_nor_address(world, inside, caplog):
    caplog.set_level(logging.DEBUG)
    old, new = world.wish_for(inside, NEW)
    press(world, new.confirm_email)
    press(world, old.keep_email)
    assert "/recover/keep-email/<string:token>" in caplog.text
    for secret in (old.keep_email, new.confirm_email):
        assert secret.rpartition("/")[2] not in caplog.text
    assert NEW not in caplog.text
    assert ANN not in caplog.text


# ------------------------------------------------------------------ who may not


def test_who_is_blocked_cannot_confirm(world, inside):
    _old, new = world.wish_for(inside, NEW)
    browser = world.visitor()
    browser.get(new.confirm_email)
    block(world.app, ANN)
    assert browser.submit(new.confirm_email).status == 410
    world.command("users", "unblock", ANN)
    assert press(world, new.confirm_email).status == 410
    assert address(world) == ANN


def test_who_is_held_cannot_confirm_not_even_after_a_recovery(world, inside):
    thief = world.inside()
    alert = world.post.alerts()[0]
    _old, new = world.wish_for(thief, THIEFS)
    press(world, alert.not_you)
    assert press(world, new.confirm_email).status == 410
    browser, mail = world.asked()
    type_code(browser, mail.code)
    choose(browser, OTHER_PASSWORD)
    assert press(world, new.confirm_email).status == 410
    assert address(world) == ANN


@pytest.mark.parametrize("row", ["held_at", "blocked_at"])
def test_not_even_when_the_wish_was_left_open(world, inside, row):
    _old, new = world.wish_for(inside, NEW)
    world.write(f"UPDATE person SET {row} = created_at")  # noqa: S608
    assert press(world, new.confirm_email).status == 410
    assert address(world) == ANN


@pytest.mark.parametrize("sent", [True, False])
def test_a_new_password_ends_a_thiefs_wish(world, inside, sent):
    """Also one whose message has not left yet."""
    thief = world.inside()
    thief.get(EMAIL)
    thief.submit(EMAIL, email=THIEFS)
    mails = world.post.deliver() if sent else []
    assert world.change_password(inside, PASSWORD, OTHER_PASSWORD).status == 303
    mails = [mail for mail in mails or world.post.deliver() if mail.to == THIEFS]
    assert len(mails) == sent
    assert [press(world, mail.confirm_email).status for mail in mails] == [410] * sent


# ------------------------------------------------------------------ thieves who move it on


@pytest.mark.parametrize("order", ["owner only", "thief first"])
def test_the_owner_gets_it_back_however_often_it_was_moved(world, inside, time, order):
    to_owner, to_thief = stolen(world, inside, time)
    assert (to_owner.to, to_thief.to) == (ANN, THIEFS)
    if order == "thief first":
        assert press(world, to_thief.keep_email).location == "/recover/held"
        assert address(world) == THIEFS
    assert press(world, to_owner.keep_email).location == "/recover/held"
    assert (address(world), held(world)) == (ANN, [ANN])
    assert inside.get("/profile").location == "/sign-in"
    assert press(world, to_thief.keep_email).status == 410
    assert address(world) == ANN


def test_a_thief_who_signs_up_with_the_old_address_does_not_keep_it(world, inside, time):
    old, new = world.wish_for(inside, THIEFS)
    press(world, new.confirm_email, inside)
    time.pass_(minutes=2)
    open_account(world.visitor(address=ELSEWHERE), ANN)
    assert world.rows("SELECT count(*) FROM person") == [(2,)]
    assert press(world, old.keep_email).location == "/recover/held"
    assert world.rows("SELECT email FROM person") == [(ANN,)]


def test_an_old_address_that_is_somebodys_by_now_stays_theirs_and_the_thief_is_out(
    world, inside, sign_up, time
):
    old, new = world.wish_for(inside, THIEFS)
    press(world, new.confirm_email, inside)
    time.pass_(minutes=2)
    sign_up(ANN, "Ann Again")
    page = press(world, old.keep_email)
    assert (page.status, "Ask the helpdesk" in page.text) == (410, True)
    assert (address(world, 1), address(world, 2), held(world)) == (THIEFS, ANN, [THIEFS])
    assert inside.get("/profile").location == "/sign-in"


def test_a_recovery_of_the_thief_that_is_under_way_comes_too_late(world, inside, time):
    old, new = world.wish_for(inside, THIEFS)
    press(world, new.confirm_email, inside)
    time.pass_(minutes=2)
    thief, mail = world.asked(THIEFS)
    type_code(thief, mail.code)
    press(world, old.keep_email)
    assert choose_or_gone(thief) == "/recover"
    assert held(world) == [ANN]


def choose_or_gone(browser):
    return browser.get("/auth/password-reset").location


def test_who_was_put_on_hold_after_the_move_gets_the_address_back(world, inside):
    """ "Not you?" alone would leave the way back in with the thief."""
    alert = world.post.alerts()[0]
    old, new = world.wish_for(inside, THIEFS)
    press(world, new.confirm_email, inside)
    assert press(world, alert.not_you).location == "/recover/held"
    assert press(world, old.keep_email).location == "/recover/held"
    assert (address(world), held(world)) == (ANN, [ANN])


# ------------------------------------------------------------------ at the same moment


@pytest.fixture
def shared(app):
    """A portal on a database that several requests really share."""
    return World(app)


def at_once(world, links):
    """-> the answers to presses of these links at the same moment, in their order."""
    start = threading.Barrier(len(links))
    browsers = [world.visitor(address=f"192.0.{number}.1") for number in range(len(links))]
    for browser, link in zip(browsers, links, strict=True):
        assert browser.get(link).status == 200

    def pressed(browser, link):
        start.wait()
        return browser.submit(link)

    with ThreadPoolExecutor(len(links)) as threads:
        return list(threads.map(pressed, browsers, links))


def test_of_confirmations_at_once_one_acts(shared):
    shared.account()
    _old, new = shared.wish_for(shared.inside(), NEW)
    pages = at_once(shared, [new.confirm_email] * 5)
    assert sorted(page.status for page in pages) == [303] + [410] * 4
    kinds = "SELECT count(*) FROM event WHERE kind = 'email:changed'"
    assert shared.rows(kinds) == [(1,)]


def test_two_people_who_confirm_one_address_at_once(shared):
    links = []
    for email in ANN, BOB:
        shared.account(email)
        links.append(shared.wish_for(shared.inside(email), NEW)[1].confirm_email)
        shared.write("DELETE FROM throttle")
    pages = at_once(shared, links)
    assert sorted(page.status for page in pages) == [303, 410]
    emails = [email for (email,) in shared.rows("SELECT email FROM person ORDER BY id")]
    assert emails in ([NEW, BOB], [ANN, NEW])


def test_confirmation_and_stop_at_once_end_with_the_old_address(shared):
    shared.account()
    old, new = shared.wish_for(shared.inside(), NEW)
    confirmed, stopped = at_once(shared, [new.confirm_email, old.keep_email])
    assert (confirmed.status, stopped.status) in ((303, 303), (410, 303))
    assert address(shared) == ANN
    assert held(shared) == ([ANN] if confirmed.status == 303 else [])


def test_stops_at_once(shared):
    shared.account()
    old, new = shared.wish_for(shared.inside(), NEW)
    press(shared, new.confirm_email)
    pages = at_once(shared, [old.keep_email] * 4)
    assert sorted(page.status for page in pages) == [303] + [410] * 3
    assert address(shared) == ANN
