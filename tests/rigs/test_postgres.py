"""The tests' PostgreSQL is one: each test gets a database of its own."""

import psycopg
import pytest

from tests.rigs.postgres import Postgres

pytestmark = pytest.mark.postgres


def connect(url):
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_two_databases_know_nothing_of_each_other(postgres_server):
    first, second = postgres_server.fresh_database(), postgres_server.fresh_database()
    with connect(first) as one, connect(second) as other:
        one.execute("CREATE TABLE only_here (id int)")
        with pytest.raises(psycopg.errors.UndefinedTable):
            other.execute("SELECT * FROM only_here")


def test_it_speaks_utf_8_and_keeps_time_zones(postgres_url):
    with connect(postgres_url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        (moment,) = connection.execute("SELECT now()").fetchone()
        assert moment.tzinfo


@pytest.mark.usefixtures("postgres_server")
def test_a_restart_and_a_crash_end_connections_and_keep_what_was_committed():
    with Postgres() as server:
        url = server.fresh_database()
        for ends in server.stop, server.kill:
            with connect(url) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
                ends()
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("SELECT 1")
            server.start()
            with connect(url) as connection:
                assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
