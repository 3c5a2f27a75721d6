"""The second step of signing in, on its two pages."""

from urllib.parse import urlsplit

import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.world import ELSEWHERE, World, choose, type_code
from tests.rigs import authenticator
from tests.rigs.authenticator import APP, BACKUP, enter
from tests.rigs.visitor import Visitor

WRONG = "That code is not right. Type the one that your app shows now."
USED = "This code was used already. Wait for the next one."
NONE = "That is none of your backup codes, or it was used already."


@pytest.fixture
def world(app, time):
    return World(app)


@pytest.fixture
def factor(inside, time):
    """What Ann's app has; her first browser stays signed in."""
    return authenticator.set_up(inside)


@pytest.fixture
def half(app, ann, factor):
    """A browser that nobody used before, after the right password."""
    browser = Visitor(app, address=ELSEWHERE)
    assert sign_in(browser, ann.email).location == APP
    return browser


def typed(browser, code, path=APP):
    browser.get(path)
    return browser.submit(path, code=code)


def not_it(factor):
    """Six digits that no app shows now."""
    near = {authenticator.code(factor.key, step) for step in (-1, 0, 1)}
    return next(each for each in ("000000", "111111", "222222", "333333") if each not in near)


def refusals(world):
    return world.rows("SELECT detail FROM event WHERE kind = 'second-step:refused'")


def test_password_and_code_of_the_app_let_in(half, factor):
    page = half.get(APP)
    assert (page.h1, page.tree.css_first(".count")) == ("Enter the code from your app", None)
    assert page.links["Use a backup code"] == BACKUP
    assert "I have lost my phone" in page.links
    assert enter(half, factor).location == "/profile"
    assert half.get("/profile").status == 200


def test_it_leads_to_where_the_person_wanted_to_go(app, ann, factor):
    browser = Visitor(app)
    browser.get("/sign-in?next=/security/phone")
    form = "/sign-in?next=/security/phone"
    assert browser.submit(form, email=ann.email, password=PASSWORD).location == APP
    assert enter(browser, factor).location == "/security/phone"


def test_staying_signed_in_is_kept_in_mind_until_then(app, ann, factor):
    browser = Visitor(app)
    sign_in(browser, ann.email, remember="y")
    page = enter(browser, factor)
    kept = [each for each in page.headers.getlist("Set-Cookie") if each.startswith("latchkey=")]
    assert "Max-Age=2592000" in kept[0]


def test_the_secret_of_the_half_opens_nothing_and_dies(world, half, factor):
    enter(half, factor)
    assert world.rows("SELECT COUNT(*) FROM session WHERE kind = 'half' AND ended_at IS NULL") == [
        (0,)
    ]
    with half.client.session_transaction(base_url=half.site) as kept:
        assert "half" not in kept


def test_how_somebody_came_in_is_on_record(world, half, factor, app, ann):
    enter(half, factor)
    browser = Visitor(app)
    sign_in(browser, ann.email)
    enter(browser, factor, backup=True)
    kinds = "SELECT detail FROM event WHERE kind = 'sign-in:begun' ORDER BY id DESC LIMIT 2"
    assert world.rows(kinds) == [("backup code",), ("app",)]


@pytest.mark.parametrize("path", [APP, BACKUP])
def test_without_the_right_password_there_is_no_second_step(visitor, path):
    assert visitor.get(path).location == "/sign-in"
    assert visitor.post(path, {"code": "123456"}).location == "/sign-in"


@pytest.mark.parametrize("code, words", [
    ("", "Enter the 6-digit code"), ("12345", "The code has 6 digits. You typed 5."),
    ("12345x", "The code has digits only"), ("١٢٣٤٥٦", "The code has digits only"),
    ("\0", "The code has digits only"), ("9" * 10_000, "The code has 6 digits. You typed 10000."),
])  # fmt: skip
def test_what_cannot_be_a_code_is_not_counted(half, factor, code, words):
    for _ in range(6):
        page = typed(half, code)
        assert (page.status, page.errors) == (422, {"code": words})
        assert "value" not in page.tree.css_first("#code").attributes
    assert enter(half, factor).location == "/profile"


