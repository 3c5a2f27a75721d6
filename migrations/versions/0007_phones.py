"""Phone numbers, held sign-ins, confirmed sessions, and why staff acted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import DATETIME

revision = "0007"
down_revision = "0006"

MOMENT = sa.DateTime(timezone=True).with_variant(DATETIME(fsp=6), "mysql")


def upgrade():
    with op.batch_alter_table("person") as person:
        person.add_column(sa.Column("phone", sa.String(20)))
        person.add_column(sa.Column("phone_wanted", sa.String(20)))
        person.add_column(sa.Column("held_at", MOMENT))
        person.create_unique_constraint("person_phone_key", ["phone"])
    with op.batch_alter_table("session") as session:
        session.add_column(sa.Column("confirmed_at", MOMENT))
    with op.batch_alter_table("event") as event:
        event.add_column(sa.Column("reason", sa.String(200), nullable=False, server_default=""))
        event.add_column(sa.Column("ticket", sa.String(50), nullable=False, server_default=""))
    with op.batch_alter_table("event") as event:
        event.alter_column("reason", server_default=None)
        event.alter_column("ticket", server_default=None)


def downgrade():
    with op.batch_alter_table("event") as event:
        event.drop_column("ticket")
        event.drop_column("reason")
    with op.batch_alter_table("session") as session:
        session.drop_column("confirmed_at")
    with op.batch_alter_table("person") as person:
        person.drop_constraint("person_phone_key", type_="unique")
        person.drop_column("held_at")
        person.drop_column("phone_wanted")
        person.drop_column("phone")
