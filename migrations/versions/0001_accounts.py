"""People, their sign-ins and what is remembered of passwords and devices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0001"
down_revision = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")


def upgrade():
    op.create_table(
        "person",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(254), nullable=False, unique=True),
        sa.Column("email_proven_at", MOMENT),
        sa.Column("username", sa.String(60)),
        sa.Column("username_key", sa.String(60), unique=True),
        sa.Column("full_name", sa.String(200), nullable=False),
        sa.Column("picture_name", sa.String(64)),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("password_hash", sa.String(120), nullable=False),
        sa.Column("password_changed_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("blocked_at", MOMENT),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "past_password",
        sa.Column("id", BIG_ID, primary_key=True),
        _owned_by("person"),
        sa.Column("password_hash", sa.String(120), nullable=False),
        sa.Column("replaced_at", MOMENT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_past_password_person", "past_password", ["person_id", "id"])
    op.create_table(
        "session",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("sid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("kind", sa.String(20), nullable=False),
        _owned_by("person"),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("device", sa.String(100), nullable=False),
        sa.Column("network", sa.String(50), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_session_person", "session", ["person_id", "ended_at"])
    op.create_table(
        "session_secret",
        sa.Column("digest", sa.String(64), primary_key=True),
        _owned_by("session"),
    )
    op.create_index("ix_session_secret_session_id", "session_secret", ["session_id"])
    op.create_table(
        "known_device",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column(
            "person_id", BIG_ID, sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("seen_at", MOMENT, nullable=False),
    )


def _owned_by(table):
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table}_id", BIG_ID, key, nullable=False)


def downgrade():
    for table in "known_device", "session_secret", "session", "past_password", "person":
        op.drop_table(table)
