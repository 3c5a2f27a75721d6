"""The rigs as fixtures; a program that this machine lacks is named in the reason of the skip."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs import chromium, postgres, redis
from tests.rigs.chromium import Chromium
from tests.rigs.postgres import Postgres
from tests.rigs.redis import Redis
from tests.rigs.server import Server
from tests.rigs.smtp import SmtpServer


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "endurance: real processes that are broken on purpose")


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
    if reason := postgres.missing():
        pytest.skip(reason)
    with Postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """The SQLAlchemy URL of an empty database, new for each test."""
    return postgres_server.fresh_database()


@pytest.fixture
def redis_server() -> Iterator[Redis]:
    """An empty Redis of this test's own, which may stop and kill it; skips where there is none."""
    if reason := redis.missing():
        pytest.skip(reason)
    with Redis() as server:
        yield server


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Chromium]:
    """A browser; skips where there is none."""
    if reason := chromium.missing():
        pytest.skip(reason)
    with chromium.chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The served product with a mailbox, one for all journeys of this run; use own addresses."""
    folder: Path = tmp_path_factory.mktemp("portal")
    with Server(folder) as server:
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
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The served product for programs, one for all tests of a run; use own addresses."""
    with Server(tmp_path_factory.mktemp("wire"), **ROOM) as server:
        yield server
