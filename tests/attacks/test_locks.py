"""Two requests at once on PostgreSQL, held at the worst moment: nobody is lost, nobody gets in."""

import threading
from contextlib import contextmanager

import pytest
from flask_migrate import upgrade
from sqlalchemy import text

from portal import create_app
from portal.accounts import people
from portal.codes import challenges, otp
from portal.core.db import db
from portal.delivery import service as delivery
from tests.conftest import OTHER_PASSWORD, PASSWORD, SETTINGS, Post, ask, open_account, sign_in
from tests.policy.world import NUMBER, OTHER_NUMBER, PHONE
from tests.rigs.visitor import Visitor

pytestmark = pytest.mark.postgres
ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.fixture
def app(postgres_url, tmp_path):
    own = {"DATABASE_URL": postgres_url, "UPLOAD_FOLDER": str(tmp_path)}
    app = create_app(SETTINGS | own | {"SEND_COOLDOWN_SECONDS": "0"})
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def ann(app):
    browser = Visitor(app, address="192.0.2.9")
    open_account(browser, ANN)
    browser.follow()
    browser.submit("/sign-up/code", code=Post(app).newest().code)


class Meeting:
    """Holds `first` after its step until `second` stands before its own, and a moment longer."""

    def __init__(self, monkeypatch):
        self.patch, self.first_is_there = monkeypatch, threading.Event()
        self.second_goes_on = threading.Event()

    def after(self, owner, name):
        real = getattr(owner, name)

        def held(*args):
            done = real(*args)
            if threading.current_thread().name == "first":
                self.first_is_there.set()
                self.second_goes_on.wait(5)
            return done

        self.patch.setattr(owner, name, held)

    def before(self, owner, name):
        real = getattr(owner, name)

        def held(*args):
            if threading.current_thread().name == "second":
                self.first_is_there.wait(5)
                threading.Timer(0.3, self.second_goes_on.set).start()
            return real(*args)

        self.patch.setattr(owner, name, held)

    @contextmanager
    def together(self, first, second):
        """-> what both answered."""
        answers = {}
        stories = {"first": first, "second": second}
        threads = [
            threading.Thread(target=lambda n=name: answers.update({n: stories[n]()}), name=name)
            for name in stories
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        yield answers


def test_a_right_code_and_a_new_request_do_not_lock_each_other_out(app, ann, monkeypatch):
    browser, meeting = Visitor(app), Meeting(monkeypatch)
    ask(browser, ANN)
    code = Post(app).newest().code
    browser.follow()
    meeting.after(otp, "consume")
    meeting.before(challenges, "close")
    stranger = Visitor(app, address="203.0.113.3")
    code_page = lambda: browser.submit("/recover/code", code=code)  # noqa: E731
    with meeting.together(code_page, lambda: ask(stranger, ANN)) as pages:
        assert {pages["first"].status, pages["second"].status} <= {303, 422}


def test_the_worker_and_a_new_request_do_not_lock_each_other_out(app, ann, monkeypatch):
    ask(Visitor(app), ANN)
    meeting = Meeting(monkeypatch)
    meeting.after(otp, "start_clock")
    meeting.before(challenges, "close")

    def work():
        with app.app_context():
            return delivery.deliver_due()

    stranger = Visitor(app, address="203.0.113.3")
    with meeting.together(work, lambda: ask(stranger, ANN)) as answers:
        assert answers["first"] >= 1  # the new request may be served as well
        assert answers["second"].location == "/recover/code"


def wanting(app, email, number):
    """A browser that was sent a code to this number.  -> what types it."""
    browser = Visitor(app)
    sign_in(browser, email)
    browser.get(PHONE)
    assert browser.submit(PHONE, phone=number).location == f"{PHONE}/code"
    code = Post(app).newest(number).code
    browser.follow()
    return lambda: browser.submit(f"{PHONE}/code", code=code)


def owners(app):
    """-> whose each number is."""
    with app.app_context():
        found = db.session.execute(text("SELECT email, phone FROM person WHERE phone IS NOT NULL"))
        return {number: email for email, number in found}


@pytest.fixture
def bob(app):
    open_account(Visitor(app, address="192.0.2.8"), BOB, "Bob Hill")
    browser = Visitor(app, address="192.0.2.7")
    link = Post(app).newest(BOB).link
    browser.get(link)
    browser.submit(link)
    browser.follow()
    browser.submit("/auth/password-reset", password=PASSWORD, confirm_password=PASSWORD)


@pytest.mark.parametrize("step", ["lock_with_owner", "move_phone"])
def test_of_two_who_prove_a_number_at_once_one_has_it(app, ann, bob, monkeypatch, step):
    """Held before the number is written, or after it is and before that is kept."""
    annes, bobs = wanting(app, ANN, NUMBER), wanting(app, BOB, NUMBER)
    meeting = Meeting(monkeypatch)
    meeting.after(people, step)
    meeting.before(people, "move_phone")
    with meeting.together(annes, bobs) as pages:
        assert [page.location for page in pages.values()] == [PHONE, PHONE]
    assert list(owners(app)) == [NUMBER]
    told = [mail.to for mail in Post(app).deliver() if "number of your" in mail.subject]
    assert told == [({ANN, BOB} - set(owners(app).values())).pop()]


def test_two_who_take_each_others_number_do_not_lock_each_other_out(app, ann, bob, monkeypatch):
    for email, number in ((ANN, NUMBER), (BOB, OTHER_NUMBER)):
        wanting(app, email, number)()
    annes, bobs = wanting(app, ANN, OTHER_NUMBER), wanting(app, BOB, NUMBER)
    meeting = Meeting(monkeypatch)
    meeting.after(people, "lock_with_owner")
    meeting.before(people, "lock_with_owner")
    with meeting.together(annes, bobs) as pages:
        assert {page.status for page in pages.values()} <= {303, 422}
        assert PHONE in {page.location for page in pages.values()}


def test_a_resend_in_the_moment_of_a_strangers_sign_up_lets_no_stranger_in(app, monkeypatch):
    owner, stranger, post = Visitor(app), Visitor(app, address="203.0.113.3"), Post(app)
    open_account(owner, ANN)
    post.deliver()
    owner.follow()
    real, once = challenges.open_, []

    def opened(*args):
        """The stranger signs up while the owner's new message is being made, or waits for it."""
        if threading.current_thread().name == "first" and not once:
            once.append(threading.Thread(target=sign_up, name="second"))
            once[0].start()
            once[0].join(1)
        return real(*args)

    def sign_up():
        wish = {"password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}
        stranger.get("/sign-up")
        stranger.submit("/sign-up", full_name="Eve", email=ANN, **wish)

    monkeypatch.setattr(challenges, "open_", opened)
    threading.current_thread().name, before = "first", threading.current_thread().name
    try:
        owner.submit("/sign-up/resend")
    finally:
        threading.current_thread().name = before
    once[0].join(20)
    codes = {mail.code for mail in post.deliver() if mail.to == ANN}
    prove_with(owner, codes)
    assert sign_in(Visitor(app), ANN, OTHER_PASSWORD).location != "/profile"
    assert sign_in(Visitor(app), ANN, PASSWORD).status in (303, 422)


def prove_with(owner, codes):
    """The owner types every code that came, as long as the page is there."""
    for code in codes:
        if owner.get("/sign-up/code").status == 200:
            owner.submit("/sign-up/code", code=code)
