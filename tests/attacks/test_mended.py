"""What reviews found, so that it stays mended."""

import pytest
from sqlalchemy import select

from portal import create_app
from portal.accounts import hashing, people
from portal.accounts.service import standing
from portal.core.audit import OPERATOR
from portal.core.db import db
from portal.core.settings import Refused
from portal.delivery import service as delivery
from portal.delivery.models import Outgoing
from portal.profile import stores
from tests.conftest import OTHER_PASSWORD, PASSWORD, SETTINGS, ask, open_account, sign_in
from tests.policy.test_page_numbers import plain, upload
from tests.policy.world import World
from tests.rigs.visitor import Visitor

NEW = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
NAME = "Urgent, see www.evil.example now"


def test_a_strangers_name_is_in_no_letter_before_the_owner_has_seen_it(app, post):
    open_account(Visitor(app), "new@example.org", NAME)
    owner = Visitor(app, address="203.0.113.5")
    link = post.newest().link
    owner.get(link)
    owner.submit(link)
    owner.follow()
    assert owner.submit("/auth/password-reset", **NEW).location == "/sign-in"
    letters = [mail for mail in post.deliver() if mail.to == "new@example.org"]
    assert len(letters) == 2
    assert not any(NAME in mail.text + mail.html for mail in letters)


def test_sending_again_does_not_tell_that_the_owner_came_meanwhile(app, post, ann, time):
    """A free address that its owner proved meanwhile, beside one that was taken all along."""
    answers = []
    for email in ("free@example.org", ann.email):
        stranger, owner = Visitor(app), Visitor(app, address="203.0.113.5")
        open_account(stranger, email)
        post.deliver()
        time.pass_(seconds=61)
        ask(owner, email)
        owner.get("/recover/code")
        owner.submit("/recover/code", code=post.newest(email).code)
        owner.follow()
        owner.submit("/auth/password-reset", **NEW)
        time.pass_(seconds=61)
        stranger.get("/sign-up/code")
        answers.append(stranger.submit("/sign-up/resend").location)
    assert answers == ["/sign-up/code", "/sign-up/code"]


def test_the_operator_clears_the_waits_of_known_devices_too(app, inside, ann):
    for _ in range(11):
        sign_in(inside, ann.email, "wrong password")
    assert sign_in(inside, ann.email).status == 429
    world = World(app)
    assert world.command("users", "clear-throttles", ann.email).exit_code == 0
    assert sign_in(inside, ann.email).location == "/profile"


def test_a_neighbours_wrong_passwords_do_not_keep_the_owner_from_a_new_one(app, inside, ann):
    for _ in range(11):
        sign_in(Visitor(app), ann.email, "wrong password")
    page = World(app).change_password(inside, PASSWORD, OTHER_PASSWORD)
    assert page.location == "/security/password"


def test_a_new_picture_stays_when_the_old_one_cannot_be_removed(app, inside, monkeypatch):
    upload(inside, plain(300, 300))

    def stuck(_name):
        raise OSError("read-only")

    monkeypatch.setattr(stores, "remove", stuck)
    assert upload(inside, plain(400, 400)).status == 303
    shown = inside.get("/profile").tree.css_first("img[src^='/pictures/']").attributes["src"]
    assert inside.get(shown, checked=False).status == 200


def test_the_sender_may_have_a_name_and_has_to_have_an_address(make_app):
    world = World(make_app(EMAIL_FROM="Club office <office@example.org>"))
    world.account()
    with world.context():
        assert db.session.scalars(select(Outgoing.trouble)).all() == [""]
    with pytest.raises(Refused, match="EMAIL_FROM"):
        create_app(SETTINGS | {"EMAIL_FROM": "nobody", "DATABASE_URL": "sqlite://"})


def test_a_password_is_as_long_at_the_door_as_it_was_when_it_was_chosen(app, visitor, post):
    typed = "e\u0301" * 45 + "wooden planet friday " * 2  # 132 as typed, 87 composed
    visitor.get("/sign-up")
    wish = {"full_name": "Zoë", "email": "zoe@example.org"}
    page = visitor.submit("/sign-up", **wish, password=typed, confirm_password=typed)
    assert page.location == "/sign-up/code"
    visitor.follow()
    visitor.submit("/sign-up/code", code=post.newest().code)
    assert sign_in(Visitor(app), "zoe@example.org", typed).location == "/profile"


