"""How Alembic reaches the database: through the application, so that both mean the same one."""

from alembic import context
from sqlalchemy import text

from portal.core.db import db


def run():
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":  # tables are rebuilt by copying: no cascades
            connection.execute(text("PRAGMA foreign_keys=OFF"))
            connection.execute(text("BEGIN IMMEDIATE"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("BEGIN"))
        if connection.dialect.name == "mysql":
            _compare_bytes(connection)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


def _compare_bytes(connection):
    """Two texts of MariaDB are the same when all their bytes are, spaces at the end included."""
    collation = "utf8mb4_nopad_bin" if connection.dialect.is_mariadb else "utf8mb4_0900_bin"
    database = connection.dialect.identifier_preparer.quote(connection.engine.url.database)
    kind = f"CHARACTER SET utf8mb4 COLLATE {collation}"
    connection.execute(text(f"ALTER DATABASE {database} {kind}"))
    connection.execute(text("SET default_storage_engine = InnoDB"))


run()
