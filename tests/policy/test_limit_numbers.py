"""The numbers of how often, each shown to be the one that counts."""

import pytest

from tests.conftest import OTHER_PASSWORD, ask, open_account, sign_in
from tests.policy.world import ANN, ELSEWHERE, World, cookie, type_code, wrong
from tests.rigs import authenticator
from tests.rigs.authenticator import Factor
from tests.rigs.visitor import Visitor

NOBODY = "nobody@example.org"


def asking(world: World, email: str = NOBODY, **more: str) -> int:
    """-> the status."""
    return ask(world.visitor(**more), email).status


def guessing(world: World, email: str = ANN, count: int = 1, **more: str) -> list[int]:
    """Types wrong passwords in a fresh browser.  -> the statuses."""
    browser = world.visitor(**more)
    return [sign_in(browser, email, f"wrong {number}").status for number in range(count)]


def test_send_cooldown_seconds(make_app, time):
    world = World(make_app(SEND_COOLDOWN_SECONDS="20"))
    browser = world.visitor()
    ask(browser, NOBODY)
    assert "You can ask again in 20 seconds." in browser.follow().text
    time.pass_(seconds=19)
    page = browser.submit("/recover/resend")
    assert (page.status, page.headers["Retry-After"]) == (429, "1")
    assert page.summary == ["We have just sent one. You can ask again in 1 second."]
    time.pass_(seconds=1)
    assert browser.submit("/recover/resend").status == 303


def test_sends_per_hour(make_app, time):
    world = World(make_app(SENDS_PER_HOUR="2"))
    for status in 303, 303, 429:
        assert asking(world) == status
        time.pass_(minutes=2)
    time.pass_(minutes=55)
    assert asking(world) == 303


def test_sends_per_day(make_app, time):
    world = World(make_app(SENDS_PER_DAY="2"))
    for status in 303, 303, 429:
        assert asking(world) == status
        time.pass_(hours=2)
    time.pass_(hours=19)
    assert asking(world) == 303


def test_sends_per_network_hour(make_app, time):
    world = World(make_app(SENDS_PER_NETWORK_HOUR="2"))
    addresses = [f"nobody{number}@example.org" for number in range(4)]
    assert [asking(world, each) for each in addresses[:3]] == [303, 303, 429]
    assert asking(world, addresses[3], address="198.51.100.250") == 429
    assert asking(world, addresses[3], address=ELSEWHERE) == 303
    time.pass_(minutes=61)
    assert asking(world, addresses[0]) == 303


def test_sends_total_hour(make_app, time):
    world = World(make_app(SENDS_TOTAL_HOUR="2"))
    for number, status in enumerate([303, 303, 429]):
        assert asking(world, f"nobody{number}@example.org", address=f"192.0.{number}.1") == status
    time.pass_(minutes=61)
    assert asking(world, address=ELSEWHERE) == 303


def test_sign_ups_per_network_hour(make_app, time):
    world = World(make_app(SIGN_UPS_PER_NETWORK_HOUR="2"))

    def opening(number: int, **more: str) -> int:
        return open_account(world.visitor(**more), f"new{number}@example.org").status

    assert [opening(1), opening(2), opening(3)] == [303, 303, 429]
    assert opening(4, address=ELSEWHERE) == 303
    time.pass_(minutes=61)
    assert opening(3) == 303


@pytest.mark.parametrize("wrongs, status", [(1, 303), (2, 429)])
def test_wrong_codes_in_5_minutes(make_app, time, wrongs, status):
    world = World(make_app(WRONG_CODES_IN_5_MINUTES="2", SEND_COOLDOWN_SECONDS="0"))
    world.account()
    for _ in range(wrongs):  # one for each code: a new code does not start the count again
        browser, mail = world.asked()
        assert type_code(browser, wrong(mail.code)).status == 422
    browser, mail = world.asked()
    assert type_code(browser, mail.code).status == status
    time.pass_(seconds=301)
    browser, mail = world.asked()
    assert type_code(browser, mail.code).status == 303


def test_wrong_codes_in_hour(make_app, time):
    more = {"SENDS_PER_HOUR": "50", "SENDS_PER_DAY": "50"}
    world = World(make_app(WRONG_CODES_IN_HOUR="3", **more))
    world.account()
    for _ in range(3):
        browser, mail = world.asked()
        assert type_code(browser, wrong(mail.code)).status == 422
        time.pass_(minutes=6)
    browser, mail = world.asked()
    assert type_code(browser, mail.code).status == 429
    time.pass_(minutes=43)
    browser, mail = world.asked()
    assert type_code(browser, mail.code).status == 303


def test_wrong_codes_in_day(make_app, time):
    world = World(make_app(WRONG_CODES_IN_DAY="3", SENDS_PER_DAY="50"))
    world.account()
    for _ in range(3):
        browser, mail = world.asked()
        assert type_code(browser, wrong(mail.code)).status == 422
        time.pass_(minutes=61)
    browser, mail = world.asked()
    assert type_code(browser, mail.code).status == 429
    time.pass_(hours=21)
    browser, mail = world.asked()
    assert type_code(browser, mail.code).status == 303


