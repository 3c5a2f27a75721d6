"""Messages that had trouble are found among very many that had none."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

TROUBLED = sa.text("trouble <> ''")


def upgrade():
    where = {"sqlite_where": TROUBLED, "postgresql_where": TROUBLED}
    op.create_index("ix_outbox_trouble", "outbox", ["id"], **where)


def downgrade():
    op.drop_index("ix_outbox_trouble", "outbox")
