"""What the portal wrote to somebody and what became of it, as its owner reads it."""

import re
from datetime import UTC, timedelta

import pytest

from portal.delivery import service as delivery
from portal.delivery import transports
from portal.delivery.models import Outgoing
from portal.delivery.outcomes import (
    BROKEN,
    CERTIFICATE,
    DROPPED,
    IN_DOUBT,
    LATER,
    REFUSED,
    SIGN_IN,
    UNREACHABLE,
)
from portal.delivery.states import of
from tests.conftest import ask, sign_in
from tests.policy.world import ANN, ELSEWHERE, NUMBER, World, type_code

PAGE = "/security/messages"
BOB = "bob@example.org"
COLUMNS = "recipe, about, person_id, channel, rank, created_at, due_at, tries, trouble"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def inside(world, ann, time):
    """Ann's browser; what was written until now has left, a while ago."""
    browser = world.inside()
    world.post.deliver()
    time.pass_(minutes=5)
    return browser


def rows(browser, path=PAGE):
    """-> message, by, asked for, what became of it: for each line of the table."""
    page = browser.get(path)
    cells = page.find("tbody th, tbody td")
    return [tuple(cells[at : at + 4]) for at in range(0, len(cells), 4)]


def told(at):
    return f"{at.day} {at:%B %Y}, {at:%H:%M} UTC"


@pytest.fixture
def refused(make_app, smtp_server):
    """Sends what waits through a mail server that answers like this."""
    app = make_app(**smtp_server.settings(), EMAIL_TIMEOUT_SECONDS="1")

    def deliver(answer):
        smtp_server.clear()
        smtp_server.refuse(answer, at="RCPT")
        with app.app_context():
            delivery.deliver_due()
            transports.rest()

    return deliver


def test_the_newest_message_stands_first(world, inside, time):
    ask(world.visitor(), ANN)
    world.post.deliver()
    newest, new_device, proof = rows(inside)
    assert newest[:3] == ("Getting back in", "Email", told(time.at))
    assert newest[3] == f"Sent The mail server took it at {time.at:%H:%M} UTC."
    assert new_device[0] == "New sign-in"
    assert proof[0] == "Confirming your email address"


def test_the_overview_leads_there_and_strangers_sign_in_first(world, inside):
    assert inside.get("/security").links["Messages we sent you"] == PAGE
    assert world.visitor().get(PAGE).location == f"/sign-in?next={PAGE}"


def test_nobody_sees_the_messages_of_others(world, inside, sign_up):
    sign_up(BOB, "Bob Hill")
    browser = world.inside(BOB)
    assert len(rows(browser)) == 2
    assert len(rows(inside)) == 2
    ask(world.visitor(), "nobody@example.org")
    assert len(rows(inside)) == 2


def test_neither_address_nor_code_nor_link_stands_there(world, inside):
    world.add_phone(inside)
    _browser, mail = world.asked()
    html = inside.get(PAGE).html
    for secret in ANN, NUMBER, NUMBER[-6:], mail.code, mail.link, "not-you", "challenge":
        assert secret not in html


def test_a_message_that_waits_for_its_first_try(world, inside):
    ask(world.visitor(), ANN)
    assert rows(inside)[0][3] == "Waiting It is tried any moment now."


def test_a_server_that_says_later_is_asked_again(world, inside, refused, time):
    ask(world.visitor(), ANN)
    refused("451 4.3.0 Later")
    [(due,)] = world.rows("SELECT due_at FROM outbox WHERE done_at IS NULL")
    state = rows(inside)[0][3]
    assert state.startswith("Waiting The mail server said: not now (451 4.3.0). It is tried again")
    assert str(due)[11:16] in state
    time.pass_(minutes=1)
    assert rows(inside)[0][3].endswith("(451 4.3.0). It is tried any moment now.")


def test_a_server_that_says_no_is_quoted(world, inside, refused, time):
    said_no = "Refused The mail server said no: 550 5.1.1."
    sign_in(world.visitor(), ANN)
    ask(world.visitor(), ANN)
    refused("550 5.1.1 Unknown")
    time.pass_(minutes=20)
    refused("550 5.1.1 Unknown")
    recovery = next(row for row in rows(inside) if row[0] == "Getting back in")
    assert recovery[3] == said_no  # nobody waits for it any more, and that is why
    time.pass_(minutes=42)
    refused("550 5.1.1 Unknown")
    _latest, notice, _first = (r for r in rows(world.inside()) if r[0] == "New sign-in")
    assert notice[3] == said_no


def test_a_message_that_was_overtaken_was_not_sent(world, inside, time):
    ask(world.visitor(), ANN)
    time.pass_(seconds=61)
    ask(world.visitor(address=ELSEWHERE), ANN)
    world.post.deliver()
    newer, older = rows(inside)[:2]
    assert newer[3].startswith("Sent ")
    assert older[3].startswith("Not sent Something newer took its place")


def test_an_sms_is_told_like_an_email(world, inside):
    world.add_phone(inside)
    sms = next(row for row in rows(inside) if row[1] == "SMS")
    assert sms[0] == "Confirming your phone number"
    assert sms[3].startswith("Sent The text message service took it at ")


