"""Changing the password where the settings ask for a code that was sent by email, both doors."""

import pytest

from tests.conftest import OTHER_PASSWORD, PASSWORD, sign_in
from tests.policy.test_password_numbers import THIRD_PASSWORD
from tests.policy.world import ANN, World, wrong

PAGE, SEND = "/security/password", "/security/password/code"
SUBJECT = "Confirm that it is you"
C, D = "/api/auth/change-password", "/user-profile/update-password/"
TOKEN = "/api/v1/auth/token"


@pytest.fixture
def app(make_app):
    return make_app(REQUIRE_CODE_FOR_PASSWORD_CHANGE="1")


@pytest.fixture
def world(app):
    return World(app)


def change(browser, new=OTHER_PASSWORD, code="", old=PASSWORD):
    browser.get(PAGE)
    typed = {"old_password": old, "password": new, "confirm_password": new}
    return browser.submit(PAGE, **typed, code=code)


def codes(world):
    """Sends what is due.  -> the messages with such a code, newest first."""
    return [mail for mail in world.post.deliver() if mail.subject == SUBJECT]


def test_without_a_code_one_is_sent_and_the_page_asks_for_it(world, inside):
    page = change(inside)
    assert page.status == 422
    assert page.errors == {"code": "We have sent a code to your email address. Type it here."}
    assert SEND in page.forms
    (mail,) = codes(world)
    assert mail.to == ANN
    assert "Nobody at Latchkey will ask you for this code." in mail.text
    assert "/recover" in mail.text
    assert mail.code not in mail.subject
    assert sign_in(world.visitor(), ANN).location == "/profile"
    assert change(inside, code=mail.code).location == PAGE
    assert "Your password is changed." in inside.follow().banner
    assert sign_in(world.visitor(), ANN, OTHER_PASSWORD).location == "/profile"


def test_the_code_can_be_asked_for_first(world, inside):
    page = inside.get(PAGE)
    assert "takes a code that we send to your email address" in page.text
    assert inside.submit(SEND).location == PAGE
    assert inside.follow().banner == "We have sent a new email. Use the newest one."
    assert change(inside, code=codes(world)[0].code).location == PAGE


def test_another_code_waits_a_minute_and_kills_the_older_one(world, inside, time):
    inside.get(PAGE)
    inside.submit(SEND)
    old = codes(world)[0].code
    inside.get(PAGE)
    page = inside.submit(SEND)
    assert (page.status, page.headers["Retry-After"]) == (429, "60")
    assert change(inside).errors == {
        "code": "We have sent you an email a moment ago. Type its code."
    }
    assert len(codes(world)) == 1
    time.pass_(seconds=61)
    inside.get(PAGE)
    assert inside.submit(SEND).status == 303
    new = codes(world)[0].code
    assert change(inside, code=old).errors == {
        "code": "That code is not right. Check the newest email and try again."
    }
    assert change(inside, code=new).status == 303


def test_nothing_is_sent_before_all_else_that_was_typed_is_right(world, inside):
    assert change(inside, old="not this one").errors == {
        "old_password": "That is not your current password"
    }
    assert set(change(inside, new="short").errors) == {"password"}
    assert codes(world) == []


def test_a_password_of_before_leaves_the_code_good_and_its_try(world, inside):
    change(inside)
    code = codes(world)[0].code
    for _ in range(7):
        assert set(change(inside, new=PASSWORD, code=code).errors) == {"password"}
    assert change(inside, code=code).status == 303


def test_a_code_works_once(world, inside, time):
    change(inside)
    code = codes(world)[0].code
    assert change(inside, code=code).status == 303
    assert change(inside, new=THIRD_PASSWORD, code=code, old=OTHER_PASSWORD).status == 429
    assert sign_in(world.visitor(), ANN, OTHER_PASSWORD).location == "/profile"


def test_the_sixth_wrong_code_waits_and_the_right_one_is_worth_nothing_then(world, inside):
    change(inside)
    code = codes(world)[0].code
    for step in range(1, 6):
        assert change(inside, code=wrong(code, step)).status == 422
    assert change(inside, code=code).status == 429
    assert sign_in(world.visitor(), ANN).location == "/profile"


@pytest.mark.parametrize("typed, words", [
    ("12", "The code has 6 digits. You typed 2."), ("abcdef", "The code has digits only"),
    ("\0", "The code has digits only"), ("9" * 10_000, "The code has 6 digits. You typed 10000."),
    ("١٢٣٤٥٦", "The code has digits only"),
])  # fmt: skip
def test_what_cannot_be_a_code_is_said_and_not_counted(world, inside, typed, words):
    change(inside)
    code = codes(world)[0].code
    for _ in range(6):
        assert change(inside, code=typed).errors == {"code": words}
    assert change(inside, code=f" {code[:3]}-{code[3:]} ").status == 303


def test_a_code_runs_out_after_ten_minutes(world, inside, time):
    change(inside)
    code = codes(world)[0].code
    time.pass_(seconds=601)
    assert change(inside, code=code).errors == {"code": "That code has run out. Send a new code."}


