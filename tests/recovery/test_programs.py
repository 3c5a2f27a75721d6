"""Getting back in through programs: what is good where, and what nobody learns."""

import pytest
from sqlalchemy import event, select

from portal.accounts import holding, people
from portal.accounts.models import Session
from portal.codes import terms
from portal.core.audit import By
from portal.core.db import db, transaction
from portal.core.errors import LinkDead, NothingAsked, Rejected, TooSoon
from portal.recovery.service import asking, links, resetting
from portal.recovery.service.resetting import Choice, Identity
from portal.security.service import password as changing
from portal.security.service.password import Change
from tests.attacks.conftest import block, dump
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.policy.test_password_numbers import THIRD_PASSWORD
from tests.policy.world import NUMBER, OTHER_NUMBER, World, choose, type_code, wrong

AUTH = "/api/v1/auth/"
FORGET, VERIFY, TOKEN = AUTH + "forget-password", AUTH + "verify-otp", AUTH + "token"
FORGOT, RESEND = AUTH + "forgot-password", AUTH + "resend-password-reset"
VALIDATE, RESET = AUTH + "validate-password-reset", AUTH + "reset-password"
CHANGE, CONFIRM = AUTH + "change-password", AUTH + "confirm-password"
KINDS = {
    "known": "ann@example.org",
    "unproven": "new@example.org",
    "blocked": "bad@example.org",
    "held": "odd@example.org",
    "unknown": "who@example.org",
}
ELSEWHERE = By(network="203.0.113.0/24", device="a program")
NEW = Choice(OTHER_PASSWORD)


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def call(app):
    """call(FORGET, email=...) -> the answer; `network` tells where from, `access` for whom."""

    def post(path, /, network="198.51.100", access="", **body):
        headers = {"Authorization": f"Bearer {access}"} if access else {}
        where = {"REMOTE_ADDR": f"{network}.7"}
        return app.test_client().post(path, json=body, headers=headers, environ_overrides=where)

    return post


@pytest.fixture
def crowd(app, world, call, time):
    """One account of each kind, its kind for a username; who has been away for a while."""
    accounts = {kind: email for kind, email in KINDS.items() if kind != "unknown"}
    open_account(world.visitor(address="192.0.2.9"), accounts["unproven"])
    for kind in "known", "blocked", "held":
        world.account(accounts[kind])
    with app.app_context(), transaction():
        for kind, email in accounts.items():
            person = people.find(email)
            person.username = person.username_key = kind
        holding.hold(people.find(accounts["held"]), By())
    block(app, accounts["blocked"])
    world.post.deliver()
    time.pass_(days=2)
    world.command("purge")  # what was counted then
    call(FORGET, email="first@example.org")  # what is counted for everybody starts
    return KINDS


def by_code(email, code, password=OTHER_PASSWORD):
    return {"email": email, "otp": code, "new_password": password}


def asked(world, call, email, path=FORGET):
    """-> the message that a program asked for."""
    assert call(path, email=email).status_code == 200
    return world.post.with_code(email)


def token_of(mail):
    return mail.link.rpartition("/")[2]


def signed_in(call, email, password=PASSWORD):
    """-> what a program holds."""
    answer = call(TOKEN, email=email, password=password)
    assert answer.status_code == 200, answer.json
    return answer.json


# ------------------------------------------------------------------ nobody learns who is here


class Programs:
    """They do the same at the same moment, each for another kind of account; all see the same."""

    def __init__(self, app, call, names):
        self.app, self.call, self.names = app, call, names

    def post(self, path, **body):
        """`{}` in what is sent stands for the own name.  -> what they all saw."""
        views = {}
        for number, (kind, name) in enumerate(self.names.items()):
            sent = {key: each.format(name) for key, each in body.items()}
            with Writes(self.app) as writes:
                answer = self.call(path, network=f"203.0.{number}", **sent)
            said = {key: each for key, each in answer.json.items() if key != "timestamp"}
            headers = sorted(p for p in answer.headers if p[0] not in ("Date", "X-Request-ID"))
            seen = str(said).replace(name, "NAME")
            views[kind] = (answer.status_code, seen, headers, writes.found)
        for kind, view in views.items():
            assert view == views["unknown"], f"{kind} differs from unknown at {path}"
        return answer


