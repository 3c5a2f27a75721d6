"""What is told to whoever watches: to nobody else, nothing of a person, and right in number."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import event

from portal.core import audit, clock, crypto
from portal.core.audit import OPERATOR
from portal.core.db import transaction
from portal.core.settings import Refused
from tests.conftest import PASSWORD, ask, open_account, sign_in
from tests.rigs.caller import Caller
from tests.rigs.gunicorn import Gunicorn
from tests.rigs.server import Server
from tests.rigs.visitor import Visitor

RULES = Path(__file__).parents[2] / "deploy" / "prometheus-rules.yaml"
PUBLIC = {
    "PUBLIC_URL": "https://account.example.org", "EMAIL_BACKEND": "smtp", "BCRYPT_COST": "12",
}  # fmt: skip
TOKEN = "watching-0123456789-abcdefghijklmnop"
SAMPLE = re.compile(r"^(latchkey_\w+)(?:\{(.*)\})? ([0-9.e+-]+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
HERE, THERE = "127.0.0.1", "198.51.100.7"


def fetch(app, address=HERE, **headers):
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(
        "/metrics", headers=sent, environ_overrides={"REMOTE_ADDR": address}
    )


def numbers(text):
    """(name, frozenset of its labels) -> number."""
    return {
        (name, frozenset(LABEL.findall(labels))): float(number)
        for name, labels, number in SAMPLE.findall(text)
    }


def number(app, name, **labels):
    found = numbers(fetch(app).get_data(as_text=True))
    return found.get((f"latchkey_{name}", frozenset(labels.items())), 0.0)


@pytest.fixture
def count(app):
    """count("events_total", event="x") -> how many more there are than at the start."""
    before = numbers(fetch(app).get_data(as_text=True))

    def more(name, **labels):
        key = f"latchkey_{name}", frozenset(labels.items())
        return number(app, name, **labels) - before.get(key, 0.0)

    return more


def test_this_machine_may_read_them_and_nobody_else(app):
    answer = fetch(app)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert fetch(app, "::1").status_code == 200
    assert fetch(app, THERE).status_code == 404


def test_what_looks_like_this_machine_may_be_a_proxy_where_the_portal_is_for_others(make_app):
    public = make_app(**PUBLIC, METRICS_TOKEN=TOKEN)
    assert fetch(public, HERE).status_code == 404
    assert fetch(public, HERE, Authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize("headers", [
    {"X_Forwarded_For": HERE},
    {"Forwarded": f"for={HERE}"},
    {"X_Forwarded_Host": "localhost"},
    {"Host": "127.0.0.1", "X_Forwarded_For": f"{HERE}, {HERE}"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer null"},
])  # fmt: skip
def test_forged_headers_open_nothing(app, make_app, headers):
    assert fetch(app, THERE, **headers).status_code == 404
    behind = make_app(TRUSTED_PROXIES="127.0.0.0/8")
    assert fetch(behind, THERE, **headers).status_code == 404
    assert fetch(behind, HERE, **headers).status_code == 404


def test_who_has_the_token_reads_them_from_anywhere(make_app):
    app = make_app(METRICS_TOKEN=TOKEN, TRUSTED_PROXIES="127.0.0.1/32")
    for address in HERE, THERE:
        assert fetch(app, address, Authorization=f"Bearer {TOKEN}").status_code == 200
        for wrong in TOKEN[:-1], TOKEN + "x", "", "ä", TOKEN.upper():
            refused = fetch(app, address, Authorization=f"Bearer {wrong}")
            assert refused.status_code == 404, wrong
        assert fetch(app, address, Authorization=f"Basic {TOKEN}").status_code == 404
        assert fetch(app, address).status_code == 404


def test_refusal_looks_like_any_page_that_is_not_there(make_app):
    app = make_app(METRICS_TOKEN=TOKEN)
    refused = fetch(app, THERE)
    nothing = app.test_client().get("/nothing", environ_overrides={"REMOTE_ADDR": THERE})
    assert refused.data == nothing.data


def test_a_token_that_can_be_guessed_is_refused_in_production(make_app):
    for weak in "short", "ab" * 20:
        with pytest.raises(Refused, match="METRICS_TOKEN"):
            make_app(**PUBLIC, METRICS_TOKEN=weak)
    assert make_app(**PUBLIC, METRICS_TOKEN=TOKEN)


def test_every_route_is_a_rule_and_every_method_a_known_one(app):
    client = app.test_client()
    for path in "/nowhere/ann@example.org", "/recover/link/" + "x" * 43, "/%00", "/profile":
        client.get(path)
    client.open("/sign-in", method="PROPFIND7")
    client.open("/sign-in", method="ANN")
    rules = {rule.rule for rule in app.url_map.iter_rules()} | {"-"}
    found = [dict(labels) for _name, labels in numbers(fetch(app).get_data(as_text=True))]
    assert {each["route"] for each in found if "route" in each} <= rules
    methods = {each["method"] for each in found if "method" in each}
    assert "other" in methods
    assert methods <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}
    assert {each["status"] for each in found if "status" in each} <= {"2xx", "3xx", "4xx", "5xx"}


def test_a_request_is_counted_once_with_its_time(app, count):
    name = {"route": "/help", "method": "GET", "status": "2xx"}
    for _ in range(3):
        app.test_client().get("/help")
    assert count("request_seconds_count", **name) == 3
    assert count("request_seconds_bucket", **name, le="+Inf") == 3
    assert 0 < count("request_seconds_sum", **name) < 30
    assert count("requests_under_way") == 0  # the one that asks stands in both


def test_the_way_back_in_is_counted_step_by_step(app, ann, post, count):
    browser = Visitor(app)
    ask(browser, ann.email)
    browser.follow()
    mail = post.newest(ann.email)
    browser.submit("/recover/code", code=mail.code)
    browser.follow()
    new = "wooden planet friday"
    browser.submit("/auth/password-reset", password=new, confirm_password=new)
    for step in "asked", "accepted", "opened", "used", "finished":
        kept = {"event": f"recovery:{step}", "part": "email"}
        assert count("event_parts_total", **kept) == 1, step
        assert count("events_total", event=f"recovery:{step}") == 1, step
    assert count("event_parts_total", event="recovery:used", part="email code") == 1


def test_sign_ins_are_counted_by_outcome_and_waits_by_limit(app, ann, count):
    sign_in(Visitor(app), ann.email)
    stranger = Visitor(app, address="203.0.113.9")
    for _ in range(12):
        sign_in(stranger, ann.email, "a wrong password 9")
    assert count("events_total", event="sign-in:begun") == 1
    assert count("events_total", event="sign-in:refused") == 10
    assert count("events_total", event="sign-in:kept-out") == 2
    assert count("throttled_total", limit="wrong password") == 2
    assert count("work_seconds_count", kind="hash") >= 11
    assert number(app, "work_waiting", kind="hash") == 0


def test_what_was_undone_is_not_counted(app, count):
    with app.app_context():
        with pytest.raises(ZeroDivisionError), transaction():
            audit.record("test:undone", None, OPERATOR)
            _ = 1 / 0
        with transaction():
            audit.record("test:kept", None, OPERATOR)
    assert count("events_total", event="test:undone") == 0
    assert count("events_total", event="test:kept") == 1


def test_what_waits_is_counted_until_it_is_sent(app, ann, post, time):
    post.deliver()
    waiting = {"channel": "email", "state": "new"}
    assert number(app, "queue_messages", **waiting) == 0
    ask(Visitor(app), ann.email)
    time.pass_(seconds=90)
    assert number(app, "queue_messages", **waiting) == 1
    assert number(app, "queue_oldest_seconds", **waiting) == pytest.approx(90, abs=1)
    before = number(app, "deliveries_total", channel="email", outcome="accepted")
    post.deliver()
    assert number(app, "queue_messages", **waiting) == 0
    assert number(app, "deliveries_total", channel="email", outcome="accepted") == before + 1
    assert number(app, "hand_over_seconds_count", channel="email") >= 1


def test_a_known_and_an_unknown_address_are_counted_alike_but_for_whose_it_is(app, ann, post):
    seen = {}
    for email in ann.email, "who@example.org":
        before = numbers(fetch(app).get_data(as_text=True))
        ask(Visitor(app), email)
        post.deliver()
        after = numbers(fetch(app).get_data(as_text=True))
        more = {key: after[key] - before.get(key, 0) for key in after}
        seen[email] = {
            (name, frozenset(each for each in labels if each[0] != "part")): count
            for (name, labels), count in more.items()
            if count and not re.search("_seconds(_sum|_bucket)?$", name)
        }
    assert seen[ann.email] == seen["who@example.org"]


def test_no_label_says_anything_of_a_person(app, post, time):
    email, name = "secret.person@canary-domain.example", "Very Private"
    browser = Visitor(app, address="203.0.113.77")
    open_account(browser, email, name)
    browser.follow()
    mails = [post.newest(email)]
    browser.submit("/sign-up/code", code=mails[0].code)
    browser.get("/profile")
    browser.submit("/profile/bio", bio="deeply private words")
    time.pass_(minutes=2)
    ask(browser, email)
    mails.append(post.newest(email))
    browser.get(mails[1].link)
    browser.get("/recover/code")
    browser.submit("/recover/code", code="000000")
    for _ in range(12):
        sign_in(Visitor(app, address="203.0.113.78"), email, "a wrong password 9")
    text = fetch(app).get_data(as_text=True)
    assert "/recover/link/<string:token>" in text
    canaries = ["secret.person", "canary-domain", "canary", "Private", "203.0.113", PASSWORD]
    canaries += [part for mail in mails for part in (mail.code, mail.link.rpartition("/")[2])]
    for canary in canaries:
        assert canary not in text, canary


def test_a_defect_is_counted(app, count, monkeypatch):
    monkeypatch.setattr(crypto, "same", lambda *_: 1 / 0)
    assert sign_in(Visitor(app), "ann@example.org").status == 500
    monkeypatch.undo()
    assert count("defects_total") == 1
    assert count("request_seconds_count", route="/sign-in", method="POST", status="5xx") == 1


def test_alarms_are_about_numbers_that_there_are(app, ann, post):
    ask(Visitor(app), ann.email)
    there = {name for name, _labels in numbers(fetch(app).get_data(as_text=True))}
    wanted = set(re.findall(r"latchkey_\w+", RULES.read_text()))
    assert wanted - there == {"latchkey_sender_seen_timestamp_seconds"}  # no worker runs here


def test_connections_in_use_come_back_to_none(app, ann):
    sign_in(Visitor(app), ann.email)
    assert number(app, "database_connections_in_use") <= 1


def test_a_worker_that_looks_is_seen(tmp_path):
    with Server(tmp_path) as portal:
        until = time.monotonic() + 15
        name = "latchkey_sender_seen_timestamp_seconds", frozenset()
        while name not in (found := numbers(Caller(portal.url).open("/metrics").text)):
            assert time.monotonic() < until, portal.log()
            time.sleep(0.1)
        assert abs(found[name] - clock.now().timestamp()) < 20


def test_the_numbers_of_several_processes_add_up_and_outlive_one_of_them(tmp_path):
    route = {("route", "/help"), ("method", "GET"), ("status", "2xx")}
    wanted = "latchkey_request_seconds_count", frozenset(route)
    with Gunicorn(tmp_path) as portal:
        for _ in range(60):
            assert Caller(portal.url).open("/help").status == 200
        told = [numbers(Caller(portal.url).open("/metrics").text) for _ in range(12)]
        assert [each[wanted] for each in told] == [60] * 12
        assert "latchkey_part_up" in {name for name, _labels in told[0]}
        before = portal.workers()
        os.kill(before[0], signal.SIGKILL)
        until = time.monotonic() + 30
        while len(set(portal.workers()) - {before[0]}) < 2:
            assert time.monotonic() < until
            time.sleep(0.1)
        for _ in range(20):
            Caller(portal.url).open("/help")
        assert numbers(Caller(portal.url).open("/metrics").text)[wanted] == 80


def test_a_look_at_the_queue_has_an_end_and_uses_an_index(app):
    """Ten thousand rows at most, found by what waits, however much was ever sent."""
    statements = []
    with app.app_context():
        from portal.core import schema  # noqa: PLC0415 - beside what it is about

        with schema.aside() as line:
            engine = line.engine
    listen = lambda _c, _k, statement, *_: statements.append(statement)  # noqa: E731
    event.listen(engine, "before_cursor_execute", listen)
    fetch(app)
    event.remove(engine, "before_cursor_execute", listen)
    (queue,) = [each for each in statements if "FROM outbox" in each]
    assert "LIMIT" in queue
