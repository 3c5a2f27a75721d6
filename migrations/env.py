"""How Alembic reaches the database: through the application, so that both mean the same one."""

from alembic import context
from sqlalchemy import text

from portal.core.db import db


def run():
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":  # tables are rebuilt by copying: no cascades
            connection.execute(text("PRAGMA foreign_keys=OFF"))
            connection.execute(text("BEGIN IMMEDIATE"))
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