@pytest.mark.parametrize("code", ["", "abcde", "l" * 10, "0" * 10, "\0" * 10, "x" * 10_000])
def test_what_cannot_be_a_backup_code_is_not_counted(half, factor, code):
    for _ in range(6):
        page = typed(half, code, BACKUP)
        assert page.status == 422
        assert page.errors["code"]
    assert enter(half, factor, backup=True).location == "/profile"


def test_spaces_and_hyphens_in_a_code_do_not_matter(half, factor):
    code = factor.code()
    assert typed(half, f" {code[:3]} {code[3:]}-").location == "/profile"


def test_the_code_of_the_step_before_is_good_and_no_older_one(half, factor, time):
    old = factor.code()
    time.pass_(seconds=60)
    assert typed(half, old).errors == {"code": WRONG}
    time.pass_(seconds=30)
    assert typed(half, authenticator.code(factor.key, -2)).errors == {"code": WRONG}
    assert typed(half, authenticator.code(factor.key, 1)).errors == {"code": WRONG}
    assert typed(half, authenticator.code(factor.key, -1)).location == "/profile"


def test_a_code_is_good_once_and_coming_again_costs_no_turn(app, ann, half, factor, time):
    time.pass_(seconds=90)
    code = authenticator.code(factor.key)
    assert typed(half, code).location == "/profile"
    other = Visitor(app)
    sign_in(other, ann.email)
    for _ in range(7):
        assert typed(other, code).errors == {"code": USED}
    assert typed(other, authenticator.code(factor.key, -1)).errors == {"code": USED}
    time.pass_(seconds=30)
    assert typed(other, authenticator.code(factor.key)).location == "/profile"


@pytest.mark.parametrize("written", [
    str.upper, lambda code: code.replace("-", ""), lambda code: f" {code} ",
    lambda code: " ".join(code.replace("-", "")), lambda code: code.replace("-", "–"),
])  # fmt: skip
def test_a_backup_code_may_be_written_otherwise(half, factor, written):
    assert typed(half, written(factor.backup()), BACKUP).location == "/profile"


def test_a_backup_code_is_good_once_and_its_use_is_told(app, ann, half, factor, post):
    code = factor.backup()
    assert "You have 9 left after this one." in half.get(BACKUP).text
    assert typed(half, code, BACKUP).location == "/profile"
    mail = next(each for each in post.deliver() if "backup code" in each.subject)
    assert mail.to == ann.email
    assert "9 backup codes are left." in mail.text
    assert code not in mail.text
    assert mail.not_you
    other = Visitor(app)
    sign_in(other, ann.email)
    assert typed(other, code, BACKUP).errors == {"code": NONE}


def test_a_warning_comes_when_few_are_left(app, ann, factor):
    for left in range(9, -1, -1):
        browser = Visitor(app)
        sign_in(browser, ann.email)
        enter(browser, factor, backup=True)
        banner = browser.get("/profile").banner
        words = f"You have {left} backup code{'s' * (left != 1)} left."
        expected = f"{words} Make new ones under Two-step sign-in." if left <= 3 else None
        assert banner == expected
    browser = Visitor(app)
    sign_in(browser, ann.email)
    assert "You have used all of them." in browser.get(BACKUP).text


def test_somebody_elses_backup_code_is_as_good_as_none(app, half, factor, sign_up):
    bob = sign_up("bob@example.org", "Bob Stone")
    browser = Visitor(app)
    sign_in(browser, bob.email)
    others = authenticator.set_up(browser)
    assert typed(half, others.backups[0], BACKUP).errors == {"code": NONE}
    assert enter(browser_of(app, bob), others, backup=True).location == "/profile"


def browser_of(app, account):
    browser = Visitor(app)
    sign_in(browser, account.email)
    return browser


def test_five_wrong_codes_make_it_wait_whatever_their_kind(world, half, factor, time):
    for number in range(5):
        code, path = [("aaaaa-bbbbb", BACKUP), (not_it(factor), APP)][number % 2]
        assert typed(half, code, path).status == 422
    page = enter(half, factor)
    assert (page.status, page.headers["Retry-After"]) == (429, "900")
    assert page.summary == ["Too many wrong codes. You can try again in 15 minutes."]
    assert enter(half, factor, backup=True).status == 429
    time.pass_(seconds=901)
    assert refusals(world) == [("mismatch",)] * 5


