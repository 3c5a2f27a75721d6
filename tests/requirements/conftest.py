"""Programs and people for rows about what goes over the wire; `app` is for rows about time."""

import pytest

from tests.policy.world import World
from tests.rigs.program import Program, somebody


@pytest.fixture
def program(wire):
    """One that is signed in nowhere."""
    return Program(wire)


@pytest.fixture
def someone(wire):
    """A new account on the served product."""
    return somebody(wire)


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def call(app):
    """call("/path", email=...) -> the answer to a POST, in the test's own time."""
    return lambda path, **body: app.test_client().post(path, json=body)
