"""Nobody learns from signing up or in through the API who has an account: four programs at once."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, update

from portal.accounts.models import Person
from portal.core.db import db, transaction
from tests.attacks.conftest import KINDS, bring_in, dump
from tests.conftest import OTHER_PASSWORD, PASSWORD

NAMES = {"known": "ann.knows", "unproven": "new.comer", "blocked": "bad.luck", "unknown": "who.is"}
WRITES = "INSERT", "UPDATE", "DELETE"
REGISTER, VERIFY = "/api/v1/auth/register", "/api/v1/auth/verify-email"
RESEND, TOKEN = "/api/v1/auth/resend-verification", "/api/v1/auth/token"
SIGN_UP, SIGN_IN = "/auth/sign-up/user/", "/auth/sign-in/user/"
FORGOT = "/auth/forgot-password/"
WISH = {"password": PASSWORD, "full_name": "Zed Zero"}
TWICE = {"password": PASSWORD, "confirm_password": PASSWORD}


class Programs:
    """They say the same at the same moment, each about somebody of another kind."""

    def __init__(self, app):
        self.app, self.client = app, app.test_client(use_cookies=False)

    def say(self, path, **body):
        """`{}` in a text stands for the address, `<>` for the username.  -> what all were told."""
        told = {kind: self._one(kind, path, body) for kind in KINDS}
        for kind, (seen, _writes) in told.items():
            assert seen == told["unknown"][0], f"{kind} differs from unknown at {path}"
        self.writes = {kind: writes for kind, (_seen, writes) in told.items()}
        return told["unknown"][0]

    def _one(self, kind, path, body):
        at = {"REMOTE_ADDR": f"203.0.{list(KINDS).index(kind)}.7"}
        typed = {name: self._filled(kind, value) for name, value in body.items()}
        with counted() as writes:
            answer = self.client.post(path, json=typed, environ_base=at)
        names = sorted((k, v) for k, v in answer.headers if k not in ("Date", "X-Request-ID"))
        text = answer.text.replace(KINDS[kind], "{}").replace(NAMES[kind], "<>")
        return (answer.status_code, text, names), dict(writes)

    def _filled(self, kind, value):
        return value.replace("{}", KINDS[kind]).replace("<>", NAMES[kind])


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """The statements that write, by their first three words."""
    found: Counter[str] = Counter()

    def note(_conn, _cursor, statement, *_more):
        first_of_its_day = statement.startswith("INSERT INTO tally")
        if statement.startswith(WRITES) and not first_of_its_day:
            found[" ".join(statement.split()[:3])] += 1

    event.listen(db.engine.__class__, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(db.engine.__class__, "before_cursor_execute", note)


@pytest.fixture
def programs(app, time, crowd):
    bring_in(app, crowd)
    time.pass_(days=2)
    with app.app_context(), transaction() as session:
        for kind, name in NAMES.items():
            mine = update(Person).where(Person.email_key == KINDS[kind])
            session.execute(mine.values(username=name, username_key=name))
    with app.app_context():
        yield Programs(app)


def statuses(programs, times, path, **body):
    return [programs.say(path, **body)[0] for _ in range(times)]


def work(programs):
    """What everybody's asking has to write alike."""
    kept = ("INSERT INTO challenge", "INSERT INTO outbox", "UPDATE throttle SET")
    return [{name: writes.get(name) for name in kept} for writes in programs.writes.values()]


@pytest.mark.parametrize(
    "path, body, status",
    [
        (REGISTER, {"email": "{}", **WISH}, 202),
        (SIGN_UP, {"email": "{}", **TWICE}, 201),
        (RESEND, {"email": "{}"}, 200),
        (FORGOT, {"email": "{}"}, 200),
        (FORGOT, {"username": "<>"}, 200),
    ],
)
def test_enum_asking_for_a_message_looks_the_same_for_everyone(programs, time, path, body, status):
    assert statuses(programs, 3, path, **body) == [status, 429, 429]
    time.pass_(seconds=61)
    assert statuses(programs, 2, path, **body) == [status, 429]
    assert all(each == work(programs)[0] for each in work(programs))
    for _ in range(3):
        time.pass_(seconds=61)
        assert programs.say(path, **body)[0] == status
    time.pass_(seconds=61)
    assert programs.say(path, **body)[0] == 429  # five an hour
    time.pass_(hours=1)
    assert programs.say(path, **body)[0] == status


@pytest.mark.parametrize("ask", [RESEND, REGISTER, None])
def test_enum_guessing_codes_looks_the_same_for_everyone(programs, post, time, ask):
    if ask:
        programs.say(ask, email="{}", **(WISH if ask == REGISTER else {}))
        post.deliver()
    guess = {"email": "{}", "code": "000000"}
    assert statuses(programs, 7, VERIFY, **guess) == [422] * 5 + [429] * 2
    for span in 301, 301, 3600, 86_400:
        time.pass_(seconds=span)
        assert programs.say(VERIFY, **guess)[0] in (422, 429)


