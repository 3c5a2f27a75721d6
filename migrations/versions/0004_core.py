"""What happened, and how often things were tried."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0004"
down_revision = "0003"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")


def upgrade():
    op.create_table(
        "event",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("person_id", sa.BigInteger()),
        sa.Column("actor_id", sa.BigInteger()),
        sa.Column("network", sa.String(50), nullable=False),
        sa.Column("device", sa.String(100), nullable=False),
        sa.Column("detail", sa.String(200), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_person", "event", ["person_id", "id"])
    op.create_table(
        "throttle",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
    )
    op.create_index("ix_throttle_ends_at", "throttle", ["ends_at"])


def downgrade():
    op.drop_table("throttle")
    op.drop_table("event")