class Writes:
    """Every statement that writes, by its first words."""

    def __init__(self, app):
        self.app, self.run = app, []

    def note(self, _connection, _cursor, statement, *_more):
        words = statement.split()
        first_of_its_day = words[:3] == ["INSERT", "INTO", "tally"]
        if words[0] in ("INSERT", "UPDATE", "DELETE") and not first_of_its_day:
            self.run.append(" ".join(words[:3]))

    @property
    def found(self):
        """In one order: counts are taken in that of their hashes."""
        return sorted(self.run)

    def __enter__(self):
        with self.app.app_context():
            event.listen(db.engine, "before_cursor_execute", self.note)
        return self

    def __exit__(self, *_):
        with self.app.app_context():
            event.remove(db.engine, "before_cursor_execute", self.note)


@pytest.fixture
def programs(app, call, crowd):
    return Programs(app, call, crowd)


def test_the_calls_of_family_b_look_and_cost_the_same_for_every_address(programs, world, time):
    body = {"email": "{}", "otp_code": "000000", "new_password": OTHER_PASSWORD}
    assert programs.post(VERIFY, **body).status_code == 400
    assert programs.post(FORGET, email="{}").status_code == 200
    assert programs.post(VERIFY, **body).status_code == 400  # before anything was sent
    assert programs.post(FORGET, email=" {} ").status_code == 429
    world.post.deliver()
    statuses = [programs.post(VERIFY, **body).status_code for _ in range(6)]
    assert statuses == [400, 400, 400, 429, 429, 429]
    time.pass_(seconds=61)
    assert programs.post(FORGET, email="{}").status_code == 200
    world.post.deliver()
    assert programs.post(VERIFY, **body).status_code == 429  # of all codes in five minutes
    time.pass_(seconds=300)
    for typed in "12", "abc", "", "１２３４５６", "123 456":
        programs.post(VERIFY, **body | {"otp_code": typed})
    assert programs.post(VERIFY, **body | {"new_password": "short"}).status_code == 400
    time.pass_(seconds=301)
    assert "run out" in programs.post(VERIFY, **body).json["errors"]["otp_code"]
    time.pass_(days=1)
    statuses = []
    for _ in range(6):
        statuses.append(programs.post(FORGET, email="{}").status_code)
        time.pass_(seconds=61)
    assert statuses == [200] * 5 + [429]


def test_the_calls_of_family_c_look_and_cost_the_same_for_every_address(programs, world, time):
    body = {"email": "{}", "otp": "000000"}
    reset = body | {"new_password": OTHER_PASSWORD}
    assert programs.post(VALIDATE, **body).json["reason"] == "invalid"
    assert programs.post(FORGOT, email="{}").status_code == 200
    assert programs.post(RESEND, email="{}").status_code == 429
    world.post.deliver()
    assert programs.post(VALIDATE, **body).json["reason"] == "invalid"
    assert programs.post(RESET, **reset).status_code == 400
    assert programs.post(VALIDATE, **body).status_code == 400
    assert programs.post(RESET, **reset).status_code == 429
    assert programs.post(VALIDATE, **body).json["reason"] == "too-many-tries"
    time.pass_(seconds=301)
    assert programs.post(RESEND, email="{}").status_code == 200
    world.post.deliver()
    assert programs.post(RESET, **reset, confirm_password="x").status_code == 400
    assert programs.post(RESET, **reset).status_code == 400
    time.pass_(seconds=601)
    assert programs.post(VALIDATE, **body).json["reason"] == "expired"
    assert programs.post(RESET, **reset).status_code == 400


