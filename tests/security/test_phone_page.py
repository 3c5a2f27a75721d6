"""A phone number of one's own: added, changed, lost and removed through its pages."""

import pytest

from tests.conftest import ask
from tests.policy.world import ANN, NUMBER, OTHER_NUMBER, PHONE, World, type_code, wrong

CODE, RESEND, REMOVE = f"{PHONE}/code", f"{PHONE}/resend", f"{PHONE}/remove"
BOB = "bob@example.org"


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def with_number(world, inside):
    """Ann's browser, her number proven."""
    world.add_phone(inside)
    return inside


def asked(browser, number=NUMBER):
    browser.get(PHONE)
    return browser.submit(PHONE, phone=number)


def kept(world, email=ANN):
    return world.rows("SELECT phone, phone_wanted FROM person WHERE email = :mail", mail=email)[0]


def notices(world, email=ANN):
    found = [mail for mail in world.post.deliver() if mail.to == email]
    return [mail for mail in found if "phone number" in mail.subject.lower()]


def test_a_number_is_added_by_the_code_that_was_sent_there(world, inside, ann):
    assert "You have not added one." in inside.get("/security").text
    assert inside.get(PHONE).h1 == "Your phone number"
    assert inside.submit(PHONE, phone="+44 7400-218305").location == CODE
    page = inside.follow()
    assert (page.h1, kept(world)) == ("Check your phone", (None, NUMBER))
    assert "+44 7400 218305" in page.text
    message = world.post.newest(NUMBER)
    assert inside.submit(CODE, code=message.code).location == PHONE
    page = inside.follow()
    assert page.banner == "Your phone number is confirmed."
    assert page.find("#part-number") == ["Your number"]
    assert "+44 7400 218305" in page.text
    assert kept(world) == (NUMBER, None)
    assert "+44 7400 218305" in inside.get("/security").text


def test_the_message_fits_one_sms_and_begins_with_its_code(world, inside):
    asked(inside)
    message = world.post.newest(NUMBER)
    assert message.text == (
        f"{message.code} is your Latchkey code to add this number. It lasts 10 minutes. "
        "Nobody at Latchkey will ask you for it. Not you? Do nothing."
    )
    assert len(message.text) <= 160
    assert message.text.isascii()
    assert (message.subject, message.html) == ("", None)


def test_the_code_page_has_one_way_and_never_speaks_of_an_email(inside):
    asked(inside)
    page = inside.follow()
    assert page.find("h2") == ["Type the code"]
    for each in page, inside.submit(CODE, code="1"):
        content = each.find(".content")[0].lower()
        assert "email" not in content
        assert "button" not in content


def test_a_wrong_code_adds_nothing(world, inside):
    asked(inside)
    code = world.post.newest(NUMBER).code
    page = type_code(inside, wrong(code), CODE)
    words = "That code is not right. Check the newest message and try again."
    assert (page.status, page.errors) == (422, {"code": words})
    assert kept(world) == (None, NUMBER)
    assert type_code(inside, code, CODE).location == PHONE


def test_after_five_wrong_codes_not_even_the_right_one_is_taken(world, inside, time):
    asked(inside)
    code = world.post.newest(NUMBER).code
    for step in range(5):
        assert type_code(inside, wrong(code, step + 1), CODE).status == 422
    page = type_code(inside, code, CODE)
    assert (page.status, page.headers["Retry-After"]) == (429, "300")
    words = "Too many wrong codes. You can try again in 5 minutes."
    assert page.summary == [words]
    time.pass_(seconds=301)
    inside.submit(RESEND)
    assert type_code(inside, world.post.newest(NUMBER).code, CODE).location == PHONE


def test_the_code_runs_out_and_a_new_one_can_be_sent(world, inside, time):
    asked(inside)
    old = world.post.newest(NUMBER).code
    time.pass_(seconds=601)
    page = type_code(inside, old, CODE)
    assert page.errors == {"code": "That code has run out. Send a new code."}
    assert inside.submit(RESEND).location == CODE
    assert inside.follow().banner == "We have sent a new message. Use the newest one."
    new = world.post.newest(NUMBER).code
    assert type_code(inside, old, CODE).status == (303 if old == new else 422)
    assert type_code(inside, new, CODE).location == PHONE


