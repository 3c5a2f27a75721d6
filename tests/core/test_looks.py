"""What is only looked at says what its row says, and can neither be changed nor load more."""

from types import SimpleNamespace
from uuid import UUID

import pytest
from flask import current_app
from sqlalchemy import bindparam, event, inspect, select, text
from sqlalchemy.exc import DBAPIError

from portal import create_app
from portal.accounts import glances, letters, sessions
from portal.accounts.models import Person, Session
from portal.codes.models import Challenge
from portal.core import clock, crypto, metrics, rows
from portal.core.db import db, lacks_table, transaction
from portal.core.looks import Look, seen
from portal.delivery import leases, service, shifts
from portal.profile.models import ALSO, EMPTY, Profile
from tests.conftest import ask, open_account, sign_in

SAID = {"job_title": "Baker", "links": {"github": "https://github.com/ann"}, "bio": "I bake."}


@pytest.fixture
def mine(app, visitor):
    open_account(visitor, "ann@example.org")
    with app.test_request_context(), transaction() as session:
        person = session.scalars(select(Person)).one()
        opened = sessions.opened(person, sessions.BROWSER, False, clock.latest(), by())
        secret = sessions.new_secret(opened)
    with app.test_request_context():
        yield SimpleNamespace(secret=secret, person_id=person.id, id=opened.id)


def by():
    return SimpleNamespace(device="Firefox", network="192.0.2.0/24")


def looked(mine):
    return glances.by_secret({"digest": crypto.digest(mine.secret)}, ALSO)


@pytest.mark.parametrize("said", [{}, SAID], ids=["nothing", "much"])
def test_it_says_what_the_row_says(mine, said):
    if said:
        with transaction() as session:
            session.add(Profile(person_id=mine.person_id, **EMPTY | said))
    seen = looked(mine)
    whole = db.session.get(Session, mine.id)
    assert {name: getattr(seen.person.profile, name) for name in EMPTY} == EMPTY | said
    for model, one, other in (Session, seen, whole), (Person, seen.person, whole.person):
        names = [each.key for each in inspect(model).column_attrs]
        names += [name for name, each in vars(model).items() if isinstance(each, property)]
        assert {n: getattr(one, n) for n in names} == {n: getattr(other, n) for n in names}


def test_nothing_can_be_changed_by_it(mine):
    seen = looked(mine)
    for each, name in (seen, "ended_at"), (seen.person, "role"), (seen.person.profile, "bio"):
        with pytest.raises(AttributeError, match=name):
            setattr(each, name, "")
    assert not db.session.dirty
    assert not list(db.session)


def in_use():
    """Connections, as whoever watches the portal is told."""
    [line] = [
        each
        for each in metrics.text(current_app).decode().splitlines()
        if each.startswith("latchkey_database_connections_in_use")
    ]
    return float(line.split()[-1])


def test_what_fails_is_told_by_sqlalchemy_and_no_connection_is_lost(mine):
    lines, told_before = [], in_use()
    taken, back = lambda *_told: lines.append(1), lambda *_told: lines.append(-1)
    event.listen(db.engine, "checkout", taken)
    event.listen(db.engine, "checkin", back)
    _renamed("profile", "elsewhere")
    try:
        with pytest.raises(DBAPIError) as told:
            looked(mine)
        assert lacks_table(told.value) or db.engine.name == "sqlite"
    finally:
        _renamed("elsewhere", "profile")
        event.remove(db.engine, "checkout", taken)
        event.remove(db.engine, "checkin", back)
    assert (len(lines) > 1, sum(lines), in_use()) == (True, 0, told_before)
    assert looked(mine).person.id == mine.person_id


@pytest.fixture
def lines(app):
    """How many connections were out at once, at most."""
    out, most = [], []

    def taken(*_told):
        out.append(1)
        most[:] = [max([len(out), *most])]

    with app.app_context():
        engine = db.engine
        db.session.remove()
    back = lambda *_told: out.pop()  # noqa: E731
    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", back)
    yield most
    event.remove(engine, "checkout", taken)
    event.remove(engine, "checkin", back)


