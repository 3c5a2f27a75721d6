"""The outbox of several channels and senders: leases, ranks, breakers, turns."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0006"
down_revision = "0005"

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")


def upgrade():
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(
            sa.Column("channel", sa.String(20), nullable=False, server_default="email")
        )
        outbox.add_column(sa.Column("rank", sa.SmallInteger(), nullable=False, server_default="0"))
        outbox.add_column(sa.Column("lease", sa.String(43)))
        outbox.drop_index("ix_outbox_due")
        outbox.create_index("ix_outbox_waiting", ["done_at", "rank", "due_at"])
        outbox.create_index("ix_outbox_lease", ["lease"])
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("channel", server_default=None)
        outbox.alter_column("rank", server_default=None)
    breaker = op.create_table(
        "breaker",
        sa.Column("channel", sa.String(20), primary_key=True),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("broken", sa.String(20), nullable=False),
        sa.Column("opened_at", MOMENT),
        sa.Column("probe_at", MOMENT),
    )
    turn = op.create_table(
        "turn",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("holder", sa.String(43), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
    )
    channels = "email", "sms"
    op.bulk_insert(breaker, [{"channel": each, "faults": 0, "broken": ""} for each in channels])
    op.bulk_insert(turn, [{"name": "delivery", "holder": "", "until": LONG_AGO}])


def downgrade():
    op.drop_table("turn")
    op.drop_table("breaker")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_index("ix_outbox_lease")
        outbox.drop_index("ix_outbox_waiting")
        outbox.drop_column("lease")
        outbox.drop_column("rank")
        outbox.drop_column("channel")
        outbox.create_index("ix_outbox_due", ["done_at", "due_at"])
