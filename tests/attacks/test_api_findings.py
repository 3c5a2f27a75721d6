"""What an attacker who has read the source finds at the doors for programs."""

import time as stopwatch
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import func, select, update

from portal.accounts import people, sessions
from portal.accounts.models import Person
from portal.codes.models import Otp
from portal.core.db import db, transaction
from tests.attacks.conftest import KINDS, bring_in, png
from tests.conftest import OTHER_PASSWORD, PASSWORD, Post

EVE, OWNER, STRANGER = "eve@example.org", "192.0.2.20", "203.0.113.9"
REGISTER, VERIFY = "/api/v1/auth/register", "/api/v1/auth/verify-email"
RESEND, TOKEN = "/api/v1/auth/resend-verification", "/api/v1/auth/token"
SIGN_UP, BY_NAME = "/auth/sign-up/user/", "/auth/forgot-password/"
ASK, RESET = "/forgot-password", "/reset-password"
NEW = {"new_password": OTHER_PASSWORD}


class Program:
    """Calls the portal without cookies, from the network that it is told."""

    def __init__(self, app):
        self.client, self.post = app.test_client(use_cookies=False), Post(app)

    def say(self, path, body=None, net=STRANGER, method="POST", **more):
        sent = {"json": body} if body is not None else {}
        more |= {"method": method, "environ_base": {"REMOTE_ADDR": net}}
        return self.client.open(path, **sent, **more)

    def enter(self, email, password=PASSWORD, net=STRANGER):
        """-> the header that an access token makes."""
        pair = self.say(TOKEN, {"email": email, "password": password}, net).json
        return {"Authorization": f"Bearer {pair['access_token']}"}


@pytest.fixture
def program(app) -> Program:
    return Program(app)


@pytest.fixture
def guesser(app, time, crowd, program) -> Program:
    """Whoever asks about one address of each of KINDS, some days later."""
    bring_in(app, crowd)
    time.pass_(days=2)
    return program


def called(app, name):
    with app.app_context(), transaction() as session:
        mine = update(Person).where(Person.email_key == KINDS["known"])
        session.execute(mine.values(username=name, username_key=name))


def guess(program, email, times):
    body = {"email": email, "otp": "000000", **NEW}
    return [program.say(RESET, body).status_code for _ in range(times)]


def test_a_guess_at_a_sign_up_and_five_at_a_recovery_do_not_tell_who_has_an_account(guesser, time):
    told = {}
    for email in KINDS.values():
        guesser.say(VERIFY, {"email": email, "code": "000000"})
    time.pass_(seconds=200)
    for round_ in range(2):
        for email in KINDS.values():
            assert guesser.say(ASK, {"email": email}).status_code == 200
        guesser.post.deliver()
        for kind, email in KINDS.items():
            told.setdefault(kind, []).append(guess(guesser, email, 3))
        time.pass_(seconds=101)
        assert round_ or set(map(str, told.values())) == {"[[401, 401, 401]]"}
    assert len(set(map(str, told.values()))) == 1, told


def test_guesses_before_and_after_a_sign_up_do_not_tell_who_had_an_account(guesser, time):
    told = {kind: [] for kind in KINDS}
    for path, seconds, times in (None, 0, 1), (REGISTER, 200, 3), (RESEND, 101, 3):
        time.pass_(seconds=seconds)
        for email in KINDS.values():
            more = {"password": PASSWORD, "full_name": "Zed"} if path == REGISTER else {}
            assert path is None or guesser.say(path, {"email": email, **more}).status_code < 203
        guesser.post.deliver()
        for kind, email in KINDS.items():
            typed = {"email": email, "code": "000000"}
            told[kind] += [guesser.say(VERIFY, typed).status_code for _ in range(times)]
    assert len(set(map(str, told.values()))) == 1, told


def test_how_often_messages_may_be_asked_for_does_not_tell_who_had_an_account(guesser, time):
    told, wish = {kind: [] for kind in KINDS}, {"password": PASSWORD, "full_name": "Zed"}
    steps = (0, ASK), (61, REGISTER), (2000, ASK), (61, ASK), (61, ASK)
    for seconds, path in (*steps, (1418, ASK), (61, ASK), (61, ASK)):
        time.pass_(seconds=seconds)
        for kind, email in KINDS.items():
            body = {"email": email, **(wish if path == REGISTER else {})}
            told[kind].append(guesser.say(path, body).status_code)
    assert len(set(map(str, told.values()))) == 1, told


def test_a_code_for_an_address_tells_nothing_of_sign_ups_of_days_ago(program, time):
    program.say(REGISTER, {"email": EVE, "password": PASSWORD, "full_name": "Eve"})
    proof = {"email": EVE, "code": program.post.newest(EVE).code}
    assert program.say(VERIFY, proof).status_code == 200
    time.pass_(days=10)
    told = [
        program.say(VERIFY, {"email": who, "code": "000000"}) for who in (EVE, "no@example.org")
    ]
    assert told[0].json == told[1].json


def test_codes_asked_for_by_username_count_among_the_accounts_wrong_codes(app, guesser, time):
    called(app, "ann.knows")
    for _ in range(3):  # within five minutes, in which five wrong ones are looked at
        assert guesser.say(BY_NAME, {"username": "ann.knows"}).status_code == 200
        guesser.post.deliver()
        guess(guesser, KINDS["known"], 3)
        time.pass_(seconds=61)
    with app.app_context():
        mine = select(func.sum(Otp.attempts)).where(Otp.purpose == "password_reset")
        assert db.session.scalar(mine) <= 5