def test_a_person_without_messages_is_told_what_will_stand_there(world, ann, time):
    browser = world.inside(remember=True)
    world.post.deliver()
    time.pass_(days=25)
    browser.get("/profile")
    time.pass_(days=4)
    world.write("DELETE FROM outbox")
    page = browser.get(PAGE)
    assert page.find(".empty h2") == ["No messages yet"]
    assert page.find("table") == []


def test_what_is_older_than_the_record_is_not_shown(make_app, time):
    world = World(make_app(CODE_RETENTION_DAYS="2"))
    world.account()
    browser = world.inside(remember=True)
    world.post.deliver()
    assert "in the last 2 days" in browser.get(PAGE).text
    assert len(rows(browser)) == 2
    time.pass_(days=3)
    assert rows(browser) == []


def fill(world, count, recipe="recovery"):
    world.write(
        f"INSERT INTO outbox ({COLUMNS})"  # noqa: S608
        f" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        f" SELECT '{recipe}', 'x', 1, 'email', 0, :now, :now, 0, '' FROM n",
        now=f"{world.now:%Y-%m-%d %H:%M:%S.%f}",
    )


def test_fifty_stand_on_a_page(world, inside, time):
    world.now = time.at
    fill(world, 118)
    first = inside.get(PAGE)
    assert first.find("nav.pages .hint") == ["1 to 50 of 120"]
    assert first.links["Older"] == f"{PAGE}?page=2"
    assert "Newer" not in first.links
    second = inside.get(f"{PAGE}?page=2")
    assert (second.links["Newer"], second.links["Older"]) == (f"{PAGE}?page=1", f"{PAGE}?page=3")
    third = inside.get(f"{PAGE}?page=3")
    assert third.find("nav.pages .hint") == ["101 to 120 of 120"]
    assert "Older" not in third.links
    assert len(third.find("tbody tr")) == 20


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "9" * 30, "9" * 5000, "1.5"])
def test_any_other_page_is_the_nearest_there_is(world, inside, page):
    assert len(rows(inside, f"{PAGE}?page={page}")) == 2


def test_a_kind_that_is_not_written_any_more_is_a_message(world, inside, time):
    world.now = time.at
    fill(world, 1, recipe="of_long_ago")
    assert rows(inside)[0][0] == "A message"


# ------------------------------------------------------------------ a state from a row alone


@pytest.fixture
def row(time):
    return Outgoing(created_at=time.at, due_at=time.at, tries=1, trouble="", channel="email")


def test_a_message_in_somebodys_hands_is_being_sent(row, time):
    row.leased_until = time.at + timedelta(seconds=8)
    assert of(row, time.at).name == "sending"
    assert of(row, time.at + timedelta(seconds=9)).name == "waiting"


def test_a_waiting_message_says_when(row, time):
    row.due_at = time.at + timedelta(minutes=3)
    state = of(row, time.at)
    assert (state.name, state.at, state.why) == ("waiting", row.due_at, "")


@pytest.mark.parametrize("trouble, name", [
    ("", "not-needed"), (IN_DOUBT, "in-doubt"), (f"{REFUSED} 550 5.1.1", "refused"),
    (UNREACHABLE, "given-up"), (f"{LATER} 451", "given-up"), (f"{BROKEN} KeyError", "given-up"),
])  # fmt: skip
def test_how_a_message_ended(row, time, trouble, name):
    row.done_at, row.trouble = time.at, trouble
    state = of(row, time.at)
    assert (state.name, state.at) == (name, time.at)
    assert f"{state.why} {state.reply}".strip() == trouble


def test_an_accepted_message_is_accepted_whatever_was_before(row, time):
    row.done_at = row.accepted_at = time.at.astimezone(UTC)
    assert of(row, time.at).name == "accepted"


WORDS = {
    UNREACHABLE: "could not be reached",
    CERTIFICATE: "could not prove who it is",
    SIGN_IN: "did not let us in",
    REFUSED: "said no",
    LATER: "said: not now",
    DROPPED: "broke off",
    BROKEN: "our mistake",
}


@pytest.mark.parametrize("why", WORDS)
def test_every_trouble_has_its_words(world, inside, time, why):
    for channel, carrier in (("email", "mail server"), ("sms", "text message service")):
        world.write("DELETE FROM outbox")
        world.now = time.at
        fill(world, 1)
        gone = "UPDATE outbox SET done_at = created_at, trouble = :trouble, channel = :channel"
        world.write(gone, trouble=f"{why} KeyError" if why == BROKEN else why, channel=channel)
        [(_title, _by, _asked, state)] = rows(inside)
        assert WORDS[why] in state
        assert why == BROKEN or carrier in state
        assert "KeyError" not in state
        assert re.match("Given up|Refused", state)


def test_a_code_asked_for_by_a_stranger_is_seen_by_its_owner(world, inside):
    browser, mail = world.asked()
    type_code(browser, mail.code)
    assert rows(inside)[0][0] == "Getting back in"
    assert sign_in(world.visitor(), ANN).status == 303
