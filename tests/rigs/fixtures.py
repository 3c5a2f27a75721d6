"""The rigs as fixtures; a program that this machine lacks is named in the reason of the skip."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.rigs import chromium, mariadb, postgres, redis
from tests.rigs.chromium import Chromium
from tests.rigs.databases import KIND
from tests.rigs.mariadb import Mariadb
from tests.rigs.postgres import Postgres
from tests.rigs.redis import Redis
from tests.rigs.server import Server
from tests.rigs.smtp import SmtpServer

SERVERS = {"postgresql": "postgres", "mariadb": "mariadb"}
Rig = TypeVar("Rig")
Folders = pytest.TempPathFactory


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "endurance: real processes that are broken on purpose")
    config.addinivalue_line("markers", "long: takes a minute or more, and therefore starts first")


def _there(lack: str | None, rig: Callable[[], AbstractContextManager[Rig]]) -> Iterator[Rig]:
    if lack:
        pytest.skip(lack)
    with rig() as there:
        yield there


@pytest.fixture(scope="session")
def _smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def smtp_server(_smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> SmtpServer:
    """A mail server with implicit TLS and AUTH, without memories, whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", _smtp.ca_file)
    _smtp.clear()
    return _smtp


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL; skips where there is none."""
    yield from _there(postgres.missing(), Postgres)


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """The SQLAlchemy URL of an empty database, new for each test."""
    return postgres_server.fresh_database()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Mariadb]:
    """A MariaDB; skips where there is none."""
    yield from _there(mariadb.missing(), Mariadb)


@pytest.fixture
def mariadb_url(mariadb_server: Mariadb) -> str:
    """The SQLAlchemy URL of an empty database, new for each test."""
    return mariadb_server.fresh_database()


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of an empty database of the kind of TEST_DATABASE, new for each test."""
    if KIND == "sqlite":
        return f"sqlite:///{tmp_path / 'own.db'}"
    return request.getfixturevalue(f"{SERVERS[KIND]}_url")


@pytest.fixture
def redis_server() -> Iterator[Redis]:
    """An empty Redis of this test's own, which may stop and kill it; skips where there is none."""
    yield from _there(redis.missing(), Redis)


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Chromium]:
    """A browser; skips where there is none."""
    yield from _there(chromium.missing(), chromium.chromium)


def _served_on(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings that name a database of the kind of TEST_DATABASE, one for each served product.

    Two on one would send each other's messages, with codes that the other's keys do not know.
    """
    if KIND == "sqlite":
        return {}
    server = request.getfixturevalue(f"{SERVERS[KIND]}_server")
    return {"DATABASE_URL": server.fresh_database()}


@pytest.fixture(scope="session")
def portal(request: pytest.FixtureRequest, tmp_path_factory: Folders) -> Iterator[Server]:
    """The served product with a mailbox, one for all journeys of this run; use own addresses."""
    folder: Path = tmp_path_factory.mktemp("portal")
    with Server(folder, **_served_on(request)) as server:
        yield server


# One network makes all the people of these tests; limits of an address stay as they are.
ROOM = {
    "SIGN_UPS_PER_NETWORK_HOUR": "100000",
    "OPEN_SIGN_UPS_PER_NETWORK_HOUR": "100000",
    "SENDS_PER_NETWORK_HOUR": "100000",
    "SENDS_TOTAL_HOUR": "100000",
    "WRONG_PASSWORDS_PER_NETWORK": "100000",
}


@pytest.fixture(scope="session")
def wire(request: pytest.FixtureRequest, tmp_path_factory: Folders) -> Iterator[Server]:
    """The served product for programs, one for all tests of a run; use own addresses."""
    with Server(tmp_path_factory.mktemp("wire"), **ROOM, **_served_on(request)) as server:
        yield server
