"""Second factors: the keys of authenticator apps, and backup codes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0011"
down_revision = "0010"

TIME = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")
BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    op.add_column("person", sa.Column("two_step_at", TIME))
    op.create_table(
        "authenticator",
        sa.Column("id", BIG, primary_key=True),
        _person(),
        sa.Column("secret", sa.String(200), nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_authenticator_person", "authenticator", ["person_id", "confirmed_at"])
    op.create_table(
        "backup_code",
        sa.Column("id", BIG, primary_key=True),
        _person(),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("used_at", TIME),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_backup_code_person", "backup_code", ["person_id", "digest"])


def _person():
    own = sa.ForeignKey("person.id", ondelete="CASCADE")
    return sa.Column("person_id", BIG, own, nullable=False)


def downgrade():
    op.execute("DELETE FROM session WHERE kind = 'half'")  # or half a sign-in would be a whole one
    op.drop_table("backup_code")
    op.drop_table("authenticator")
    op.drop_column("person", "two_step_at")
