"""Getting back in, through the pages."""

import pytest
from sqlalchemy import update

from portal.core.db import at_once, db
from portal.delivery.models import Outgoing
from tests.conftest import OTHER_PASSWORD, PASSWORD, ask, open_account, sign_in
from tests.rigs.visitor import Visitor

NEW = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}


def test_code_leads_to_a_new_password_and_ends_every_sign_in(app, visitor, inside, post, ann):
    assert ask(visitor, ann.email).location == "/recover/code"
    visitor.follow()
    page = visitor.submit("/recover/code", code=post.newest().code)
    assert page.location == "/auth/password-reset"
    visitor.follow()
    assert visitor.submit("/auth/password-reset", **NEW).location == "/sign-in"
    assert "Your password is changed" in visitor.follow().banner
    assert inside.get("/profile").location == "/sign-in"
    assert "password is changed" in post.newest().subject
    assert sign_in(visitor, ann.email).status == 422
    assert sign_in(visitor, ann.email, OTHER_PASSWORD).location == "/profile"


def test_link_works_on_another_device_and_gives_the_asking_one_nothing(app, visitor, post, ann):
    ask(visitor, ann.email)
    mail, phone = post.newest(), Visitor(app)
    page = phone.get(mail.link)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "a…@example.org" in page.text
    assert phone.submit(mail.link, action="continue").location == "/auth/password-reset"
    assert visitor.get("/auth/password-reset").location == "/recover"
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=mail.code).status == 422
    assert phone.get(mail.link).status == 410
    phone.get("/auth/password-reset")
    assert phone.submit("/auth/password-reset", **NEW).location == "/sign-in"


def test_opening_a_link_changes_nothing(visitor, post, ann):
    ask(visitor, ann.email)
    mail = post.newest()
    for _ in range(3):
        assert visitor.get(mail.link).status == 200
        visitor.client.head(mail.link)
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=mail.code).status == 303


def test_link_shows_a_fresh_code_for_the_device_that_asked(app, visitor, post, ann, time):
    ask(visitor, ann.email)
    mail, phone = post.newest(), Visitor(app)
    time.pass_(minutes=5)
    phone.get(mail.link)
    shown = phone.submit(mail.link, action="show-code")
    code = shown.find(".shown-code, .code")[0].replace(" ", "")
    time.pass_(seconds=29)
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=code).location == "/auth/password-reset"


def test_code_lives_thirty_seconds_from_hand_over(visitor, post, ann, time):
    ask(visitor, ann.email)
    time.pass_(minutes=5)
    code = post.newest().code
    time.pass_(seconds=31)
    visitor.get("/recover/code")
    page = visitor.submit("/recover/code", code=code)
    assert page.status == 422
    assert page.errors["code"].startswith("That code has run out.")


def test_code_works_in_its_last_second(visitor, post, ann, time):
    ask(visitor, ann.email)
    code = post.newest().code
    time.pass_(seconds=29)
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=code).status == 303


def test_five_wrong_tries_and_not_even_the_right_code_is_taken(visitor, post, ann):
    ask(visitor, ann.email)
    code = post.newest().code
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    visitor.get("/recover/code")
    for _ in range(5):
        assert visitor.submit("/recover/code", code=wrong).status == 422
    page = visitor.submit("/recover/code", code=code)
    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "Too many wrong codes" in page.errors.get("code", "") + " ".join(page.summary)


def test_a_new_code_does_not_reset_the_count_of_wrong_ones(visitor, post, ann, time):
    ask(visitor, ann.email)
    wrong = f"{(int(post.newest().code) + 1) % 1_000_000:06d}"
    visitor.get("/recover/code")
    for _ in range(5):
        visitor.submit("/recover/code", code=wrong)
    time.pass_(seconds=61)
    visitor.submit("/recover/resend")
    fresh = post.newest().code
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=fresh).status == 429


def test_a_code_works_once(app, visitor, post, ann):
    ask(visitor, ann.email)
    code = post.newest().code
    visitor.get("/recover/code")
    visitor.submit("/recover/code", code=code)
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=code).status == 422


def test_a_newer_message_kills_the_older_code_and_link(visitor, post, ann, time):
    ask(visitor, ann.email)
    old = post.newest()
    time.pass_(seconds=61)
    visitor.get("/recover/code")
    visitor.submit("/recover/resend")
    new = post.newest()
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=old.code).status == 422
    assert visitor.get(old.link).status == 410
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=new.code).status == 303


def test_one_persons_code_is_nothing_in_anothers_flow(app, post, sign_up):
    sign_up("ann@example.org")
    sign_up("bob@example.org", "Bob Hill")
    ann, bob = Visitor(app), Visitor(app)
    ask(ann, "ann@example.org")
    code = post.newest("ann@example.org").code
    ask(bob, "bob@example.org")
    post.deliver()
    bob.get("/recover/code")
    assert bob.submit("/recover/code", code=code).status == 422


def test_a_sign_up_code_is_nothing_in_recovery(app, post):
    browser = Visitor(app)
    open_account(browser, "new@example.org")
    code = post.newest().code
    other = Visitor(app, address="203.0.113.5")
    ask(other, "new@example.org")
    post.deliver()
    other.get("/recover/code")
    assert other.submit("/recover/code", code=code).status == 422


def test_without_a_flow_the_pages_begin_again(visitor):
    assert visitor.get("/recover/code").location == "/recover"
    assert visitor.get("/auth/password-reset").location == "/recover"
    visitor.get("/recover")
    token = visitor.page.form("/recover").fields["csrf_token"]
    assert visitor.post("/auth/password-reset", NEW | {"csrf_token": token}).location == "/recover"


