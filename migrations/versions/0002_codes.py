"""One-time codes and the wishes around them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0002"
down_revision = "0001"

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")


def upgrade():
    op.create_table(
        "otp",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("otp_hash", sa.String(255), nullable=False),
        sa.Column("purpose", sa.String(50), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("consumed_at", MOMENT),
        sa.Column("attempts", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False, server_default="5"),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_otp_user_purpose", "otp", ["user_id", "purpose"])
    op.create_index("ix_otp_expires", "otp", ["expires_at"])
    op.create_table(
        "challenge",
        sa.Column("id", sa.String(43), primary_key=True),
        sa.Column("purpose", sa.String(50), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("typed_hash", sa.String(64), nullable=False),
        sa.Column("device", sa.String(100), nullable=False),
        sa.Column("code_seconds", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), nullable=False),
        sa.Column("link_seconds", sa.Integer(), nullable=False),
        sa.Column("link_path", sa.String(100), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("otp_id", sa.BigInteger()),
        sa.Column("code_until", MOMENT),
        sa.Column("link_hash", sa.String(64), unique=True),
        sa.Column("link_until", MOMENT),
        sa.Column("proven_at", MOMENT),
        sa.Column("grant_hash", sa.String(64), unique=True),
        sa.Column("grant_until", MOMENT),
        sa.Column("closed_at", MOMENT),
    )
    op.create_index("ix_challenge_typed", "challenge", ["typed_hash", "purpose"])
    op.create_index("ix_challenge_user", "challenge", ["user_id"])
    op.create_index("ix_challenge_opened_at", "challenge", ["opened_at"])


def downgrade():
    op.drop_table("challenge")
    op.drop_table("otp")