def test_dos_06_asking_by_username_no_more_than_doubles_what_one_address_is_sent(
    app, guesser, time
):
    """A count shared with the address would tell whose username it is."""
    called(app, "ann.knows")
    before = len(guesser.post.deliver())
    for _ in range(30):
        for path, body in (ASK, {"email": KINDS["known"]}), (BY_NAME, {"username": "ann.knows"}):
            guesser.say(path, body)
            after = len(guesser.post.deliver())
        time.pass_(minutes=31)
    assert 10 < after - before <= 20


def test_the_newest_code_of_two_who_sign_up_does_not_let_the_stranger_in(program, time):
    wish = {"email": EVE, "full_name": "Eve Owner"}
    program.say(REGISTER, wish | {"password": PASSWORD}, OWNER)
    program.post.deliver()
    time.pass_(seconds=61)
    program.say(REGISTER, wish | {"password": OTHER_PASSWORD})
    said = program.say(VERIFY, {"email": EVE, "code": program.post.newest(EVE).code}, OWNER)
    assert "choose a new password" in said.json["message"]
    assert program.say(TOKEN, {"email": EVE, "password": OTHER_PASSWORD}).status_code == 401
    assert program.say(TOKEN, {"email": EVE, "password": PASSWORD}, OWNER).status_code == 401
    program.say(ASK, {"email": EVE}, OWNER)
    third = "copper river friday morning"
    reset = {"email": EVE, "otp": program.post.with_code(EVE).code, "new_password": third}
    assert program.say(RESET, reset, OWNER).status_code == 200
    assert program.say(TOKEN, {"email": EVE, "password": third}, OWNER).status_code == 200


def test_who_signs_up_twice_with_one_password_keeps_it(program, time):
    wish = {"email": EVE, "full_name": "Eve Owner", "password": PASSWORD}
    for _ in range(2):
        assert program.say(REGISTER, wish, OWNER).status_code == 202
        time.pass_(seconds=61)
        code = program.post.newest(EVE).code
    assert program.say(VERIFY, {"email": EVE, "code": code}, OWNER).status_code == 200
    assert program.say(TOKEN, {"email": EVE, "password": PASSWORD}, OWNER).status_code == 200


def test_family_d_does_not_let_the_stranger_in_either(program, time):
    both = {"password": PASSWORD, "confirm_password": PASSWORD}
    program.say(SIGN_UP, {"email": EVE, **both}, OWNER)
    program.post.deliver()
    time.pass_(seconds=61)
    strangers = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    program.say(SIGN_UP, {"email": EVE, **strangers})
    mail = program.post.newest(EVE)
    path = next(line for line in mail.text.split() if "/auth/verify-otp/" in line)
    path = path[path.index("/auth/") :]
    assert program.say(path, {"otp": mail.code}, OWNER).status_code == 200
    assert program.say(TOKEN, {"email": EVE, "password": OTHER_PASSWORD}).status_code == 401


def test_a_recovery_leaves_neither_username_nor_picture_of_a_stranger(program, time):
    typed = {"password": PASSWORD, "confirm_password": PASSWORD, "username": "rude.word"}
    program.say(SIGN_UP, {"email": EVE, "full_name": "Rude Words", **typed})
    time.pass_(seconds=61)
    program.say(ASK, {"email": EVE}, OWNER)
    code = program.post.with_code(EVE).code
    assert program.say(RESET, {"email": EVE, "otp": code, **NEW}, OWNER).status_code == 200
    header = program.enter(EVE, OTHER_PASSWORD, OWNER)
    seen = program.say("/api/v1/profile", method="GET", headers=header).json
    assert (seen["username"], seen["picture"]) == (None, None)


def test_a_stranger_is_no_usual_visitor_once_the_address_is_proven(program, time):
    program.say("/register", {"email": EVE, "password": PASSWORD, "full_name": "Eve"})
    time.pass_(seconds=61)
    program.say(ASK, {"email": EVE}, OWNER)
    program.say(RESET, {"email": EVE, "otp": program.post.with_code(EVE).code, **NEW}, OWNER)
    program.enter(EVE, OTHER_PASSWORD)
    assert [mail.subject for mail in program.post.alerts(EVE)]


def test_a_part_of_a_form_without_a_name_is_a_bad_request(ann, program):
    part = b"--q\r\nContent-Disposition: form-data\r\n\r\nhi\r\n--q--\r\n"
    sent = {"data": part, "content_type": "multipart/form-data; boundary=q"}
    sent["headers"] = program.enter(ann.email)
    assert program.say("/api/v1/profile/picture", **sent).status_code == 400


def test_a_change_that_waits_while_its_sign_in_ends_is_not_made(app, ann, program):
    """A picture is read for a while, and others wait for their turn: time for the owner to act."""
    sent = {"full_name": "Rude Words", "avatar": (BytesIO(png()), "a.png")}
    more = {"headers": program.enter(ann.email), "data": sent}
    change = Thread(target=program.say, args=["/update-profile"], kwargs=more)
    with app.app_context(), transaction():
        person_id = people.lock(people.find(ann.email).id).id
        change.start()
        wait_for_files(Path(app.config["UPLOAD_FOLDER"]))
        sessions.end_all(person_id)
    change.join()
    with app.app_context():
        kept = people.get(person_id)
        assert (kept.full_name, kept.picture_name) == (ann.full_name, None)


def wait_for_files(folder):
    until = stopwatch.monotonic() + 15
    while not any(each.is_file() for each in folder.rglob("*")):
        assert stopwatch.monotonic() < until
        stopwatch.sleep(0.01)
