"""Ids are given once: tables that SQLite had to rebuild forgot that they are.

Whoever came after the newest account was purged would have got its number, and its history.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

TABLES = (
    "person", "past_password", "email_change", "session", "otp", "outbox", "mailbox", "event",
    "authenticator", "backup_code", "invitation",
)  # fmt: skip
# Where numbers of people still stand who are gone.
NAMED = (
    ("person", "id"), ("event", "person_id"), ("event", "actor_id"), ("outbox", "person_id"),
    ("challenge", "user_id"), ("otp", "user_id"), ("invitation", "invited_by_id"),
)  # fmt: skip
FORGETFUL = sa.text(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%AUTOINCREMENT%'"
)


def upgrade():
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    forgetful = set(connection.scalars(FORGETFUL))
    for table in (each for each in TABLES if each in forgetful):
        whole = {"recreate": "always", "table_kwargs": {"sqlite_autoincrement": True}}
        with op.batch_alter_table(table, **whole):
            pass
    _go_on_after(connection, max(_highest(connection, *each) for each in NAMED))


def _highest(connection, table, column):
    return connection.scalar(sa.text(f"SELECT max({column}) FROM {table}")) or 0  # noqa: S608


def _go_on_after(connection, number):
    known = sa.text("UPDATE sqlite_sequence SET seq = max(seq, :n) WHERE name = 'person'")
    if not connection.execute(known, {"n": number}).rowcount:
        first = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('person', :n)")
        connection.execute(first, {"n": number})


def downgrade():
    """Nothing to take back: an id that is given once harms nobody."""
