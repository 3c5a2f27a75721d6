"""What is only looked at says what its row says, and can neither be changed nor load more."""

from types import SimpleNamespace

import pytest
from sqlalchemy import inspect, select

from portal.accounts import glances, sessions
from portal.accounts.models import Person, Session
from portal.core import clock, crypto
from portal.core.db import db, transaction
from portal.profile.models import ALSO, EMPTY, Profile
from tests.conftest import open_account

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


def test_of_what_is_nobodys_nothing_is_seen(mine):
    assert glances.by_secret({"digest": "0" * 64}, ALSO) is None
