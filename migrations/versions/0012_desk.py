"""The helpdesk: events chained and counted, people found by how words begin, blocks that end."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0012"
down_revision = "0011"

TIME = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
BYTES = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
PERSON_COLUMNS = ("blocked_until", TIME), ("deleted_by_id", sa.BigInteger())
CHALLENGE_COLUMNS = "accepted_at", "seen_at", "finished_at"
EVENT_TEXTS = ("verified_by", 100), ("request", 16), ("mark", 64)
PERSON = sa.table(
    "person",
    *(sa.column(name) for name in ("id", "full_name", "email_key", "username_key", "phone")),
)
TERM = sa.table("search_term", sa.column("person_id"), sa.column("term"))
AT_ONCE = 1000
DAYS = {"postgresql": "CAST(at AT TIME ZONE 'UTC' AS DATE)"}  # whatever zone the database is in


def upgrade():
    for name, kind in PERSON_COLUMNS:
        op.add_column("person", sa.Column(name, kind))
    op.create_index("ix_person_role", "person", ["role", "id"])
    op.create_index("ix_throttle_subject", "throttle", ["subject"])
    for name in CHALLENGE_COLUMNS:
        op.add_column("challenge", sa.Column(name, TIME))
    _chain()
    _tables()
    _find_those_who_are_here()


def _chain():
    with op.batch_alter_table("event") as event:
        event.add_column(sa.Column("desk", sa.Boolean, nullable=False, server_default=sa.false()))
        for name, length in EVENT_TEXTS:
            kind = sa.String(length)
            event.add_column(sa.Column(name, kind, nullable=False, server_default=""))
        event.add_column(sa.Column("place", sa.BigInteger))
        event.create_unique_constraint("uq_event_place", ["place"])
    with op.batch_alter_table("event") as event:
        for name in ("desk", *(name for name, _length in EVENT_TEXTS)):
            event.alter_column(name, server_default=None)
    op.create_index("ix_event_actor", "event", ["actor_id", "desk", "id"])
    op.create_index("ix_event_desk", "event", ["desk", "id"])


def _tables():
    head = op.create_table(
        "event_head",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("start", sa.String(64), nullable=False),
    )
    found = op.get_bind().execute(sa.text("SELECT count(*), coalesce(max(id), 0) FROM event"))
    count, last = found.one()
    start = f"{count}:{last}" if count else ""
    op.bulk_insert(head, [{"id": 1, "place": 0, "mark": start, "start": start}])
    op.create_table(
        "tally",
        sa.Column("name", sa.String(50), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("part", sa.String(120), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    day = DAYS.get(op.get_bind().dialect.name, "date(at)")
    op.execute(
        "INSERT INTO tally (name, day, part, count) "  # noqa: S608
        f"SELECT kind, {day}, '', count(*) FROM event GROUP BY kind, {day}"
    )
    op.create_table(
        "search_term",
        _person(primary_key=True),
        sa.Column("term", BYTES, primary_key=True),
    )
    op.create_index("ix_search_term_term", "search_term", ["term", "person_id"])
    op.create_table(
        "invitation",
        sa.Column("id", BIG, primary_key=True),
        _person(index=True),
        sa.Column("challenge_id", sa.String(43), nullable=False, unique=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("invited_by_id", sa.BigInteger),
        sa.Column("invited_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )


def _person(**more):
    own = sa.ForeignKey("person.id", ondelete="CASCADE")
    return sa.Column("person_id", BIG, own, nullable=False, **more)


def _find_those_who_are_here():
    connection, last = op.get_bind(), 0
    wanted = sa.select(PERSON).order_by(PERSON.c.id).limit(AT_ONCE)
    while found := connection.execute(wanted.where(PERSON.c.id > last)).all():
        terms = [{"person_id": each.id, "term": term} for each in found for term in _terms(each)]
        connection.execute(sa.insert(TERM), terms)
        last = found[-1].id


def _terms(person):
    name = _folded(person.full_name)
    whole = name, person.email_key, person.username_key, person.phone
    return {each[:255] for each in (*re.split(r"[\W_]+", name), *whole) if each}


def _folded(text):
    parts = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in parts if not unicodedata.combining(char))
    return " ".join(bare.split())


def downgrade():
    op.execute("DELETE FROM session WHERE kind = 'half'")
    for table in "invitation", "search_term", "tally", "event_head":
        op.drop_table(table)
    op.drop_index("ix_event_actor", "event")
    op.drop_index("ix_event_desk", "event")
    with op.batch_alter_table("event") as event:
        event.drop_constraint("uq_event_place", type_="unique")
        for name in ("place", "desk", *(name for name, _length in EVENT_TEXTS)):
            event.drop_column(name)
    for name in CHALLENGE_COLUMNS:
        op.drop_column("challenge", name)
    op.drop_index("ix_throttle_subject", "throttle")
    op.drop_index("ix_person_role", "person")
    op.execute("UPDATE person SET blocked_at = NULL WHERE blocked_until <= CURRENT_TIMESTAMP")
    for name, _kind in reversed(PERSON_COLUMNS):
        op.drop_column("person", name)