def test_the_grant_survives_a_refused_password_and_runs_out(visitor, post, ann, time):
    ask(visitor, ann.email)
    visitor.get("/recover/code")
    visitor.submit("/recover/code", code=post.newest().code)
    visitor.follow()
    page = visitor.submit("/auth/password-reset", password=PASSWORD, confirm_password=PASSWORD)
    assert page.errors["password"] == "This is your current password. Choose a different one."
    assert page.status == 422
    time.pass_(seconds=601)
    assert visitor.submit("/auth/password-reset", **NEW).location == "/recover"


@pytest.mark.parametrize("typed", ["12345", "1234567", "12a456", "", "１２３４５６", "+12345"])
def test_what_cannot_be_a_code_is_said_and_not_counted(app, visitor, post, ann, typed):
    ask(visitor, ann.email)
    code = post.newest().code
    visitor.get("/recover/code")
    for _ in range(7):
        page = visitor.submit("/recover/code", code=typed)
        assert page.status == 422
        assert page.errors["code"]
    assert visitor.submit("/recover/code", code=f" {code[:3]}-{code[3:]} ").status == 303


def test_status_tells_time_and_nothing_else(visitor, post, ann):
    ask(visitor, ann.email)
    first = visitor.get("/recover/status").json
    resend_in = first["resend_in"]
    assert first == {"state": "waiting", "seconds_left": 0, "total": 30, "resend_in": resend_in}
    post.deliver()
    then = visitor.get("/recover/status").json
    assert set(then) == {"state", "seconds_left", "total", "resend_in"}
    assert then["state"] == "sent"
    assert 28 <= then["seconds_left"] <= 30
    assert 55 <= then["resend_in"] <= 60


def test_recovery_of_an_account_that_nobody_proved_proves_it(app, visitor, post):
    open_account(Visitor(app), "new@example.org", "Eve Dropper")
    post.deliver()
    owner = Visitor(app, address="203.0.113.5")
    ask(owner, "new@example.org")
    mail = post.newest()
    assert "Eve" not in mail.text
    owner.get("/recover/code")
    owner.submit("/recover/code", code=mail.code)
    owner.follow()
    assert owner.submit("/auth/password-reset", **NEW).location == "/sign-in"
    assert sign_in(owner, "new@example.org", OTHER_PASSWORD).location == "/profile"


def test_nothing_readable_of_code_or_link_is_kept(app, visitor, post, ann):
    ask(visitor, ann.email)
    mail = post.newest()
    token = mail.link.rpartition("/")[2]
    with app.app_context():
        rows = [
            str(row)
            for table in db.metadata.sorted_tables
            if table.name != "mailbox"
            for row in db.session.execute(table.select())
        ]
    kept = "\n".join(rows)
    assert token not in kept
    assert f"'{mail.code}'" not in kept


def test_a_stranger_who_asks_again_takes_no_grant_away(app, visitor, post, ann, time):
    ask(visitor, ann.email)
    visitor.get("/recover/code")
    visitor.submit("/recover/code", code=post.newest().code)
    visitor.follow()
    time.pass_(seconds=61)
    stranger = Visitor(app, address="203.0.113.5")
    assert ask(stranger, ann.email).location == "/recover/code"
    assert visitor.submit("/auth/password-reset", **NEW).location == "/sign-in"
    late = post.newest(ann.email)
    assert "changed" in late.subject
    stranger.get("/recover/code")
    assert stranger.submit("/recover/code", code="000000").status == 422


def test_signing_in_ends_what_was_asked_for_before(app, visitor, post, ann):
    ask(visitor, ann.email)
    mail = post.newest()
    assert sign_in(Visitor(app), ann.email).location == "/profile"
    assert visitor.get(mail.link).status == 410
    assert "you have signed in since" in visitor.page.text
    visitor.get("/recover/code")
    assert visitor.submit("/recover/code", code=mail.code).status == 422


def test_one_grant_chooses_one_password(app, visitor, post, ann):
    ask(visitor, ann.email)
    visitor.get("/recover/code")
    visitor.submit("/recover/code", code=post.newest().code)
    visitor.follow()
    token = visitor.page.form("/auth/password-reset").fields["csrf_token"]
    grant = visitor.cookie("latchkey-form")
    assert visitor.submit("/auth/password-reset", **NEW).location == "/sign-in"
    again = Visitor(app)
    again.client.set_cookie("latchkey-form", grant, domain="127.0.0.1")
    third = {"password": "third planet friday", "confirm_password": "third planet friday"}
    answer = again.post("/auth/password-reset", third | {"csrf_token": token})
    assert answer.location == "/recover"
    assert sign_in(Visitor(app), ann.email, OTHER_PASSWORD).location == "/profile"


def test_a_repeat_is_not_sent_once_the_link_was_used(app, visitor, post, ann):
    """The worker died before it could write down that the message had left."""
    ask(visitor, ann.email)
    link = post.newest(ann.email).link
    visitor.get(link)
    visitor.submit(link, action="continue")
    with app.app_context():
        again = update(Outgoing).where(Outgoing.recipe == "recovery")
        at_once(again.values(done_at=None, accepted_at=None, leased_until=None))
    count = len(post.deliver())
    assert len([mail for mail in post.deliver() if "Get back" in mail.subject]) == 1
    assert len(post.deliver()) == count
    visitor.get("/auth/password-reset")
    assert visitor.submit("/auth/password-reset", **NEW).location == "/sign-in"