def test_the_calls_look_and_cost_the_same_for_every_number(app, call, crowd, world, time):
    numbers = {"known": NUMBER, "blocked": OTHER_NUMBER, "unknown": "+447400999888"}
    with app.app_context(), transaction():
        for kind in "known", "blocked":
            people.find(crowd[kind]).phone = numbers[kind]
    call(FORGOT, phone="+447400777666")  # what is counted for everybody starts
    programs, body = Programs(app, call, numbers), {"phone": "{}", "otp": "000000"}
    assert programs.post(RESET, **body, new_password=OTHER_PASSWORD).status_code == 400
    assert programs.post(FORGOT, phone="{}").status_code == 200
    assert programs.post(RESEND, phone="{}").status_code == 429
    world.post.deliver()
    statuses = [programs.post(VALIDATE, **body).status_code for _ in range(4)]
    assert statuses == [400, 400, 400, 429]
    time.pass_(seconds=601)
    assert programs.post(VALIDATE, **body).json["reason"] == "expired"
    assert programs.post(RESET, **body, new_password=OTHER_PASSWORD).status_code == 400


def api():
    return terms.api(links.PATH)


def told(act, *arguments):
    """What a story says no with, if it does."""
    try:
        return act(*arguments)
    except (Rejected, TooSoon, NothingAsked) as refused:
        return type(refused).__name__, refused.code, refused.message


def test_asking_by_username_looks_and_costs_the_same_for_every_one(app, crowd, world, time):
    with app.test_request_context():
        asking.start_by_username("first", api(), ELSEWHERE)  # what is counted for its network
    for _ in range(7):
        seen = []
        for name in (*crowd, "no one at all", "n" * 500):
            with app.test_request_context(), Writes(app) as writes:
                seen.append((told(asking.start_by_username, name, api(), ELSEWHERE), writes.found))
        for each in seen:
            assert each == seen[0]
        time.pass_(seconds=61)
    assert seen[0][0][0] == "TooSoon"
    assert {mail.to for mail in world.post.deliver() if mail.has_code} >= {crowd["known"]}


def test_a_username_cannot_be_linked_to_an_address(app, world, crowd):
    """Neither by waiting times nor by what a wrong code says, does, or costs."""
    guess = "000000", NEW, ELSEWHERE
    with app.test_request_context():
        asking.start_by_username("known", api(), ELSEWHERE)
    world.post.deliver()
    seen = {}
    for kind in "known", "unknown":
        identity, story = Identity(email=crowd[kind]), []
        with app.test_request_context(), Writes(app) as writes:
            for _ in range(5):
                story.append(told(resetting.check_code, identity, "000000"))
                story.append(told(resetting.reset_by_code, identity, *guess))
        with app.test_request_context():
            story.append(told(asking.start_by_email, crowd[kind], api(), ELSEWHERE))
        world.post.deliver()
        with app.test_request_context():
            story += [told(resetting.reset_by_code, identity, *guess) for _ in range(4)]
        seen[kind] = story, writes.found
    assert seen["known"] == seen["unknown"]
    assert [each[0] for each in story[:10]] == ["NothingAsked"] * 10
    assert story[10] is None
    assert [each[0] for each in story[11:]] == ["Rejected"] * 3 + ["TooSoon"]


def test_a_code_that_the_link_showed_late_is_still_good(world, call, ann, time):
    call(FORGET, email=ann.email)
    time.pass_(seconds=890)  # the message waited
    mail = world.post.newest(ann.email)
    time.pass_(seconds=890)
    browser = world.visitor()
    browser.get(mail.link)
    page = browser.submit(mail.link, action="show-code")
    [shown] = page.find(".shown-code")
    time.pass_(seconds=590)
    assert call(VALIDATE, email=ann.email, otp=shown).json["expires_in"] == 10
    assert call(RESET, **by_code(ann.email, shown)).status_code == 200


def test_who_once_asked_looks_like_who_never_did(world, call, ann, time):
    code = asked(world, call, ann.email).code
    time.pass_(hours=1)
    for path in RESET, VALIDATE:
        late = call(path, **by_code(ann.email, code))
        never = call(path, **by_code("never@example.org", code))
        assert (late.status_code, late.json) == (never.status_code, never.json)


# ------------------------------------------------------------------ what is good where


