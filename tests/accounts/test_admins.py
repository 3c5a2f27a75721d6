"""The last admin cannot vanish, also when two admins remove each other at the same moment."""

import threading
import time as real_time

import pytest
from sqlalchemy import text, update

from portal.accounts import admins, people
from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Rejected
from tests.conftest import Post, open_account
from tests.rigs.visitor import Visitor

ONE, TWO, THREE = "one@example.org", "two@example.org", "three@example.org"


@pytest.fixture
def admin(app):
    """admin(ONE) -> the browser of an admin, signed in."""

    def make(email):
        browser = Visitor(app)
        open_account(browser, email)
        browser.follow()
        browser.submit("/sign-up/code", code=Post(app).newest(email).code)
        write(app, email, role="admin", two_step_at=clock.now())
        return browser

    return make


def write(app, email, **values):
    with app.app_context():
        db.session.execute(update(Person).where(Person.email == email).values(**values))
        db.session.commit()


def uuid_of(app, email):
    with app.app_context():
        return people.find(email).uuid


def able(app):
    """-> the addresses of the admins who can sign in."""
    wanted = "SELECT email FROM person WHERE role = 'admin' AND blocked_at IS NULL"
    with app.app_context():
        found = db.session.execute(text(f"{wanted} AND deleted_at IS NULL"))
        return {email for (email,) in found}


def together(monkeypatch, *stories):
    """Tells the stories at once, each held with its locks in hand for a moment.  -> the answers."""
    real, answers = admins.lock, {}

    def held(person_id):
        found = real(person_id)
        real_time.sleep(0.3)
        return found

    monkeypatch.setattr(admins, "lock", held)
    crowd = [
        threading.Thread(target=lambda n=n, tell=tell: answers.update({n: tell()}))
        for n, tell in enumerate(stories)
    ]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(30)
    return [answers.get(n) for n in range(len(stories))]


def taking_role(app, browser, email):
    """The other admin's page, filled in.  -> what sends it."""
    path = f"/admin/staff/{uuid_of(app, email)}/role"
    browser.get(path)
    return lambda: browser.submit(path, role="viewer", reason="Moves on")


def test_two_admins_who_take_each_others_role_leave_one(app, admin, monkeypatch):
    one, two = admin(ONE), admin(TWO)
    stories = taking_role(app, one, TWO), taking_role(app, two, ONE)
    pages = together(monkeypatch, *stories)
    assert sorted(page.location or "" for page in pages) == ["/admin/staff", "/sign-in"]
    assert len(able(app)) == 1


def deleting(browser):
    browser.get("/security/delete")
    return lambda: browser.submit("/security/delete", password="copper lantern tuesday")


def test_two_admins_who_delete_their_accounts_at_once_leave_one(app, admin, monkeypatch):
    pages = together(monkeypatch, deleting(admin(ONE)), deleting(admin(TWO)))
    assert sorted(page.status for page in pages) == [303, 422]
    assert len(able(app)) == 1


def test_one_who_leaves_and_one_who_loses_the_role_at_once_leave_one(app, admin, monkeypatch):
    one, two = admin(ONE), admin(TWO)
    pages = together(monkeypatch, deleting(one), taking_role(app, two, ONE))
    assert None not in pages
    assert len(able(app)) == 1


@pytest.mark.parametrize("times", range(3))
def test_three_admins_who_leave_at_once_leave_one(app, admin, monkeypatch, times):
    browsers = [admin(email) for email in (ONE, TWO, THREE)]
    pages = together(monkeypatch, *map(deleting, browsers))
    assert sorted(page.status for page in pages) == [303, 303, 422]
    assert len(able(app)) == 1


@pytest.mark.parametrize(
    "state",
    [
        {"blocked_at": clock.now()},
        {"deleted_at": clock.now()},
        {"held_at": clock.now()},
        {"email_proven_at": None},
        {"role": "support"},
    ],
    ids=lambda state: next(iter(state)),
)
def test_an_admin_who_cannot_sign_in_does_not_count(app, admin, state):
    one = admin(ONE)
    admin(TWO)
    write(app, TWO, **state)
    refused = deleting(one)()
    assert refused.status == 422
    assert refused.summary == [
        "Somebody has to be able to let staff in. Make another person an admin first."
    ]
    assert ONE in able(app)


def test_a_block_that_has_ended_keeps_nobody_from_counting(app, admin):
    one = admin(ONE)
    admin(TWO)
    write(app, TWO, blocked_at=clock.now(), blocked_until=clock.now())
    assert deleting(one)().status == 303


def test_who_is_no_admin_may_go(app, admin):
    one = admin(ONE)
    write(app, ONE, role="support")
    assert deleting(one)().status == 303


def test_the_words_belong_to_no_field(app, admin):
    admin(ONE)
    with app.test_request_context("/"), transaction(), pytest.raises(Rejected) as refused:
        admins.check_not_last(admins.lock(people.find(ONE).id))
    assert (refused.value.field, refused.value.code) == (None, "last-admin")