def test_a_reset_in_somebody_elses_browser_signs_that_person_out(app, post, inside, sign_up):
    sign_up("bob@example.org", "Bob Hill")
    copied = inside.cookie("latchkey")
    ask(inside, "bob@example.org")
    inside.get("/recover/code")
    inside.submit("/recover/code", code=post.newest("bob@example.org").code)
    inside.follow()
    inside.submit("/auth/password-reset", **NEW)
    thief = Visitor(app)
    thief.client.set_cookie("latchkey", copied, domain="127.0.0.1")
    assert thief.get("/profile").location == "/sign-in"


def test_a_block_in_the_moment_of_signing_in_wins(app, ann, monkeypatch):
    real = hashing.stale

    def blocked_meanwhile(kept):
        standing.block(people.find(ann.email), None, OPERATOR)
        return real(kept)

    browser = Visitor(app)
    browser.get("/sign-in")
    monkeypatch.setattr(hashing, "stale", blocked_meanwhile)
    page = browser.submit("/sign-in", email=ann.email, password=ann.password)
    assert page.status == 422
    monkeypatch.undo()
    World(app).command("users", "unblock", ann.email)
    assert browser.get("/profile").location == "/sign-in"


def test_what_is_typed_at_the_door_does_not_blow_up_the_cookie(visitor):
    page = sign_in(visitor, "a" * 40_000 + "@example.org", "wrong password")
    assert all(len(line) < 4096 for line in page.headers.getlist("Set-Cookie"))


def test_a_proxy_that_is_told_as_ipv6_is_known_as_a_proxy(make_app, sign_up, ann):
    behind = make_app(TRUSTED_PROXIES="10.0.0.0/8")
    for number in range(11):
        from_ = {"X_Forwarded_For": "203.0.113.7"}
        proxied = Visitor(behind, address="::ffff:10.0.0.1", **from_)
        status = sign_in(proxied, ann.email, "wrong password").status
        assert status == (422 if number < 10 else 429)
    other = Visitor(behind, address="::ffff:10.0.0.1", X_Forwarded_For="192.0.2.77")
    assert sign_in(other, ann.email).location == "/profile"


def test_a_site_on_a_bare_ipv6_address_is_refused_rather_than_dead(make_app):
    with pytest.raises(Refused, match="PUBLIC_URL"):
        make_app(PUBLIC_URL="http://[::1]:8000")


@pytest.mark.parametrize("address", ["localhost", "", "@unix", "203.0.113.1"])
def test_the_mailbox_is_shown_to_this_machine_alone(app, address):
    here = {"REMOTE_ADDR": address}
    assert app.test_client().get("/dev/mailbox", environ_overrides=here).status_code == 404
    assert app.test_client().get("/dev/mailbox/" + "9" * 30).status_code == 404


def test_the_biography_is_counted_as_it_is_kept(inside):
    inside.get("/profile")
    page = inside.submit("/profile/bio", bio="e\u0301" * 501)
    words = "Shorten your biography to 500 characters. It has 501."
    assert page.errors["bio"] == words


@pytest.mark.parametrize("name", ["\u3164", "\u2800\u2800", " \u115f "])
def test_a_name_that_nobody_can_see_is_none(inside, name):
    inside.get("/profile")
    page = inside.submit("/profile/name", full_name=name)
    assert page.errors["full_name"] == "Enter your full name"


def test_a_message_that_comes_too_late_is_not_sent_at_all(app, visitor, post, ann, time):
    before = len(post.deliver())
    ask(visitor, ann.email)
    time.pass_(seconds=901)
    assert len(post.deliver()) == before
    with app.app_context():
        assert delivery.deliver_due() == 0


def test_an_overtaken_code_is_counted_like_any_other(make_app, time):
    """The owner signs in before the message left: the stranger who asked must not notice."""
    world = World(make_app(CODE_MAX_ATTEMPTS="3"))
    ann, statuses = world.account(), []
    for email in (ann.email, "nobody@example.org"):
        stranger = world.visitor(address=f"203.0.{len(statuses)}.5")
        ask(stranger, email)
        if email == ann.email:
            world.inside()
        world.post.deliver()
        stranger.get("/recover/code")
        typed = [stranger.submit("/recover/code", code="000000").status for _ in range(5)]
        statuses.append(typed)
    assert statuses[0] == statuses[1] == [422, 422, 422, 429, 429]