def test_asking_again_at_once_has_to_wait(world, inside, time):
    asked(inside)
    page = asked(inside)
    assert (page.status, page.headers["Retry-After"]) == (429, "60")
    assert page.summary == ["We have just sent one. You can ask again in 1 minute."]
    assert page.form(PHONE).fields["phone"] == NUMBER
    inside.get(CODE)
    assert inside.submit(RESEND).status == 429
    time.pass_(seconds=61)
    assert asked(inside, OTHER_NUMBER).location == CODE


@pytest.mark.parametrize(
    "typed", ["", "07400 218305", "ann@example.org", "+7 912 345-67-89", "9" * 10_000]
)
def test_what_is_no_number_is_said_beside_the_field(world, inside, typed):
    page = asked(inside, typed)
    assert (page.status, set(page.errors)) == (422, {"phone"})
    assert page.form(PHONE).fields["phone"] == typed
    assert "sms" not in world.channels()


def test_the_number_that_is_there_already_is_not_sent_a_code(world, with_number, time):
    time.pass_(seconds=61)
    page = asked(with_number, "0044 7400 218305")
    assert page.errors == {"phone": "This is your number already. Enter another one."}


def test_a_notice_says_what_was_added_when_and_where(world, with_number, ann):
    (notice,) = notices(world)
    assert notice.subject == "A phone number was added to your Latchkey account"
    for part in notice.text, notice.html:
        assert "Hello Ann Miller." in part
        assert ann.email in part
        assert "Firefox on Linux" in part
        assert "+44 …305" in part
        assert NUMBER not in part
        assert "0800 000 000" in part
        assert "/recover" in part


def test_a_newer_number_takes_the_place_of_the_old_one(world, with_number, time):
    time.pass_(seconds=61)
    world.add_phone(with_number, OTHER_NUMBER)
    assert kept(world) == (OTHER_NUMBER, None)
    assert notices(world)[0].subject == "The phone number of your Latchkey account is changed"
    assert "+44 …321" in notices(world)[0].text


def test_until_the_new_number_is_proven_the_old_one_stays(world, with_number, time):
    time.pass_(seconds=61)
    asked(with_number, OTHER_NUMBER)
    assert kept(world) == (NUMBER, OTHER_NUMBER)


def test_a_number_is_removed(world, with_number):
    with_number.get(PHONE)
    assert with_number.submit(REMOVE).location == PHONE
    page = with_number.follow()
    assert page.banner == "Your phone number is removed."
    assert REMOVE not in page.forms
    assert kept(world) == (None, None)
    notice = notices(world)[0]
    assert notice.subject == "The phone number of your Latchkey account is removed"
    assert "Firefox on Linux" in notice.text


def test_removing_twice_tells_once(world, with_number):
    token = with_number.get(PHONE).form(REMOVE).fields["csrf_token"]
    for _ in range(2):
        assert with_number.post(REMOVE, {"csrf_token": token}).location == PHONE
    assert len(notices(world)) == 2


def test_what_happens_to_a_number_is_on_record_without_it(world, with_number):
    with_number.get(PHONE)
    with_number.submit(REMOVE)
    found = world.rows("SELECT kind, detail FROM event WHERE kind LIKE 'phone:%' ORDER BY id")
    assert found == [("phone:asked", ""), ("phone:added", ""), ("phone:removed", "")]


def test_who_proves_a_number_last_has_it_and_who_had_it_is_told(world, with_number, time):
    world.account(BOB, "Bob Hill")
    bob = world.inside(BOB)
    time.pass_(seconds=61)
    page = world.add_phone(bob)
    assert page.location == PHONE
    assert bob.follow().banner == "Your phone number is confirmed."
    assert (kept(world), kept(world, BOB)) == ((None, None), (NUMBER, None))
    assert "Your number" not in with_number.get(PHONE).find("h2")
    notice = notices(world)[0]
    assert notice.subject == "The phone number of your Latchkey account is removed"
    for part in notice.text, notice.html:
        assert "Somebody typed a code that we sent to this number, for another account" in part
        assert "Firefox" not in part
        assert BOB not in part
        assert "Bob" not in part


