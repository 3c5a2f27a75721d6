"""Getting back in by phone: a code by SMS, typed where it was asked for."""

import pytest

from tests.conftest import OTHER_PASSWORD, ask, open_account, sign_in
from tests.policy.world import ANN, NUMBER, OTHER_NUMBER, PHONE, World, choose, type_code, wrong

EITHER = "Email address or phone number"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def ann(world, inside, ann, time):
    """Ann, her number proven a while ago."""
    world.add_phone(inside)
    inside.get("/profile")
    inside.submit("/sign-out")
    world.post.deliver()
    time.pass_(hours=2)
    return ann


def asked(world, number=NUMBER):
    """-> a browser that asked, and the message that was sent."""
    browser = world.visitor()
    assert ask(browser, number).location == "/recover/code"
    return browser, world.post.newest(NUMBER)


def test_a_code_by_sms_leads_to_a_new_password(world, ann):
    browser, message = asked(world)
    assert browser.follow().h1 == "Check your phone"
    assert browser.submit("/recover/code", code=message.code).location == "/auth/password-reset"
    page = browser.follow()
    assert page.form("/auth/password-reset").fields["account"] == ann.email
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert sign_in(browser, ann.email).status == 422
    assert sign_in(browser, ann.email, OTHER_PASSWORD).location == "/profile"


@pytest.mark.parametrize("typed", ["+44 7400 218305", "0044-7400-218305", "(+44) 07400 218305"])
def test_the_number_may_be_typed_as_people_do(world, ann, typed):
    browser, message = asked(world, typed)
    assert typed in browser.follow().text
    assert browser.submit("/recover/code", code=message.code).location == "/auth/password-reset"


def test_the_message_fits_one_sms_and_carries_no_link(world, ann):
    _browser, message = asked(world)
    assert message.text == (
        f"{message.code} is your Latchkey code to choose a new password. It lasts 30 seconds. "
        "Nobody at Latchkey will ask you for it. Not you? Do nothing."
    )
    assert len(message.text) <= 160
    assert message.text.isascii()


def test_the_page_says_that_either_will_do(visitor):
    page = visitor.get("/recover")
    assert page.find("label") == [EITHER]
    field = page.tree.css_first("#identifier").attributes
    assert (field["type"], field["autocomplete"]) == ("text", "username")
    page = visitor.submit("/recover", identifier=" ")
    assert page.errors == {"identifier": "Enter your email address or phone number"}


def test_without_sms_the_page_asks_for_an_address(make_app):
    visitor = World(make_app(EMAIL_BACKEND="smtp")).visitor()
    page = visitor.get("/recover")
    assert page.find("label") == ["Email address"]
    assert page.tree.css_first("#identifier").attributes["type"] == "email"
    for typed, words in (
        (NUMBER, "Enter an email address in the correct format, like name@example.com"),
        ("", "Enter your email address"),
    ):
        page = visitor.submit("/recover", identifier=typed)
        assert (page.status, page.errors) == (422, {"identifier": words})


@pytest.mark.parametrize(
    "typed", ["+7 912 345-67-89", "+44 20 7946 0000", "07400 218305", "12", "1-800-FLOWERS"]
)
def test_what_is_no_number_of_ours_is_said_beside_the_field(visitor, typed):
    visitor.get("/recover")
    page = visitor.submit("/recover", identifier=typed)
    assert (page.status, set(page.errors)) == (422, {"identifier"})
    assert page.form("/recover").fields["identifier"] == typed


def test_the_code_page_has_one_way_and_never_speaks_of_the_button(world, ann, time):
    browser, message = asked(world)
    page = browser.follow()
    assert page.find(".work h2") == ["Type the code"]
    later = [type_code(browser, wrong(message.code))]
    time.pass_(seconds=31)
    later.append(type_code(browser, message.code))
    assert later[0].errors["code"].startswith("That code is not right. Check the newest message")
    assert later[1].errors["code"] == "That code has run out. Send a new code."
    for step in range(5):
        later.append(type_code(browser, wrong(message.code, step + 2)))
    for each in page, *later:
        assert "button" not in each.text
        assert "newest email" not in each.text


