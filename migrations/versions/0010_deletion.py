"""Accounts that were deleted: kept until they are purged."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade():
    op.add_column("person", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    op.create_index("ix_person_deleted_at", "person", ["deleted_at"])


def downgrade():
    op.execute("DELETE FROM person WHERE deleted_at IS NOT NULL")  # or they would come back
    op.drop_index("ix_person_deleted_at", "person")
    op.drop_column("person", "deleted_at")