def test_a_code_asked_for_by_username_is_good_with_the_accounts_address(app, world, crowd, call):
    with app.test_request_context():
        asking.start_by_username(" KNOWN ", api(), ELSEWHERE)
    code = world.post.with_code(crowd["known"]).code
    assert call(VALIDATE, email=crowd["known"], otp=code).json["valid"] is True
    assert call(RESET, **by_code(crowd["held"], code)).status_code == 400
    assert call(RESET, **by_code(crowd["known"], code)).status_code == 200
    assert call(RESET, **by_code(crowd["known"], code, THIRD_PASSWORD)).status_code == 400
    signed_in(call, crowd["known"], OTHER_PASSWORD)


def test_a_username_that_moves_on_takes_no_code_along(app, world, crowd, call):
    with app.test_request_context():
        asking.start_by_username("known", api(), ELSEWHERE)
    code = world.post.with_code(crowd["known"]).code
    for kind, username in ("known", None), ("unproven", "known"):
        with app.app_context(), transaction():
            people.find(crowd[kind]).username_key = username
    for kind in "known", "unproven":
        assert call(RESET, **by_code(crowd[kind], code)).status_code == 400


def test_a_code_asked_for_by_username_has_three_tries(app, world, crowd, call):
    with app.test_request_context():
        asking.start_by_username("known", api(), ELSEWHERE)
    code = world.post.with_code(crowd["known"]).code
    for step in 1, 2, 3:
        assert call(RESET, **by_code(crowd["known"], wrong(code, step))).status_code == 400
    assert call(RESET, **by_code(crowd["known"], code)).status_code == 400


def test_the_link_of_a_program_says_whose_account_it_is_where_links_do(app, world, ann):
    with app.test_request_context():
        how = terms.api("/auth/link/{uid}/{token}/")
        asking.start_by_email(ann.email, how, ELSEWHERE)
        uid = people.find(ann.email).uuid
    path = world.post.newest(ann.email).link
    assert path.startswith(f"/auth/link/{uid}/")
    token = path.rstrip("/").rpartition("/")[2]
    with app.test_request_context():
        assert resetting.check_link(token, str(uid)) == 900
        for other in "x", str(uid).replace(str(uid)[0], "g"):
            with pytest.raises(LinkDead) as dead:
                resetting.check_link(token, other)
            assert dead.value.code == "unknown"
            with pytest.raises(LinkDead):
                resetting.reset_by_link(token, NEW, ELSEWHERE, other)
        resetting.reset_by_link(token, NEW, ELSEWHERE, uid)
        with pytest.raises(LinkDead) as dead:
            resetting.check_link(token, uid)
        assert dead.value.code == "used"


def test_a_pages_code_is_good_in_its_browser_alone(world, call, ann):
    _browser, mail = world.asked()
    assert call(RESET, **by_code(ann.email, mail.code)).status_code == 400
    assert call(VALIDATE, email=ann.email, otp=mail.code).json["reason"] == "invalid"
    body = {"email": ann.email, "otp_code": mail.code, "new_password": OTHER_PASSWORD}
    assert call(VERIFY, **body).status_code == 400
    signed_in(call, ann.email)


def test_a_programs_code_is_good_on_no_page(world, call, ann, time):
    browser, _mail = world.asked()
    time.pass_(seconds=61)
    code = asked(world, call, ann.email).code
    assert type_code(browser, code).status == 422
    assert call(RESET, **by_code(ann.email, code)).status_code == 200


def test_a_link_is_good_at_both_doors(world, call, ann, time):
    _browser, mail = world.asked()
    reset = {"token": token_of(mail), "new_password": OTHER_PASSWORD}
    assert call(RESET, **reset).status_code == 200
    time.pass_(seconds=61)
    mail = asked(world, call, ann.email)
    browser = world.visitor()
    browser.get(mail.link)
    assert browser.submit(mail.link, action="continue").location == "/auth/password-reset"
    assert choose(browser, THIRD_PASSWORD).location == "/sign-in"
    assert call(RESET, **by_code(ann.email, mail.code, PASSWORD)).status_code == 400