def test_the_code_lives_thirty_seconds_from_hand_over(world, ann, time):
    browser = world.visitor()
    ask(browser, NUMBER)
    time.pass_(minutes=5)
    code = world.post.newest(NUMBER).code
    time.pass_(seconds=29)
    assert type_code(browser, code).location == "/auth/password-reset"


def test_five_wrong_tries_and_not_even_the_right_code_is_taken(world, ann):
    browser, message = asked(world)
    for step in range(5):
        assert type_code(browser, wrong(message.code, step + 1)).status == 422
    page = type_code(browser, message.code)
    assert (page.status, page.summary) == (
        429,
        ["Too many wrong codes. You can try again in 5 minutes."],
    )


def test_a_new_message_kills_the_older_code(world, ann, time):
    browser, old = asked(world)
    time.pass_(seconds=61)
    browser.get("/recover/code")
    assert browser.submit("/recover/resend").location == "/recover/code"
    assert browser.follow().banner == "We have sent a new message. Use the newest one."
    new = world.post.newest(NUMBER)
    assert type_code(browser, old.code).status == (303 if old.code == new.code else 422)
    assert type_code(browser, new.code).location == "/auth/password-reset"


def test_status_tells_time_and_nothing_else(world, ann):
    browser = world.visitor()
    ask(browser, NUMBER)
    assert browser.get("/recover/status").json["state"] == "waiting"
    world.post.deliver()
    then = browser.get("/recover/status").json
    assert set(then) == {"state", "seconds_left", "total", "resend_in"}
    assert (then["state"], then["total"]) == ("sent", 30)


def test_the_flow_ends_when_a_link_would(world, ann, time):
    browser, _message = asked(world)
    time.pass_(seconds=901)
    assert browser.get("/recover/code").location == "/recover"


def test_a_new_password_by_sms_proves_no_address(world, ann):
    world.write("UPDATE person SET email_proven_at = NULL")
    browser, message = asked(world)
    type_code(browser, message.code)
    assert choose(browser, OTHER_PASSWORD).location == "/sign-in"
    assert world.rows("SELECT email_proven_at FROM person") == [(None,)]


def test_a_number_that_is_only_wanted_leads_nowhere(world, ann):
    browser = world.inside()
    browser.get(PHONE)
    assert browser.submit(PHONE, phone=OTHER_NUMBER).location == f"{PHONE}/code"
    world.post.deliver()
    before = world.rows("SELECT id FROM mailbox")
    assert ask(world.visitor(), OTHER_NUMBER).location == "/recover/code"
    world.post.deliver()
    assert world.rows("SELECT id FROM mailbox") == before


def test_an_account_that_was_held_up_comes_back_by_email_alone(world, ann):
    world.write("UPDATE person SET held_at = password_changed_at")
    world.post.deliver()
    before = world.rows("SELECT id FROM mailbox")
    assert ask(world.visitor(), NUMBER).location == "/recover/code"
    world.post.deliver()
    assert world.rows("SELECT id FROM mailbox") == before


def test_a_number_that_changed_hands_before_the_message_left_gets_none(world, ann):
    ask(world.visitor(), NUMBER)
    world.write("UPDATE person SET phone = :other", other=OTHER_NUMBER)
    assert not [m for m in world.post.deliver() if "new password" in m.text and not m.html]


def test_asking_by_number_ends_what_was_asked_by_email(world, ann, time):
    """A newer code kills older ones, whichever way it came."""
    first, mail = world.asked(ANN)
    second, message = asked(world)
    assert type_code(first, mail.code).status == 422
    assert type_code(second, message.code).status == 303


def test_somebody_elses_number_does_not_lead_to_a_new_account(world, visitor):
    open_account(visitor, "new@example.org")
    assert ask(visitor, NUMBER).location == "/recover/code"
    world.post.deliver()
    assert world.rows("SELECT id FROM mailbox WHERE channel = 'sms'") == []
