"""Accounts that were deleted: kept until they are purged; names in links look like no code."""

import re
from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0010"
down_revision = "0009"

MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")

LIKE_A_CODE = re.compile(r"[0-9]{6}")
PERSON = sa.table("person", sa.column("id", sa.BigInteger), sa.column("uuid", sa.Uuid))


def upgrade():
    op.add_column("person", sa.Column("deleted_at", MOMENT))
    op.create_index("ix_person_deleted_at", "person", ["deleted_at"])
    connection = op.get_bind()
    for number, name in connection.execute(sa.select(PERSON.c.id, PERSON.c.uuid)).all():
        if LIKE_A_CODE.search(str(name)):
            mine = sa.update(PERSON).where(PERSON.c.id == number)
            connection.execute(mine.values(uuid=_new_name()))


def _new_name():
    name = uuid4()
    return _new_name() if LIKE_A_CODE.search(str(name)) else name


def downgrade():
    op.execute("DELETE FROM person WHERE deleted_at IS NOT NULL")  # or they would come back
    op.drop_index("ix_person_deleted_at", "person")
    op.drop_column("person", "deleted_at")
