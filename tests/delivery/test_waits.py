"""What sending a message says to the database: the same for nobody's, and no more than it must."""

from contextlib import contextmanager

from sqlalchemy import event

from portal.core.db import db
from tests.delivery.conftest import BOB, NOBODY
from tests.policy.world import ANN

CLOCK = "UPDATE challenge SET code_until"  # starts before the recipient is named: nobody's has none
FRAME = "BEGIN", "SET LOCAL", "COMMIT"
MOST = 13  # statements of one message; MariaDB adds to each sum by one of its own


@contextmanager
def heard(app):
    """The statements that are executed; not those around a transaction."""
    said = []

    def note(_connection, _cursor, statement, _values, _context, _many):
        if not statement.startswith(FRAME):
            said.append(" ".join(statement.split()))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_sending_to_nobody_says_what_sending_to_somebody_says(office):
    office.asked(ANN, NOBODY)
    office.deliver()  # what is counted first on a day is asked for once
    found = {}
    for who in (BOB, "nobodyelse@example.org"):
        office.asked(who)
        with heard(office.world.app) as found[who]:
            assert office.deliver() == 1
    known, unknown = found.values()
    del known[[each.startswith(CLOCK) for each in known].index(True)]
    assert [each.split()[:2] for each in known] == [each.split()[:2] for each in unknown]


def test_a_message_says_no_more_than_it_must(office):
    office.asked(ANN, NOBODY)
    office.deliver()
    office.asked(BOB)
    with heard(office.world.app) as one:
        office.deliver()
    office.asked("carla@example.org", "carl@example.org", "cora@example.org")
    with heard(office.world.app) as three:
        office.deliver()
    assert len(three) - len(one) <= 2 * MOST
