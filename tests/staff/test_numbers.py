"""The page of numbers: each step of recovery counted once, and read from sums alone."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import event

from portal.core import audit, clock
from portal.core.db import db, transaction
from portal.core.tally import MOST_PARTS, OTHER, Tally
from portal.delivery import service as delivery
from portal.recovery import funnel
from portal.staff import sums
from tests.attacks.conftest import block
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.policy.world import ANN, NUMBER, World, choose, type_code, wrong
from tests.rigs import authenticator
from tests.rigs.databases import KIND
from tests.staff.acting import act, page_of

STEPS = (
    "Asked for a way back in",
    "Accepted by the mail server",
    "Opened, or a code typed",
    "Code or button used",
    "New password chosen",
)
UNKNOWN = "who@example.org"
AUTH = "/api/v1/auth/"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def look(world, agent):
    """look("/admin?days=7") -> the page, as somebody of the helpdesk sees it, whatever the time."""
    browser = agent("viewer")

    def opened(path="/admin"):
        page = browser.get(path)
        if page.location:
            sign_in(browser, browser.email)
            authenticator.enter(browser, browser.factor)
            page = browser.get(path)
        return page

    return opened


def counted(world, name, part=""):
    """How often this was counted, over all days."""
    found = world.rows("SELECT sum(count) FROM tally WHERE name = :n AND part = :p", n=name, p=part)
    return found[0][0] or 0


def parts(world, name):
    """All parts under which it was counted."""
    found = world.rows("SELECT part, sum(count) FROM tally WHERE name = :n GROUP BY part", n=name)
    return {str(part): count for part, count in found if part}


def steps(world, channel="email"):
    """How many came as far as each step, asked by the helpdesk or themselves."""
    return [sum(counted(world, name, channel) for name in names) for names in sums.STEPS]


def table(page, heading):
    """The rows of the table beneath the picture under this heading."""
    for card in page.tree.css(".card"):
        if card.css_first("h3").text() == heading:
            rows = card.css("tbody tr")
            return [[cell.text() for cell in row.css("th, td")] for row in rows]
    raise AssertionError(heading)


def stamps(world):
    """Which moments are written down of each recovery."""
    columns = "accepted_at, seen_at, finished_at"
    found = world.rows(
        f"SELECT {columns} FROM challenge WHERE purpose = 'password_reset' ORDER BY opened_at"  # noqa: S608
    )
    return [tuple(each is not None for each in row) for row in found]


def test_a_code_is_followed_through_every_step(world, ann, look):
    browser, mail = world.asked()
    assert steps(world) == [1, 1, 0, 0, 0]
    type_code(browser, wrong(mail.code))
    assert steps(world) == [1, 1, 1, 0, 0]
    assert type_code(browser, mail.code).location == "/auth/password-reset"
    assert steps(world) == [1, 1, 1, 1, 0]
    choose(browser, OTHER_PASSWORD)
    assert steps(world) == [1, 1, 1, 1, 1]
    assert stamps(world) == [(True, True, True)]
    assert parts(world, funnel.USED) == {"email": 1, "email code": 1}
    shown = table(look(), "How far they come")
    assert shown == [[label, "1", "1 of 1"] for label in STEPS]


def test_a_link_is_followed_through_every_step_however_often_it_is_opened(world, ann, look):
    browser, mail = world.asked()
    for _again in range(3):
        assert browser.get(mail.link).status == 200
    assert steps(world) == [1, 1, 1, 0, 0]
    browser.submit(mail.link, action="continue")
    choose(browser, OTHER_PASSWORD)
    assert steps(world) == [1, 1, 1, 1, 1]
    assert parts(world, funnel.USED) == {"email": 1, "email link": 1}
    page = look()
    assert "1 of 1 pressed the button." in page.text
    assert table(page, "By mail domain") == [["example.org", "1", *["1 of 1"] * 4]]


def test_an_sms_is_followed_apart_from_email(world, ann, inside, look, time):
    world.add_phone(inside)
    world.post.deliver()
    time.pass_(hours=2)
    browser = world.visitor()
    ask(browser, NUMBER)
    type_code(browser, world.post.newest(NUMBER).code)
    choose(browser, OTHER_PASSWORD)
    assert steps(world, "sms") == [1, 1, 1, 1, 1]
    assert steps(world) == [0, 0, 0, 0, 0]
    assert table(look("/admin?channel=sms"), "How far they come")[0][1] == "1"
    assert table(look("/admin?channel=email"), "How far they come")[0][1] == "0"
    assert "By mail domain" in look().text
    for name, *_more in sums.STEPS:
        assert parts(world, funnel.by_domain(name)) == {"by phone": 1}


def test_an_unknown_address_is_in_no_step_but_its_codes_are_refused_like_others(world, ann, look):
    browser = world.visitor()
    ask(browser, UNKNOWN)
    world.post.deliver()
    type_code(browser, "123456")
    assert steps(world) == [0, 0, 0, 0, 0]
    assert parts(world, funnel.ASKED) == {"nobody": 1}
    assert parts(world, funnel.ACCEPTED) == parts(world, funnel.OPENED) == {"nobody": 1}
    assert parts(world, funnel.REFUSED) == {"email wrong": 1}
    for name in funnel.ASKED, funnel.ACCEPTED, funnel.OPENED:
        assert parts(world, funnel.by_domain(name)) == {"nobody": 1}
    assert stamps(world) == [(True, True, False)]
    assert "an address or number that nobody has: 1." in look().text


def test_a_wrong_code_takes_the_same_statements_whoever_asked(world, ann):
    with world.app.app_context():
        engine = db.engine
        # The first of a day takes one statement more.
        audit.count_now(funnel.OPENED, "email", "nobody")
        audit.count_now(funnel.by_domain(funnel.OPENED), "example.org", "nobody")
        audit.count_now(funnel.REFUSED, "email wrong")
    statements = {}
    for address in (ann.email, UNKNOWN):
        browser = world.visitor()
        ask(browser, address)
        world.post.deliver()
        for code in ("123456", "654321"):
            browser.get("/recover/code")
            said = statements[address, code] = []
            hear = lambda _c, _cur, text, *_more, into=said: into.append(text)  # noqa: E731
            event.listen(engine, "before_cursor_execute", hear)
            browser.submit("/recover/code", code=code)
            event.remove(engine, "before_cursor_execute", hear)
    # The first of a flow is its opening.
    assert len(statements[ANN, "654321"]) < len(statements[ANN, "123456"])
    assert statements[ANN, "654321"] == statements[UNKNOWN, "654321"]
    first = [
        [text for text in statements[who, "123456"] if "throttle" not in text]
        for who in (ANN, UNKNOWN)
    ]  # Ann's proof of her address has left rows there
    whole = [[text for text in each if "SAVEPOINT" not in text] for each in first]
    assert whole[0] == whole[1]
    assert any("FROM person" in text for text in whole[0])


def test_a_code_that_had_run_out_is_told_from_a_wrong_one(world, ann, look, time):
    for address in (ann.email, UNKNOWN):
        browser = world.visitor()
        ask(browser, address)
        world.post.deliver()
        assert type_code(browser, "12 34").errors  # no code at all: neither counted nor opened
        type_code(browser, "123456")
        time.pass_(seconds=31)
        type_code(browser, "123456")
    assert parts(world, funnel.REFUSED) == {"email wrong": 2, "email run-out": 2}
    assert parts(world, funnel.OPENED) == {"email": 1, "nobody": 1}
    rows = table(look(), "Codes that were refused")
    assert rows == [["Run out", "2", "2 of 4"], ["Wrong", "2", "2 of 4"]]
    assert "Refused because they had run out: 2 of 4." in look().text


def test_what_the_helpdesk_sends_is_followed_too(world, ann, agent, look, time):
    assert act(agent("support"), page_of(world), "recovery").status == 303
    mail = world.post.newest(ANN)
    browser = world.visitor()
    browser.get(mail.link)
    browser.submit(mail.link, action="continue")
    choose(browser, OTHER_PASSWORD)
    assert steps(world) == [1, 1, 1, 1, 1]
    assert parts(world, funnel.BY_SUPPORT) == {"email": 1}
    assert parts(world, funnel.by_domain(funnel.ASKED)) == {"example.org": 1}


def test_programs_walk_the_same_steps(world, ann, look, app):
    program = app.test_client()
    program.post(AUTH + "forget-password", json={"email": ANN})
    code = world.post.with_code(ANN).code
    told = {"email": ANN, "new_password": OTHER_PASSWORD}
    assert (
        program.post(AUTH + "verify-otp", json=told | {"otp_code": wrong(code)}).status_code >= 400
    )
    assert steps(world) == [1, 1, 1, 0, 0]
    answer = program.post(AUTH + "verify-otp", json=told | {"otp_code": code})
    assert answer.status_code == 200, answer.text
    assert steps(world) == [1, 1, 1, 1, 1]
    assert stamps(world) == [(True, True, True)]


def test_a_new_sign_up_that_ends_in_a_new_password_is_no_recovery(world, look):
    browser = world.visitor()
    open_account(browser, "new@example.org", "Noor New")
    mail = world.post.newest("new@example.org")
    other = world.visitor(address="203.0.113.9")
    other.get(mail.link)
    assert other.submit(mail.link).location == "/auth/password-reset"
    choose(other, OTHER_PASSWORD)
    assert counted(world, "recovery:finished") == 1
    assert steps(world) == [0, 0, 0, 0, 0]
    assert counted(world, funnel.TOOK) == 0


def test_a_message_that_was_overtaken_before_it_left_is_not_accepted(make_app, ann):
    world = World(make_app(SEND_COOLDOWN_SECONDS="0"))
    for _each in range(2):
        ask(world.visitor(), ANN)
    world.post.deliver()
    assert steps(world) == [2, 1, 0, 0, 0]
    assert stamps(world) == [(False, False, False), (True, False, False)]


def test_a_message_that_is_not_accepted_is_no_step(make_app, ann):
    world = World(make_app(EMAIL_BACKEND="smtp", EMAIL_HOST="127.0.0.1", EMAIL_PORT="1"))
    ask(world.visitor(), ANN)
    with world.app.app_context():
        delivery.deliver_due()
    assert steps(world) == [1, 0, 0, 0, 0]
    assert stamps(world) == [(False, False, False)]


@pytest.mark.parametrize("seconds", [1, 7, 20, 47, 90, 333, 899, 5_000])
def test_the_time_to_get_back_in_is_kept_to_an_eighth(seconds):
    assert abs(funnel.bucket(seconds) - seconds) <= max(0.5, 0.125 * seconds)


def test_the_time_runs_from_asking_to_the_new_password(world, ann, look, time):
    browser, mail = world.asked()
    time.pass_(seconds=20)
    type_code(browser, mail.code)
    time.pass_(seconds=70)
    choose(browser, OTHER_PASSWORD)
    assert parts(world, funnel.TOOK) == {f"email {funnel.bucket(90)}": 1}
    page = look()
    assert "1 came back in, after about 85 seconds." in page.text
    assert table(page, "Time to get back in") == [
        ["Less than 30 seconds", "0", "0 of 1"],
        ["30 seconds to 1 minute", "0", "0 of 1"],
        ["1 minute to 2 minutes", "1", "1 of 1"],
        ["2 minutes to 5 minutes", "0", "0 of 1"],
        ["5 minutes to 15 minutes", "0", "0 of 1"],
        ["15 minutes to 1 hour", "0", "0 of 1"],
        ["1 hour or longer", "0", "0 of 1"],
    ]


def test_times_are_grouped_from_their_first_second_on(world, look):
    invent(world, 0, funnel.ASKED, **{"": 1, "email": 1})
    for seconds in (1, 29, 30, 59, 60, 120, 299, 300, 900, 3599, 3600, 99_999):
        invent(world, 0, funnel.TOOK, **{f"email {seconds}": 1})
    counts = [row[1] for row in table(look(), "Time to get back in")]
    assert counts == ["2", "2", "1", "2", "1", "2", "2"]


def until_nine(time):
    """A story of some hours is told on one day, whatever the hour at which tests are run."""
    begun = time.at.replace(hour=9, minute=0, second=0, microsecond=0)
    time.at = begun if begun >= time.at else begun + timedelta(days=1)


def test_each_step_is_shown_on_its_day(world, ann, look, time):
    until_nine(time)
    browser, mail = world.asked()
    type_code(browser, mail.code)
    time.pass_(hours=2)
    invent(world, 3, funnel.ACCEPTED, email=7, sms=2, nobody=5)
    invent(world, 3, funnel.FINISHED, **{"": 4, "sms": 4})
    rows = table(look("/admin?days=7"), "Day by day")
    assert rows[0][1:] == ["1", "1", "1", "1", "0"]
    assert rows[3][1:] == ["0", "9", "0", "0", "4"]
    assert [row[1:] for row in rows[4:]] == [["0"] * 5] * 3
    rows = table(look("/admin?days=7&channel=email"), "Day by day")
    assert rows[3][1:] == ["0", "7", "0", "0", "0"]


def test_a_day_on_which_more_come_back_in_than_ask_stays_inside_the_picture(world, look):
    invent(world, 1, funnel.ASKED, **{"": 1, "email": 1})
    invent(world, 1, funnel.FINISHED, email=90)
    page = look()
    bars = page.tree.css("[aria-labelledby^=walk-h] rect[y]")
    assert [float(bar.attributes["y"]) for bar in bars] == [118.8, 12]


def test_what_has_to_wait_is_counted_once_a_request_whoever_asks(world, ann, look):
    for address in (ann.email, UNKNOWN):
        browser = world.visitor()
        ask(browser, address)
        world.post.deliver()
        answers = [type_code(browser, "123456").status for _each in range(7)]
        assert answers == [422] * 5 + [429] * 2
        assert ask(world.visitor(), address).status == 429
    assert (counted(world, sums.CODES), counted(world, sums.SENDS)) == (4, 2)
    page = look()
    assert table(page, "Too many wrong codes from a message")[0][1] == "4"
    assert table(page, "Messages not sent, too many asked for")[0][1] == "2"


def test_programs_that_have_to_wait_are_counted_once_a_request(world, ann, app):
    program = app.test_client()
    for address in (ANN, UNKNOWN):
        program.post(AUTH + "forget-password", json={"email": address})
        told = {"email": address, "new_password": OTHER_PASSWORD, "otp_code": "123456"}
        answers = [program.post(AUTH + "verify-otp", json=told).status_code for _each in range(7)]
        assert answers.count(429) == 2
        again = program.post(AUTH + "forget-password", json={"email": address})
        assert again.status_code == 429
    assert (counted(world, sums.CODES), counted(world, sums.SENDS)) == (4, 2)


def test_having_to_wait_takes_the_same_statements_whoever_asked(world, ann):
    with world.app.app_context():
        engine = db.engine
        for name in (sums.CODES, sums.SENDS):
            audit.count_now(name)
    statements = {}
    for address in (ann.email, UNKNOWN):
        browser, other = world.visitor(), world.visitor()
        ask(browser, address)
        world.post.deliver()
        for _each in range(5):
            type_code(browser, "123456")
        browser.get("/recover/code")
        other.get("/recover")
        said = statements[address] = []
        hear = lambda _c, _cur, text, *_more, into=said: into.append(text)  # noqa: E731
        event.listen(engine, "before_cursor_execute", hear)
        assert browser.submit("/recover/code", code="123456").status == 429
        assert other.submit("/recover", identifier=address).status == 429
        event.remove(engine, "before_cursor_execute", hear)
    assert any("tally" in each for each in statements[ANN])
    assert statements[ANN] == statements[UNKNOWN]


def test_second_steps_that_have_to_wait_are_counted(world, inside, look):
    factor = authenticator.set_up(inside)
    browser = world.visitor()
    sign_in(browser, ANN)
    answers = []
    for _each in range(7):
        browser.get(authenticator.BACKUP)
        answers.append(browser.submit(authenticator.BACKUP, code="abcde-fghjk").status)
    assert answers == [422] * 5 + [429] * 2
    assert factor.backups
    shown = table(look(), "Too many wrong codes at the second step")
    assert shown[0][1] == str(counted(world, sums.STEPPED)) == "2"


def test_sign_ins_and_those_kept_out_are_counted_day_by_day(world, ann, look, time):
    tries = 12
    for _each in range(tries):
        sign_in(world.visitor(), ANN, "not this one")
    time.pass_(days=1)
    assert sign_in(world.visitor(), ANN, PASSWORD).location == "/profile"
    page = look("/admin?days=7")
    refused = int(table(page, "Wrong passwords")[1][1])
    assert 0 < refused < tries
    kept_out = table(page, "Kept out after too many wrong passwords")
    assert [int(row[1]) for row in kept_out] == [0, tries - refused, 0, 0, 0, 0, 0]
    assert int(table(page, "Sign-ins")[0][1]) >= 1


def test_blocks_and_two_step_sign_in_are_counted(world, ann, look):
    block(world.app, ANN)
    page = look("/admin?days=7")
    assert table(page, "Accounts blocked by the helpdesk")[0][1] == "1"
    assert table(page, "Two-step sign-in turned on")[0][1] == "1"
    assert "Turned off in these days: 0." in page.text


def invent(world, back, name, **numbers):
    """Puts sums of a day into the tally."""
    day = clock.now().date() - timedelta(days=back)
    with world.app.app_context(), transaction() as session:
        for part, count in numbers.items():
            session.merge(Tally(name=name, day=day, part=part.replace("_", " "), count=count))


def test_periods_are_links_and_hold_so_many_days(world, look):
    for back in (0, 6, 7, 29, 30, 89, 90):
        invent(world, back, funnel.ASKED, email=1)
        invent(world, back, funnel.ASKED, **{"": 1})
    page = look()
    for days, asked in ((7, 2), (30, 4), (90, 6)):
        shown = look(page.links[f"Last {days} days"])
        assert table(shown, "How far they come")[0][1] == str(asked)
        assert shown.find('[aria-label="Period"] [aria-current]') == [f"Last {days} days"]
        assert len(table(shown, "Day by day")) == days


@pytest.mark.parametrize(
    "typed, days",
    [
        ("", 30), ("0", 7), ("8", 7), ("29", 30), ("9999", 90), ("99999999999999999999", 30),
        ("-7", 30), ("7.0", 30), ("\u0667", 30), ("7%00", 30), ("%ff", 30), ("x" * 9000, 30),
        ("7'--", 30), ("%ED%A0%80", 30),
    ],
)  # fmt: skip
def test_any_other_period_is_the_nearest_or_the_usual_one(look, typed, days):
    page = look(f"/admin?days={typed}&channel={typed}")
    assert page.status == 200
    assert page.find('[aria-label="Period"] [aria-current]') == [f"Last {days} days"]
    assert page.find('[aria-label^="How people"] [aria-current]') == ["Email and SMS"]


def test_the_page_asks_nothing_but_the_tally(world, ann, look):
    world.asked()
    look()
    asked = []
    with world.app.app_context():
        engine = db.engine
    hear = lambda _conn, _cur, statement, *_more: asked.append(statement)  # noqa: E731
    event.listen(engine, "before_cursor_execute", hear)
    try:
        look("/admin?days=90")
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    tables = {
        name for each in asked for name in re.findall(r"(?:FROM|JOIN|INTO|UPDATE) (\w+)", each)
    }
    guards = {"session", "session_secret", "person"}
    assert tables - guards == {"tally"}
    assert sum("FROM tally" in each for each in asked) <= 4


@pytest.mark.skipif(KIND != "sqlite", reason="the plan is read in SQLite's words")
def test_each_question_goes_along_the_key(world):
    asked = []
    with world.app.app_context():
        hear = lambda _conn, _cur, text, values, *_more: asked.append((text, values))  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", hear)
        found = sums.Sums(sums.span("90", None))
        found.domains(), found.days(sums.SIGN_INS)
        event.remove(db.engine, "before_cursor_execute", hear)
        driver = db.session.connection().connection.cursor()
        plans = [
            str(driver.execute("EXPLAIN QUERY PLAN " + text, values).fetchall())
            for text, values in asked
            if "FROM tally" in text
        ]
    assert len(plans) == 4
    assert all("SEARCH tally USING" in plan and "(name=? AND day" in plan for plan in plans), plans


def test_a_day_has_no_more_parts_than_are_read_quickly(world):
    with world.app.app_context():
        for start in range(0, 300, 100):
            with transaction():
                for number in range(start, start + 100):
                    audit.count("invented", f"mail{number}.example")
        audit.count_now("invented", "mail7.example")
        audit.count_now("invented", "mail299.example")
    found = parts(world, "invented")
    assert len(found) == MOST_PARTS  # all of it is one of those rows, "other" is one more
    assert found["mail7.example"] == 2
    assert found[OTHER] == 300 - (MOST_PARTS - 1) + 1
    assert counted(world, "invented") == sum(found.values()) == 302


def test_the_domain_that_refuses_mail_stands_out(world, look):
    for name, asked, accepted, finished in (
        ("gmail.com", 40, 40, 30),
        ("gmx.net", 30, 12, 10),
        ("tiny.example", 3, 0, 0),
    ):
        invent(world, 1, funnel.by_domain(funnel.OPENED), **{name: accepted})
        invent(world, 1, funnel.by_domain(funnel.USED), **{name: max(0, accepted - 1)})
        invent(world, 1, funnel.by_domain(funnel.ASKED), **{name: asked})
        invent(world, 1, funnel.by_domain(funnel.ACCEPTED), **{name: accepted})
        invent(world, 1, funnel.by_domain(funnel.FINISHED), **{name: finished})
    invent(world, 1, funnel.ASKED, **{"": 73, "email": 73})
    page = look()
    assert "Mail to gmx.net stands out: accepted 40%. Look at deliveries." in page.text
    assert table(page, "By mail domain") == [
        ["gmail.com", "40", "100%", "100%", "98%", "75%"],
        ["gmx.net", "30", "40%", "40%", "37%", "33%"],
        ["tiny.example", "3", "0 of 3", "0 of 3", "0 of 3", "0 of 3"],
    ]


def test_a_fresh_installation_says_what_will_be_here(look):
    page = look()
    assert "Nobody asked for a way back in during these days." in page.text
    assert page.find("#steps-h") == []
    assert "Look at the last 90 days" in page.links


def test_everyones_share_is_of_all_who_asked(world):
    with world.app.app_context():
        assert sums.everyone() == [None] * len(STEPS)
        invent(world, 1, funnel.ASKED, email=30, sms=5, nobody=99)
        invent(world, 2, funnel.BY_SUPPORT, email=5)
        invent(world, 1, funnel.ACCEPTED, email=50)
        invent(world, 1, funnel.FINISHED, email=10)
        invent(world, 40, funnel.FINISHED, email=10)
        assert sums.everyone() == [1.0, 1.0, 0.0, 0.0, 0.25]


@pytest.mark.parametrize("role", ["viewer", "support", "admin"])
def test_every_role_of_the_desk_may_look(agent, role):
    assert agent(role).get("/admin").h1 == "Numbers"


def test_for_others_it_is_not_there(inside, visitor):
    assert inside.get("/admin").status == 404
    assert visitor.get("/admin").location == "/sign-in?next=/admin"