def test_codes_and_links_of_other_purposes_are_worth_nothing_here(world, call, ann):
    spy = world.visitor()
    open_account(spy, "new@example.org")
    proof = world.post.newest("new@example.org")
    for email in "new@example.org", ann.email:
        call(FORGET, email=email)
        assert call(RESET, **by_code(email, proof.code)).status_code == 400
    for token in token_of(proof), "x", "", "é", "x" * 5000, "%00", "../..":
        assert call(VALIDATE, token=token).status_code == 400
        assert call(RESET, token=token, new_password=OTHER_PASSWORD).status_code == 400
    proof = world.account("eve@example.org")
    inside = world.inside(proof.email)
    inside.get("/security/phone")
    inside.submit("/security/phone", phone=NUMBER)
    code = world.post.newest(NUMBER).code
    body = {"phone": NUMBER, "otp": code, "new_password": OTHER_PASSWORD}
    assert call(RESET, **body).status_code == 400


def test_a_code_is_good_for_its_own_account_alone(world, call, ann):
    bob = world.account("bob@example.org", "Bob Stone")
    code = asked(world, call, ann.email).code
    asked(world, call, bob.email)
    assert call(RESET, **by_code(bob.email, code)).status_code == 400
    assert call(RESET, **by_code(ann.email, code)).status_code == 200
    signed_in(call, bob.email)


def test_a_newer_wish_at_either_door_ends_the_older(world, call, ann, time):
    first = asked(world, call, ann.email, FORGET)
    time.pass_(seconds=61)
    second = asked(world, call, ann.email, RESEND)
    assert call(RESET, **by_code(ann.email, first.code)).status_code == 400
    time.pass_(seconds=61)
    _browser, third = world.asked()
    assert third.code != second.code
    assert call(RESET, **by_code(ann.email, second.code)).status_code == 400
    assert call(RESET, token=token_of(second), new_password=OTHER_PASSWORD).status_code == 400


def test_asking_again_gives_no_more_guesses(world, call, ann, time):
    statuses = []
    for _ in range(3):
        code = asked(world, call, ann.email, RESEND).code
        statuses += [
            call(VALIDATE, email=ann.email, otp=wrong(code, step)).status_code for step in (1, 2)
        ]
        time.pass_(seconds=61)
    assert statuses == [400] * 5 + [429]
    assert call(RESET, **by_code(ann.email, code)).status_code == 429


def test_the_time_of_a_code_starts_when_it_is_handed_over(world, call, ann, time):
    call(FORGET, email=ann.email)
    time.pass_(seconds=400)
    code = world.post.newest(ann.email).code
    assert call(VALIDATE, email=ann.email, otp=code).json["expires_in"] == 600
    time.pass_(seconds=599)
    assert call(VALIDATE, email=ann.email, otp=code).json["expires_in"] == 1
    time.pass_(seconds=1)
    assert call(VALIDATE, email=ann.email, otp=code).json["reason"] == "expired"
    assert call(RESET, **by_code(ann.email, code)).status_code == 400


@pytest.mark.parametrize("shape", ["{0}{1}", "{0} {1}", " {0}-{1} "])
def test_a_code_is_taken_as_people_type_it(world, call, ann, shape):
    code = asked(world, call, ann.email).code
    assert call(RESET, **by_code(ann.email, shape.format(code[:3], code[3:]))).status_code == 200


@pytest.mark.parametrize("odd", [
    123456, 123456.0, True, None, [], ["123456"], {"$ne": ""}, "１２３４５６", "٠١٢٣٤٥", "12345",
    "1234567", "0x1234", "1e5", "123456\0", "' OR 1=1", "+12345", "",
])  # fmt: skip
def test_what_cannot_be_a_code_is_refused_and_is_no_try(app, world, call, ann, odd):
    code = asked(world, call, ann.email).code
    before = dump(app)
    for _ in range(4):
        assert call(RESET, **by_code(ann.email, odd)).status_code == 400
        assert call(VALIDATE, email=ann.email, otp=odd).status_code == 400
    assert dump(app) == before
    assert call(RESET, **by_code(ann.email, code)).status_code == 200


