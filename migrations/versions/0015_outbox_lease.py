"""Nobody asks for messages by who holds them; each change of a holder wrote into every index."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade():
    op.drop_index("ix_outbox_lease", "outbox")


def downgrade():
    op.create_index("ix_outbox_lease", "outbox", ["lease"])