def test_a_new_sign_in_does_not_start_the_count_again(app, ann, half, factor):
    for _ in range(5):
        sign_in(half, ann.email)
        typed(half, not_it(factor))
    fresh = Visitor(app, address="192.0.2.77")
    sign_in(fresh, ann.email)
    assert enter(fresh, factor).status == 429


def test_a_known_device_does_not_wait_for_the_mistakes_of_others(half, inside, ann, factor):
    for _ in range(6):
        typed(half, not_it(factor))
    inside.get("/profile")
    inside.submit("/sign-out")
    assert sign_in(inside, ann.email).location == APP
    assert enter(inside, factor).location == "/profile"


def test_right_codes_use_no_turn_up(app, ann, factor, time):
    for _ in range(7):
        browser = Visitor(app)
        sign_in(browser, ann.email)
        assert enter(browser, factor).location == "/profile"


def test_the_owner_learns_that_somebody_knows_the_password(half, factor, post, ann):
    for _ in range(4):
        typed(half, not_it(factor))
    assert not [mail for mail in post.deliver() if "knows the password" in mail.subject]
    typed(half, not_it(factor))
    typed(half, not_it(factor))
    found = [mail for mail in post.deliver() if "knows the password" in mail.subject]
    assert [mail.to for mail in found] == [ann.email]
    assert "5 wrong codes" in found[0].text
    assert found[0].not_you


def test_the_helpdesk_can_end_the_waiting_time(world, half, factor, ann):
    for _ in range(5):
        typed(half, not_it(factor))
    assert world.command("users", "clear-throttles", ann.email).exit_code == 0
    assert enter(half, factor).location == "/profile"


def test_a_reset_in_between_ends_the_half(world, half, factor, ann):
    browser, mail = world.asked(ann.email)
    type_code(browser, mail.code)
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert half.get(APP).location == "/sign-in"
    assert half.post(APP, {"code": factor.code()}).location == "/sign-in"


def test_a_block_in_between_ends_the_half(world, half, factor, ann):
    world.command("users", "block", ann.email)
    assert half.get(APP).location == "/sign-in"


def test_the_page_of_another_browser_cannot_be_gone_on_with(half, factor, visitor):
    form = half.get(APP).form(APP).fields
    assert visitor.post(APP, form | {"code": factor.code()}).location == "/sign-in"


def test_one_half_makes_one_sign_in(half, factor, time):
    form = half.get(APP).form(APP).fields
    before = half.cookie("latchkey-form")
    assert enter(half, factor).location == "/profile"
    assert before
    half.client.set_cookie("latchkey-form", before, domain=urlsplit(half.site).hostname)
    assert half.post(APP, form | {"code": factor.code()}).location == "/sign-in"


def test_whoever_was_signed_in_here_before_is_not_any_more(app, ann, factor, sign_up, world):
    bob = sign_up("bob@example.org", "Bob Stone")
    browser = Visitor(app)
    sign_in(browser, bob.email)
    assert sign_in(browser, ann.email).location == APP
    assert browser.get("/profile").status == 200  # still Bob: half a sign-in is none
    assert enter(browser, factor).location == "/profile"
    assert "Ann Miller" in browser.get("/profile").text
    live = "SELECT COUNT(*) FROM session JOIN person ON person.id = person_id"
    of_bob = f"{live} WHERE email = :email AND ended_at IS NULL"
    assert world.rows(of_bob, email=bob.email) == [(0,)]


def test_a_key_of_the_database_that_was_lost_leaves_the_backup_codes(make_app, ann, factor, time):
    other = make_app(DATA_KEY="another data key, 0123456789abcdef")
    browser = Visitor(other)
    sign_in(browser, ann.email)
    assert enter(browser, factor).errors == {"code": WRONG}
    assert enter(browser, factor, backup=True).location == "/profile"
