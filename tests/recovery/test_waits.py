"""How often a recovery waits for the database: each wait costs more than what it asks."""

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from portal.core import pipelines
from portal.core.db import db
from tests.policy.world import ANN, World
from tests.rigs.databases import KIND


@pytest.fixture
def world(make_app):
    world = World(make_app(THROTTLES="off"))
    world.account(ANN)
    return world


@contextmanager
def heard(app):
    """The statements that are executed, and those of them that are waited for."""
    said, waited = [], []

    def note(_connection, _cursor, statement, _values, context, _many):
        said.append(statement)
        if getattr(context, "heard", True):
            waited.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "after_cursor_execute", note)
    try:
        yield said, waited
    finally:
        event.remove(engine, "after_cursor_execute", note)


def test_whoever_is_asked_for_the_same_is_said_and_waited_for(world):
    browser, found = world.visitor(), {}
    for who in [ANN, "nobody@example.org"] * 2:  # the second time there is an earlier wish to end
        browser.get("/recover")
        with heard(world.app) as found[who]:
            assert browser.submit("/recover", identifier=who).location == "/recover/code"
    said, waited = found[ANN]
    assert (said, waited) == found["nobody@example.org"]
    if KIND == "postgresql":
        assert [each.split()[0] for each in waited] == ["SELECT"] * 3
        assert waited[-1] == pipelines.WRITTEN