def test_nobody_waits_for_a_connection_with_another_in_hands(app, ann, visitor, lines):
    """Else as many as there are could wait for each other."""
    sign_in(visitor, ann.email)
    for who in visitor, app.test_client():
        for page in "/sign-in", "/profile", "/security", "/recover":
            who.get(page)
    assert ask(visitor, ann.email).location == "/recover/code"
    visitor.get("/recover/status")
    visitor.get("/recover/code")
    visitor.submit("/recover/resend")
    assert lines == [1]


def test_a_worker_that_looks_has_one_connection(app, lines):
    leases._step.clear()
    shifts._known.clear()
    with app.app_context():
        assert leases.in_step()
        assert shifts.my_turn()
        assert not leases.waiting()
        assert service.deliver_due() == 0
        shifts.pass_on()
    assert lines == [1]


def test_in_a_transaction_it_sees_what_was_done_there(mine, lines):
    look = Look((Person,), select(Person.id).where(Person.id == bindparam("person")))
    this = {"person": mine.person_id}
    with pytest.raises(ZeroDivisionError), transaction() as session:
        session.get_one(Person, mine.person_id).full_name = "Ann, as an object"
        assert look.here(this)[0]["full_name"] == "Ann, as an object"
        rows.change(Person, mine.person_id, full_name="Ann, unheard")
        assert look.here(this)[0]["full_name"] == "Ann, unheard"
        assert seen(Person, look.here(this)[0]).initials == "AU"
        assert look.here({"person": 0}) is None
        _ = 1 / 0
    with transaction():
        assert look.here(this)[0]["full_name"] == "Ann Miller"
    assert lines == [1]


def test_a_wish_is_what_its_row_says_and_nobodys_has_no_person(app, ann, visitor):
    for address in ann.email, "nobody@example.org":
        ask(visitor, address)
    with app.test_request_context(), transaction() as session:
        kept = session.scalars(select(Challenge).order_by(Challenge.user_id)).all()
        for row in kept:
            wish, person = letters.wish(row.id)
            names = [each.key for each in inspect(Challenge).column_attrs]
            assert {n: getattr(wish, n) for n in names} == {n: getattr(row, n) for n in names}
            assert (person and person.email) == (ann.email if row.user_id else None)
        assert {bool(row.user_id) for row in kept} == {False, True}
        assert letters.wish("no such wish") == (None, None)


def test_what_fails_in_a_transaction_is_told_by_sqlalchemy(mine):
    look = Look((Profile,), select(Profile.person_id))
    _renamed("profile", "elsewhere")
    try:
        with pytest.raises(DBAPIError) as told, transaction():
            look.here({})
        assert lacks_table(told.value) or db.engine.name == "sqlite"
    finally:
        _renamed("elsewhere", "profile")
    with transaction():
        assert look.here({}) is None


def _renamed(old, new):
    with db.engine.begin() as line:
        line.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_the_first_question_of_a_process_is_read_like_all_that_follow(mine, shared_settings):
    """A dialect learns what its server can do when it first connects."""
    look = Look((Person,), select(Person.id).where(Person.id == mine.person_id))
    with create_app(shared_settings).test_request_context():
        [seen], kept = look.first({}), db.session.get(Person, mine.person_id)
        assert (seen["uuid"], type(kept.uuid)) == (kept.uuid, UUID)
        db.session.remove()
        db.engine.dispose()


def test_a_question_may_have_values_of_its_own_beside_those_that_are_given(mine):
    ann = select(Person.id).where(Person.email == "ann@example.org").limit(1)
    look = Look((Person,), ann.where(Person.id >= bindparam("least")))
    [seen] = look.first({"least": mine.person_id})
    assert (seen["id"], seen["email"]) == (mine.person_id, "ann@example.org")
    assert look.first({"least": mine.person_id + 1}) is None


def test_a_question_whose_words_depend_on_its_values_is_none_for_a_look(mine):
    look = Look((Person,), select(Person.id).where(Person.id.in_([mine.person_id])))
    with pytest.raises(ValueError, match="person"):
        look.first({})


def test_of_what_is_nobodys_nothing_is_seen(mine):
    assert glances.by_secret({"digest": "0" * 64}, ALSO) is None
