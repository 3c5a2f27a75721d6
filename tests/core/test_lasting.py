"""What was answered lasts, though nobody waits for the disk while others wait for a lock."""

import pytest
from flask_migrate import upgrade
from sqlalchemy import text

from portal import create_app
from portal.core import audit, pipelines
from portal.core.audit import OPERATOR
from portal.core.db import db, transaction
from tests.conftest import SETTINGS
from tests.rigs import postgres
from tests.rigs.postgres import Postgres

# Nobody but who commits writes the log.
SLOW = {"fsync": "off", "synchronous_commit": "on", "wal_writer_delay": "10s"}
KINDS = "SELECT kind FROM event ORDER BY place"


@pytest.fixture
def server():
    if lack := postgres.missing():
        pytest.skip(lack)
    with Postgres(SLOW) as running:
        yield running


def test_after_a_crash_there_is_what_had_to_last(server):
    app = create_app(SETTINGS | {"DATABASE_URL": server.fresh_database()})
    with app.app_context():
        upgrade()
        for kind in "first", "second":
            with transaction():
                audit.record(kind, 1, OPERATOR)
            crash(server)
        with transaction(lasting=False) as session:
            session.execute(text("DELETE FROM event"))
        assert kinds() == []
        crash(server)
        assert kinds() == ["first", "second"]
        with transaction() as session:
            pipelines.let_go_early(session.connection())
            with session.begin_nested() as part:
                session.execute(text("DELETE FROM event"))
                part.rollback()
            session.execute(text("DELETE FROM event WHERE kind = 'second'"))  # which is waited for
        crash(server)
        assert kinds() == ["first"]
        db.session.remove()
        db.engine.dispose()


def crash(server):
    db.session.remove()
    server.kill()
    server.start()
    db.engine.dispose()


def kinds():
    return list(db.session.scalars(text(KINDS)))