@pytest.mark.parametrize("weak", [PASSWORD, "Ann Miller of nowhere at all", "short", ""])
def test_a_refused_password_leaves_code_and_link_good(world, call, ann, weak):
    mail = asked(world, call, ann.email)
    for proof in by_code(ann.email, mail.code), {"token": token_of(mail)}:
        for _ in range(4):
            answer = call(RESET, **proof | {"new_password": weak})
            assert (answer.status_code, set(answer.json["errors"])) == (400, {"new_password"})
    assert world.rows("SELECT attempts FROM otp WHERE consumed_at IS NULL") == [(0,)]
    assert call(RESET, **by_code(ann.email, mail.code)).status_code == 200


def test_rules_that_know_the_person_come_after_the_code(world, call, ann):
    """Or a stranger could ask for somebody's name and earlier passwords."""
    code = asked(world, call, ann.email).code
    for password in PASSWORD, "Ann Miller of nowhere at all":
        answer = call(RESET, **by_code(ann.email, wrong(code), password))
        assert set(answer.json["errors"]) == {"otp"}


def test_looking_at_a_code_or_link_changes_nothing(app, world, call, ann):
    mail = asked(world, call, ann.email)
    call(VALIDATE, email=ann.email, otp=mail.code)  # the counts exist from now on
    before = dump(app)
    for _ in range(5):
        assert call(VALIDATE, email=ann.email, otp=mail.code).status_code == 200
        assert call(VALIDATE, token=token_of(mail)).status_code == 200
    after = dump(app)
    changed = {name for name, rows in after.items() if rows != before[name]}
    assert changed <= {"otp"}  # when it was touched last
    assert world.rows("SELECT attempts, consumed_at FROM otp ORDER BY id DESC LIMIT 1") == [
        (0, None)
    ]


# ------------------------------------------------------------------ what a reset brings with it


def test_a_reset_ends_every_sign_in_and_every_other_way_in(world, call, ann, time):
    browser, pair = world.inside(), signed_in(call, ann.email)
    thief, mail = world.asked()
    assert type_code(thief, mail.code).location == "/auth/password-reset"
    time.pass_(seconds=61)
    code = asked(world, call, ann.email).code
    assert call(RESET, **by_code(ann.email, code)).status_code == 200
    assert browser.get("/profile").location == "/sign-in"
    assert call(CONFIRM, access=pair["access_token"], password=OTHER_PASSWORD).status_code == 401
    assert call(AUTH + "refresh", refresh_token=pair["refresh_token"]).status_code == 401
    assert thief.get("/auth/password-reset").location == "/recover"
    assert world.post.newest(ann.email).subject == "Your Latchkey password is changed"


def test_a_reset_proves_an_address_that_nobody_had_proven(world, call):
    open_account(world.visitor(), "new@example.org")
    world.post.deliver()
    code = asked(world, call, "new@example.org").code
    assert call(RESET, **by_code("new@example.org", code)).status_code == 200
    signed_in(call, "new@example.org", OTHER_PASSWORD)


def test_only_mail_brings_a_held_account_back(app, world, call, ann, time):
    world.add_phone(world.inside())
    time.pass_(hours=2)
    call(FORGOT, phone=NUMBER)
    sms = world.post.newest(NUMBER)
    with app.app_context(), transaction():
        holding.hold(people.find(ann.email), By())
    body = {"phone": NUMBER, "otp": sms.code, "new_password": OTHER_PASSWORD}
    assert call(RESET, **body).status_code == 400
    with app.app_context(), transaction():
        people.find(ann.email).phone = NUMBER  # as if it had stayed
    time.pass_(hours=1)
    before = len(world.post.deliver())
    assert call(FORGOT, phone=NUMBER).status_code == 200
    assert len(world.post.deliver()) == before
    assert call(TOKEN, email=ann.email, password=PASSWORD).status_code == 403
    code = asked(world, call, ann.email).code
    assert call(RESET, **by_code(ann.email, code)).status_code == 200
    signed_in(call, ann.email, OTHER_PASSWORD)


