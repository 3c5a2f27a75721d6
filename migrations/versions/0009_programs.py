"""Programs: refresh tokens that turn, and codes that were asked for by a program."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0009"
down_revision = "0008"

MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")


def upgrade():
    op.add_column("session_secret", sa.Column("used_at", MOMENT))
    op.add_column(
        "challenge", sa.Column("door", sa.String(10), nullable=False, server_default="page")
    )
    op.add_column("challenge", sa.Column("follows", sa.String(43)))
    op.create_index("ix_challenge_follows", "challenge", ["follows"])
    with op.batch_alter_table("challenge") as table:
        table.alter_column("door", server_default=None)


def downgrade():
    op.execute("DELETE FROM session WHERE kind <> 'browser'")  # nobody there could turn their keys
    op.drop_index("ix_challenge_follows", "challenge")
    with op.batch_alter_table("challenge") as table:
        table.drop_column("follows")
        table.drop_column("door")
    with op.batch_alter_table("session_secret") as table:
        table.drop_column("used_at")