def test_enum_asking_for_the_code_again_looks_the_same_for_everyone(programs, post, time):
    guess = {"email": "{}", "code": "000000"}
    for path in REGISTER, RESEND, SIGN_UP, RESEND:
        time.pass_(seconds=301)
        more = {REGISTER: WISH, SIGN_UP: TWICE}.get(path, {})
        programs.say(path, email="{}", **more)
        post.deliver()
        assert programs.say(VERIFY, **guess)[0] == 422
    time.pass_(seconds=601)
    assert "run out" in programs.say(VERIFY, **guess)[1]


@pytest.mark.parametrize("who", [{"email": "{}"}, {"username": "<>"}])
def test_enum_a_wrong_password_looks_the_same_for_everyone(programs, time, who):
    typed = who | {"password": OTHER_PASSWORD}
    assert statuses(programs, 12, SIGN_IN, **typed) == [401] * 10 + [429] * 2
    assert all(each == work(programs)[0] for each in work(programs))
    time.pass_(seconds=901)
    if "email" in who:
        assert statuses(programs, 12, TOKEN, **typed) == [401] * 10 + [429] * 2


def test_enum_a_username_is_taken_whatever_the_address(programs, time):
    """Even with the address that it belongs to: nobody learns that they belong together."""
    for name, status in (("ann.knows", 400), ("bad.luck", 400), ("new.comer", 201), ("free", 201)):
        time.pass_(seconds=601)
        assert programs.say(SIGN_UP, email="{}", username=name, **TWICE)[0] == status


def test_enum_a_taken_username_costs_no_message(programs):
    assert programs.say(SIGN_UP, email="{}", username="ann.knows", **TWICE)[0] == 400
    assert programs.say(SIGN_UP, email="{}", username="an.other", **TWICE)[0] == 201


def test_enum_nobody_but_the_owner_gets_mail(programs, post, time):
    programs.say(RESEND, email="{}")
    got = {mail.to: mail for mail in reversed(post.deliver())}
    assert set(got) == {KINDS["known"], KINDS["unproven"], KINDS["blocked"]}
    assert got[KINDS["unproven"]].has_code
    assert not got[KINDS["known"]].has_code
    assert not got[KINDS["blocked"]].has_code


HTML = {"Accept": "text/html,*/*;q=0.8"}
LINK = r"/auth/(?:verify-otp|reset-password)/\S+"


@pytest.mark.parametrize("path, body", [(SIGN_UP, TWICE), (FORGOT, {})])
def test_csrf_looking_at_a_link_changes_nothing(app, sign_up, post, time, path, body):
    sign_up("ann@example.org")
    time.pass_(days=1)
    client = app.test_client(use_cookies=False)
    email = "ann@example.org" if path == FORGOT else "who@example.org"
    client.post(path, json={"email": email, **body})
    link = re.search(LINK, post.newest(email).text)[0]
    before = dump(app)
    for headers in {}, HTML:
        assert client.get(link, headers=headers).status_code == 200
        assert client.head(link, headers=headers).status_code == 200
        assert client.get(link[:-2] + "/", headers=headers).status_code in (400, 410)
    assert dump(app) == before


@pytest.mark.parametrize("page", ["/sign-up/link/", "/recover/link/"])
def test_authz_the_button_of_the_page_leads_to_choosing_a_password(app, visitor, post, time, page):
    """Whoever signed up may not have been the owner: the page lets nobody in with that password."""
    client = app.test_client(use_cookies=False)
    client.post(SIGN_UP, json={"email": "who@example.org", **TWICE})
    if page == "/recover/link/":
        time.pass_(seconds=61)
        client.post(FORGOT, json={"email": "who@example.org"})
    link = re.search(LINK, post.newest("who@example.org").text)[0]
    visitor.get(link, headers=HTML)
    action = {"action": "continue"} if page == "/recover/link/" else {}
    answer = visitor.submit(page + link.split("/")[4], **action)
    assert answer.location == "/auth/password-reset"
    assert client.get(link).status_code == 400


def test_authz_the_link_of_a_recovery_proves_no_sign_up_and_the_other_way_round(client_of, post):
    client_of.post(SIGN_UP, json={"email": "who@example.org", **TWICE})
    mail = post.newest("who@example.org")
    proof = re.search(LINK, mail.text)[0]
    reset = proof.replace("verify-otp", "reset-password")
    chosen = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    assert client_of.post(reset, json=chosen).status_code == 400
    client_of.post(FORGOT, json={"email": "who@example.org"})
    recovery = post.newest("who@example.org")
    wrong = re.search(LINK, recovery.text)[0].replace("reset-password", "verify-otp")
    for code in mail.code, recovery.code:
        assert client_of.post(wrong, json={"otp": code}).status_code == 400
    resend = wrong.replace("verify-otp", "resend-otp")
    assert client_of.post(resend).status_code == 400


@pytest.fixture
def client_of(app):
    return app.test_client(use_cookies=False)