def test_without_sms_asking_by_number_is_refused_in_words(make_app):
    client = make_app(EMAIL_BACKEND="smtp").test_client()
    answer = client.post(FORGOT, json={"phone": NUMBER})
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"phone"})


# ------------------------------------------------------------------ the password once more


def test_changing_the_password_leaves_a_program_its_own_tokens_alone(world, call, ann):
    pair, other = signed_in(call, ann.email), signed_in(call, ann.email)
    browser = world.inside()
    body = {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert call(CHANGE, access=pair["access_token"], **body).status_code == 200
    assert call(AUTH + "refresh", refresh_token=other["refresh_token"]).status_code == 401
    assert browser.get("/profile").location == "/sign-in"
    assert call(AUTH + "refresh", refresh_token=pair["refresh_token"]).status_code == 200


def change_confirmed(app, old=None, new=OTHER_PASSWORD, again=None):
    """As of a program that has signed in last."""
    with app.test_request_context():
        session = db.session.scalar(select(Session).order_by(Session.id.desc()).limit(1))
        return told(changing.change_confirmed, session, Change(old, new, again), ELSEWHERE)


def test_after_confirming_the_old_password_is_not_needed_for_ten_minutes(app, call, ann, time):
    access = signed_in(call, ann.email)["access_token"]
    assert change_confirmed(app)[:2] == ("Rejected", "unconfirmed")  # signing in is not enough
    assert change_confirmed(app, "")[:2] == ("Rejected", "unconfirmed")
    assert change_confirmed(app, "wrong")[:2] == ("Rejected", "mismatch")
    assert call(CONFIRM, access=access, password=PASSWORD).status_code == 200
    assert change_confirmed(app, "wrong")[:2] == ("Rejected", "mismatch")
    time.pass_(seconds=601)
    assert change_confirmed(app)[:2] == ("Rejected", "unconfirmed")
    assert call(CONFIRM, access=access, password=PASSWORD).status_code == 200
    time.pass_(seconds=599)
    assert change_confirmed(app) == ("", 0)
    signed_in(call, ann.email, OTHER_PASSWORD)


def test_the_old_password_will_do_without_confirming(app, call, ann):
    signed_in(call, ann.email)
    assert change_confirmed(app, PASSWORD) == ("", 0)
    signed_in(call, ann.email, OTHER_PASSWORD)


@pytest.mark.parametrize("door", ["change", "confirm", "page of change", "page of confirm"])
def test_ten_wrong_passwords_behind_a_sign_in_alarm_the_owner(world, call, ann, door):
    access, browser = signed_in(call, ann.email)["access_token"], world.inside()
    change = {"old_password": "wrong", "new_password": OTHER_PASSWORD}

    def confirm():
        browser.get("/security/confirm")
        return browser.submit("/security/confirm", password="wrong")

    acts = {
        "change": lambda: call(CHANGE, access=access, **change),
        "confirm": lambda: call(CONFIRM, access=access, password="wrong"),
        "page of change": lambda: world.change_password(browser, "wrong", OTHER_PASSWORD),
        "page of confirm": confirm,
    }

    def alarms():
        found = [mail.subject for mail in world.post.alerts(ann.email)]
        return len([each for each in found if each.startswith("Someone is trying")])

    for _ in range(9):
        acts[door]()
    assert alarms() == 0
    acts[door]()
    assert alarms() == 1
    assert sign_in(world.visitor(address="203.0.113.9"), ann.email, "wrong").status == 422
    assert alarms() == 1


def test_asking_on_a_page_and_by_a_program_share_the_pause(world, call, ann, time):
    ask(world.visitor(), ann.email)
    assert call(FORGET, email=ann.email).status_code == 429
    time.pass_(seconds=61)
    assert call(FORGET, email=ann.email).status_code == 200
    assert ask(world.visitor(), ann.email).status == 429