def test_wrong_passwords_per_account(make_app):
    world = World(make_app(WRONG_PASSWORDS_PER_ACCOUNT="3"))
    ann = world.account()
    assert guessing(world, ann.email, 4) == [422, 422, 422, 429]
    assert sign_in(world.visitor(), ann.email).status == 429
    assert sign_in(world.visitor(address=ELSEWHERE), ann.email).status == 303


@pytest.mark.parametrize("seconds, status", [(119, 429), (121, 303)])
def test_wrong_passwords_per_account_seconds(make_app, time, seconds, status):
    numbers = {"WRONG_PASSWORDS_PER_ACCOUNT": "2", "WRONG_PASSWORDS_PER_ACCOUNT_SECONDS": "120"}
    world = World(make_app(**numbers))
    ann = world.account()
    guessing(world, ann.email, 2)
    page = sign_in(world.visitor(), ann.email)
    assert (page.status, page.headers["Retry-After"], page.h1) == (429, "120", "Wait a little")
    assert "You can try again in 2 minutes, or choose a new password now." in page.text
    time.pass_(seconds=seconds)
    assert sign_in(world.visitor(), ann.email).status == status


def test_wrong_passwords_per_network(make_app):
    world = World(make_app(WRONG_PASSWORDS_PER_NETWORK="3"))
    ann = world.account()
    each = [guessing(world, f"nobody{number}@example.org")[0] for number in range(4)]
    assert each == [422, 422, 422, 429]
    assert sign_in(world.visitor(), ann.email).status == 429
    assert sign_in(world.visitor(address=ELSEWHERE), ann.email).status == 303


@pytest.mark.parametrize("seconds, status", [(119, 429), (121, 303)])
def test_wrong_passwords_per_network_seconds(make_app, time, seconds, status):
    numbers = {"WRONG_PASSWORDS_PER_NETWORK": "1", "WRONG_PASSWORDS_PER_NETWORK_SECONDS": "120"}
    world = World(make_app(**numbers))
    ann = world.account()
    guessing(world, NOBODY)
    time.pass_(seconds=seconds)
    assert sign_in(world.visitor(), ann.email).status == status


@pytest.mark.parametrize("days, status", [(2, 303), (4, 429)])
def test_known_device_days(make_app, time, days, status):
    world = World(make_app(KNOWN_DEVICE_DAYS="3", WRONG_PASSWORDS_PER_ACCOUNT="2"))
    ann = world.account()
    known = world.visitor()
    page = sign_in(known, ann.email)
    assert f"Max-Age={3 * 86_400};" in cookie(page, "latchkey-device")
    time.pass_(days=days)
    guessing(world, ann.email, 2)
    assert sign_in(known, ann.email).status == status
    assert sign_in(known, ann.email, OTHER_PASSWORD).status == (422 if status == 303 else 429)


def half(world: World, **more: str) -> Visitor:
    """A browser that waits for the second step."""
    browser = world.visitor(**more)
    assert sign_in(browser, ANN).location == authenticator.APP
    return browser


def steps(browser: Visitor, factor: Factor, count: int) -> list[int]:
    """Types codes that no app shows for long.  -> the statuses."""
    wrong_one = authenticator.code(factor.key, 9)
    return [type_code(browser, wrong_one, authenticator.APP).status for _ in range(count)]


def test_second_step_max_attempts(make_app, time):
    world = World(make_app(SECOND_STEP_MAX_ATTEMPTS="3"))
    world.account()
    factor = authenticator.set_up(world.inside())
    assert "After 3 wrong codes you have to wait." in half(world).get(authenticator.APP).text
    assert steps(half(world), factor, 4) == [422, 422, 422, 429]
    assert authenticator.enter(half(world, address=ELSEWHERE), factor).status == 429


@pytest.mark.parametrize("seconds, status", [(119, 429), (121, 303)])
def test_second_step_attempts_seconds(make_app, time, seconds, status):
    numbers = {"SECOND_STEP_MAX_ATTEMPTS": "2", "SECOND_STEP_ATTEMPTS_SECONDS": "120"}
    world = World(make_app(**numbers))
    world.account()
    factor = authenticator.set_up(world.inside())
    browser = half(world)
    assert steps(browser, factor, 3) == [422, 422, 429]
    assert browser.page is not None
    assert browser.page.headers["Retry-After"] == "120"
    time.pass_(seconds=seconds)
    assert authenticator.enter(browser, factor).status == status


@pytest.mark.parametrize("seconds, leads_to", [(119, "/profile"), (121, "/sign-in")])
def test_second_step_seconds(make_app, time, seconds, leads_to):
    world = World(make_app(SECOND_STEP_SECONDS="120"))
    world.account()
    factor = authenticator.set_up(world.inside())
    browser = half(world)
    form = browser.get(authenticator.APP).form(authenticator.APP).fields
    time.pass_(seconds=seconds)
    page = browser.post(authenticator.APP, form | {"code": factor.code()})
    assert page.location == leads_to


def test_backup_codes(make_app, time):
    world = World(make_app(BACKUP_CODES="7"))
    world.account()
    factor = authenticator.set_up(world.inside())
    assert len(set(factor.backups)) == 7
