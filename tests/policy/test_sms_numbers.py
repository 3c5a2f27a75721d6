"""The numbers of what SMS may cost, and of how long a password counts, each shown to count."""

import pytest

from tests.conftest import PASSWORD, ask
from tests.policy.world import ELSEWHERE, NUMBER, PHONE, World

ROOMY = {"SENDS_PER_HOUR": "100", "SENDS_PER_DAY": "100"}
MANY = "We have sent very many messages. Wait {}, or call the helpdesk."


def asking(world: World, number: str = NUMBER, **more: str) -> int:
    """-> the status."""
    return ask(world.visitor(**more), number).status


def refused(world: World, number: str = NUMBER, **more: str) -> tuple[list[str], str]:
    """-> the words, and how many seconds to wait."""
    page = ask(world.visitor(**more), number)
    assert page.status == 429
    return page.summary, page.headers["Retry-After"]


def number(last: int, block: int = 74001234) -> str:
    return f"+44{block}{last:02d}"


def test_sms_per_number_day(make_app, time):
    world = World(make_app(SMS_PER_NUMBER_DAY="2", **ROOMY))
    for _ in range(2):
        assert asking(world) == 303
        time.pass_(hours=2)
    words = ["We have sent 2 messages. Wait 20 hours, or call the helpdesk."]
    assert refused(world, address=ELSEWHERE) == (words, str(20 * 3600))
    assert asking(world, number(1)) == 303
    time.pass_(hours=21)
    assert asking(world) == 303


def test_sms_per_prefix_hour(make_app, time):
    world = World(make_app(SMS_PER_PREFIX_HOUR="2"))
    assert [asking(world, number(1)), asking(world, number(2))] == [303, 303]
    assert refused(world, number(3), address=ELSEWHERE) == ([MANY.format("1 hour")], "3600")
    assert asking(world, number(1, 74001299)) == 429  # differs in its last four digits alone
    assert asking(world, number(1, 74011234)) == 303
    time.pass_(minutes=61)
    assert asking(world, number(3)) == 303


def test_sms_per_network_day(make_app, time):
    world = World(make_app(SMS_PER_NETWORK_DAY="2"))
    assert [asking(world, number(each)) for each in range(2)] == [303, 303]
    assert refused(world, number(3)) == ([MANY.format("24 hours")], "86400")
    assert asking(world, number(3), address=ELSEWHERE) == 303
    assert asking(world, "nobody@example.org") == 303
    time.pass_(hours=25)
    assert asking(world, number(3)) == 303


def test_sms_total_day(make_app, time):
    world = World(make_app(SMS_TOTAL_DAY="2"))
    for each, status in enumerate([303, 303, 429]):
        assert asking(world, number(each), address=f"192.0.{each}.1") == status
    assert asking(world, "nobody@example.org") == 303
    time.pass_(hours=25)
    assert asking(world) == 303


def test_a_total_of_none_stops_sms_and_nothing_else(make_app):
    world = World(make_app(SMS_TOTAL_DAY="0"))
    assert refused(world) == ([MANY.format("24 hours")], "86400")
    assert world.channels() == []
    ann = world.account()
    browser = world.inside(ann.email)
    browser.get(PHONE)
    assert browser.submit(PHONE, phone=NUMBER).status == 429
    assert "sms" not in world.channels()
    assert asking(world, ann.email) == 303


def test_the_usual_limits_count_for_sms_too(make_app, time):
    world = World(make_app(SENDS_PER_HOUR="2"))
    for _ in range(2):
        assert asking(world) == 303
        time.pass_(seconds=61)
    words = ["We have sent 2 messages. Wait 58 minutes, or call the helpdesk."]
    assert refused(world)[0] == words


def test_how_many_emails_were_sent_is_said(make_app, time):
    world = World(make_app(SENDS_PER_HOUR="1", SEND_COOLDOWN_SECONDS="10"))
    assert asking(world, "nobody@example.org") == 303
    time.pass_(minutes=45)
    words = ["We have sent 1 email. Wait 15 minutes, or call the helpdesk."]
    assert refused(world, "nobody@example.org") == (words, "900")


def test_a_refused_message_takes_no_turn_of_any_limit(make_app, time):
    world = World(make_app(SMS_PER_NUMBER_DAY="2"))
    assert [asking(world) for _ in range(5)] == [303, 429, 429, 429, 429]
    time.pass_(seconds=61)
    assert asking(world) == 303


@pytest.mark.parametrize(
    "seconds, location", [(119, f"{PHONE}/code"), (121, f"/security/confirm?next={PHONE}")]
)
def test_step_up_seconds(make_app, time, seconds, location):
    world = World(make_app(STEP_UP_SECONDS="120"))
    ann = world.account()
    browser = world.inside(ann.email)
    for _ in range(2):
        time.pass_(seconds=seconds)
        browser.get(PHONE)
        assert browser.submit(PHONE, phone=NUMBER).location == location
        time.pass_(seconds=121)
        browser.get(f"/security/confirm?next={PHONE}")
        browser.submit(f"/security/confirm?next={PHONE}", password=PASSWORD)
