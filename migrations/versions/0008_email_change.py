"""Changes of an email address, kept while they can be confirmed or stopped."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0008"
down_revision = "0007"

MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade():
    op.create_table(
        "email_change",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column(
            "person_id", BIG_ID, sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("challenge_id", sa.String(43), nullable=False, unique=True),
        sa.Column("before", sa.String(254), nullable=False),
        sa.Column("wanted", sa.String(254), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_email_change_person", "email_change", ["person_id", "id"])


def downgrade():
    op.drop_table("email_change")