def test_nothing_tells_that_somebody_had_the_number(world, with_number, time):
    world.account(BOB, "Bob Hill")
    world.account("eve@example.org", "Eve Page")
    bob, eve = world.inside(BOB), world.inside("eve@example.org")
    time.pass_(seconds=61)
    answers = []
    for browser, number in ((bob, NUMBER), (eve, OTHER_NUMBER)):
        pages = [asked(browser, number), browser.follow()]
        pages += [type_code(browser, world.post.newest(number).code, CODE), browser.follow()]
        answers.append(
            [(page.status, page.location, page.banner if page.is_html else None) for page in pages]
        )
    assert answers[0] == answers[1]
    kinds = "SELECT kind FROM event WHERE actor_id = (SELECT id FROM person WHERE email = :mail)"
    taken, free = world.rows(kinds, mail=BOB), world.rows(kinds, mail="eve@example.org")
    assert taken == free


def test_removing_a_number_ends_what_somebody_has_proven_by_it(world, with_number, time):
    time.pass_(seconds=61)
    thief = world.visitor()
    ask(thief, NUMBER)
    code = world.post.newest(NUMBER).code
    assert type_code(thief, code).location == "/auth/password-reset"
    with_number.get(PHONE)
    with_number.submit(REMOVE)
    assert thief.get("/auth/password-reset").location == "/recover"


@pytest.fixture
def without_sms(make_app, with_number):
    """The same portal without a gateway, Ann signed in there."""
    return World(make_app(EMAIL_BACKEND="smtp")).inside()


def test_without_sms_the_page_says_so_and_sends_nothing(world, without_sms):
    page = without_sms.get(PHONE)
    assert "We cannot send text messages here, so no phone number can be added." in page.text
    assert page.forms == ["/sign-out", REMOVE]
    token, before = page.form(REMOVE).fields["csrf_token"], world.channels()
    page = without_sms.post(PHONE, {"csrf_token": token, "phone": OTHER_NUMBER})
    assert page.status == 422
    assert page.summary == ["We cannot send text messages here, so no phone number can be added."]
    assert kept(world) == (NUMBER, None)
    assert world.channels() == before


def test_without_sms_a_number_can_still_be_removed(world, without_sms):
    assert "+44 7400 218305" in without_sms.get(PHONE).text
    assert without_sms.submit(REMOVE).location == PHONE
    assert kept(world) == (None, None)


def test_without_having_asked_there_is_nowhere_to_type_a_code(inside):
    token = inside.get(PHONE).form(PHONE).fields["csrf_token"]
    assert inside.get(CODE).location == PHONE
    assert inside.post(CODE, {"csrf_token": token, "code": "123456"}).location == PHONE
    assert inside.post(RESEND, {"csrf_token": token}).location == PHONE


def test_the_pages_are_for_those_who_are_signed_in(visitor):
    for path in PHONE, CODE:
        assert visitor.get(path).location == f"/sign-in?next={path}"
    for path in PHONE, CODE, RESEND, REMOVE:
        assert visitor.post(path, {"phone": NUMBER}).location == "/sign-in"


def test_a_number_that_nobody_proved_is_forgotten(world, inside, time):
    asked(inside)
    time.pass_(hours=23)
    assert world.command("purge").exit_code == 0
    assert kept(world) == (None, NUMBER)
    time.pass_(hours=2)
    assert world.command("purge").exit_code == 0
    assert kept(world) == (None, None)


def test_waiting_times_of_a_number_can_be_forgotten(world, with_number, ann):
    with_number.get(PHONE)
    assert asked(with_number, OTHER_NUMBER).status == 429
    assert world.command("users", "clear-throttles", ann.email).exit_code == 0
    assert asked(with_number, OTHER_NUMBER).location == CODE
    thief = world.visitor()
    assert [ask(thief, NUMBER).status for _ in range(2)] == [303, 429]
    assert world.command("users", "clear-throttles", ann.email).exit_code == 0
    assert ask(thief, NUMBER).status == 303
