"""Messages to be sent, and the mailbox of a try-out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0003"
down_revision = "0002"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")


def upgrade():
    op.create_table(
        "outbox",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("recipe", sa.String(50), nullable=False),
        sa.Column("about", sa.String(100), nullable=False),
        sa.Column("person_id", sa.BigInteger()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("leased_until", MOMENT),
        sa.Column("accepted_at", MOMENT),
        sa.Column("done_at", MOMENT),
        sa.Column("trouble", sa.String(100), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_due", "outbox", ["done_at", "due_at"])
    op.create_index("ix_outbox_person_id", "outbox", ["person_id"])
    op.create_table(
        "mailbox",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("to", sa.String(300), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text()),
        sa.Column("sent_at", MOMENT, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade():
    op.drop_table("mailbox")
    op.drop_table("outbox")
