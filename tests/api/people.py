"""What the database of the served portal holds of somebody, read past the portal."""

from sqlalchemy import NullPool, create_engine, text

from tests.rigs.server import Server

Row = dict[str, object]


def rows(portal: Server, statement: str, **values: object) -> list[Row]:
    """What a SELECT finds."""
    engine = create_engine(portal.environment["DATABASE_URL"], poolclass=NullPool)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(statement), values).mappings()]


def kept(portal: Server, email: str) -> list[Row]:
    """Every column of the account and its profile."""
    both = "SELECT * FROM person LEFT JOIN profile ON person_id = person.id"
    return rows(portal, f"{both} WHERE email_key = :email", email=email)


def events(portal: Server, email: str, kind: str) -> list[Row]:
    """What was noted of this kind, oldest first."""
    mine = "person_id = (SELECT id FROM person WHERE email_key = :email)"
    statement = f"SELECT * FROM event WHERE kind = :kind AND {mine} ORDER BY id"  # noqa: S608
    return rows(portal, statement, email=email, kind=kind)