def test_a_code_is_good_in_the_browser_that_asked_alone(world, inside):
    change(inside)
    code = codes(world)[0].code
    page = change(world.inside(), code=code)
    assert page.errors == {"code": "We have sent a code to your email address. Type it here."}
    assert sign_in(world.visitor(), ANN).location == "/profile"


def test_somebody_elses_code_is_worth_nothing(world, inside, sign_up):
    sign_up("bob@example.org", "Bob Other")
    bob = world.inside("bob@example.org")
    change(bob)
    code = codes(world)[0].code
    change(inside)
    assert change(inside, code=code).status == 422


def test_wrong_codes_of_a_strangers_recovery_do_not_keep_the_owner_from_it(world, inside, time):
    browser, mail = world.asked()
    for step in range(1, 6):
        browser.get("/recover/code")
        browser.submit("/recover/code", code=wrong(mail.code, step))
    change(inside)
    assert change(inside, code=codes(world)[0].code).status == 303


def test_the_code_dies_with_a_recovery_that_finished_meanwhile(world, inside):
    change(inside)
    world.command("users", "block", ANN)
    world.command("users", "unblock", ANN)
    assert inside.get(PAGE).location == f"/sign-in?next={PAGE}"
    open_ = "SELECT count(*) FROM challenge WHERE purpose = 'step_up' AND closed_at IS NULL"
    assert world.rows(open_) == [(0,)]


@pytest.fixture
def program(app, ann):
    """program("/path", old_password=...) -> the answer to Ann's program."""
    typed = {"email": ANN, "password": PASSWORD}
    access = app.test_client().post(TOKEN, json=typed).json["access_token"]
    bearer = {"Authorization": f"Bearer {access}"}

    def call(path, **body):
        ask = app.test_client().put if path == D else app.test_client().post
        return ask(path, json=body, headers=bearer)

    return call


def body_for(path, new=OTHER_PASSWORD, **more):
    if path == C:
        return {"old_password": PASSWORD, "new_password": new, **more}
    return {"old_password": PASSWORD, "password": new, "confirm_password": new, **more}


@pytest.mark.parametrize("path", [C, D])
def test_a_program_is_told_that_a_code_is_needed_and_repeats_with_it(world, program, path, time):
    answer = program(path, **body_for(path))
    assert (answer.status_code, answer.json["code_required"]) == (403, True)
    assert answer.json["message"]
    (mail,) = codes(world)
    assert program(path, **body_for(path)).json["code_required"] is True
    assert len(codes(world)) == 1, "Within a minute the same code is waited for."
    refused = program(path, **body_for(path, code=wrong(mail.code)))
    assert refused.status_code == (422 if path == C else 400)
    assert "code" in (refused.json["errors"] if path == C else refused.json)
    assert program(path, **body_for(path, code=mail.code)).status_code == 200
    assert sign_in(world.visitor(), ANN, OTHER_PASSWORD).location == "/profile"


@pytest.mark.parametrize("path", [C, D])
def test_a_program_that_typed_the_wrong_password_causes_no_message(world, program, path):
    body = body_for(path) | {"old_password": "not this one"}
    assert program(path, **body).status_code in (403, 422)
    assert "code_required" not in program(path, **body).json
    assert codes(world) == []


@pytest.mark.parametrize("path", [C, D])
def test_a_code_that_nobody_sent_changes_nothing(world, program, path):
    answer = program(path, **body_for(path, code="000000"))
    assert (answer.status_code, answer.json["code_required"]) == (403, True)
    assert sign_in(world.visitor(), ANN).location == "/profile"


def test_a_code_of_a_page_is_no_good_for_a_program_nor_the_other_way(world, inside, program):
    change(inside)
    code = codes(world)[0].code
    assert program(C, **body_for(C, code=code)).status_code in (403, 429)
    assert sign_in(world.visitor(), ANN).location == "/profile"


def test_one_familys_code_is_good_in_the_other(world, program):
    program(D, **body_for(D))
    code = codes(world)[0].code
    assert program(C, **body_for(C, code=code)).status_code == 200


def test_confirming_the_password_first_does_not_spare_the_code(world, program):
    assert program("/api/auth/confirm-password", password=PASSWORD).status_code == 200
    new = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
    assert program(D, **new).json["code_required"] is True
    assert program(D, **new, code=codes(world)[0].code).status_code == 200


def test_sends_are_limited_like_any_other(world, program, time):
    time.pass_(days=2)
    access = world.app.test_client().post(TOKEN, json={"email": ANN, "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {access.json['access_token']}"}
    statuses = []
    for _ in range(6):
        answer = world.app.test_client().post(C, json=body_for(C), headers=bearer)
        statuses.append(answer.status_code)
        time.pass_(seconds=61)
    assert statuses == [403] * 5 + [429]


def test_the_document_names_the_code_and_the_refusal(app):
    document = app.test_client().get("/api/v1/openapi.json").json
    for path, method in (("/api/v1/auth/change-password", "post"), (D, "put")):
        operation = document["paths"][path][method]
        assert "403" in operation["responses"]
        assert "code_required" in operation["description"]
        (content,) = operation["requestBody"]["content"].values()
        assert "code" in str(content["schema"])
