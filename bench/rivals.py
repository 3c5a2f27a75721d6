"""Who is compared, how each is set up, and where things are in it.

"ours" has its throttles off, as the peers' limits are; "ours, counting" has them on, with limits
that nobody reaches.  "our terms" are a peer with our hash and with neutral answers.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench import served
from bench.served import Application, Served
from bench.sink import Sink
from bench.ways import ALLAUTH_WAYS, OUR_WAYS, SECURITY_TERMS, SECURITY_WAYS, Ways
from portal import create_app
from portal.accounts import hashing
from portal.core.db import db
from tests.rigs import crowd
from tests.rigs.postgres import Postgres
from tests.rigs.server import Server
from tests.rigs.smtp import free_port

PASSWORD, WRONG = "copper lantern tuesday", "wooden planet friday"
NAME = "Ann Miller"
PEOPLE = 1000
OURS, COUNTING, BARE = "ours", "ours, counting", "bare Flask"
SECURITY, ALLAUTH = "Flask-Security", "allauth"
TERMS = ", our terms"
DURABLE = {"max_connections": "300"}  # as it ships, for everybody, but for how many may come
ENDLESS = 10**9
LIMITS = (
    "SENDS_PER_HOUR",
    "SENDS_PER_DAY",
    "SENDS_PER_NETWORK_HOUR",
    "SENDS_TOTAL_HOUR",
    "WRONG_PASSWORDS_PER_ACCOUNT",
    "WRONG_PASSWORDS_PER_NETWORK",
)


@dataclass(frozen=True)
class Rival:
    """One that is served, with the address of its database."""

    name: str
    ways: Ways | None
    served: Served
    database: str

    @property
    def port(self) -> int:
        return self.served.port

    def waiting(self) -> int:
        """Messages that were asked for and not sent yet; peers send before they answer."""
        if self.ways is not OUR_WAYS:
            return 0
        with psycopg.connect(self.database) as connection:
            found = connection.execute("SELECT count(*) FROM outbox WHERE done_at IS NULL")
            return int(found.fetchone()[0])


def start(stack: ExitStack, folder: Path, sink: Sink) -> dict[str, Rival]:
    """Everybody, served, with PEOPLE filled in, by name."""
    postgres = stack.enter_context(Postgres(DURABLE))
    rivals = {}
    for name, ways, prepare in _all(folder, sink):
        url = postgres.fresh_database()
        application = prepare(url)
        one = stack.enter_context(Served(application, folder / f"{name}.log"))
        rivals[name] = Rival(name, ways, one, _plain(url))
    return rivals


def _all(folder: Path, sink: Sink) -> Iterator:
    counted = dict.fromkeys(LIMITS, str(ENDLESS)) | {"SEND_COOLDOWN_SECONDS": "0"}
    for name, own in ((OURS, {"THROTTLES": "off"}), (COUNTING, counted)):
        yield (
            name,
            OUR_WAYS,
            lambda url, name=name, own=own: _portal(
                folder / name, own | mail(sink) | {"DATABASE_URL": url}
            ),
        )
    kinds = (
        (SECURITY, "security", SECURITY_WAYS, SECURITY_TERMS),
        (
            ALLAUTH,
            "allauth",
            ALLAUTH_WAYS,
            ALLAUTH_WAYS,
        ),
    )
    for name, where, *both in kinds:
        for terms, ways in zip(("", TERMS), both, strict=True):
            yield (
                name + terms,
                ways,
                lambda url, where=where, terms=terms: _peer(
                    where, sink, {"DATABASE_URL": url, "OUR_TERMS": terms}
                ),
            )
    yield BARE, None, lambda url: _peer("bare", sink, {"DATABASE_URL": _plain(url)})


def _portal(folder: Path, own: dict[str, str]) -> Application:
    folder.mkdir()
    server = Server(folder, BCRYPT_COST="12", **own)
    server.flask("db", "upgrade")
    app = create_app(server.environment)
    with app.app_context():
        kept = hashing.make(PASSWORD)
    crowd.settle(app, PEOPLE, kept)
    with app.app_context():
        db.engine.dispose()
    return served.ours(server.port, server.environment)


def mail(sink: Sink) -> dict[str, str]:
    return {
        "EMAIL_BACKEND": "smtp",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(sink.port),
        "EMAIL_USE_SSL": "0",
        "EMAIL_FROM": "portal@latchkey.example",
    }


def _peer(where: str, sink: Sink, own: dict[str, str]) -> Application:
    key, port = secrets.token_urlsafe(48), free_port()
    common = {"SECRET_KEY": key, "SMTP_PORT": str(sink.port), "PASSWORD": PASSWORD}
    return served.peer(where, port, common | {"PEOPLE": str(PEOPLE)} | own)


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg", "postgresql")


def missing() -> str | None:
    """Why the rivals cannot be started here."""
    if not os.access(served.PYTHON, os.X_OK):
        return "The rivals are not installed: bench/peers/install.sh"
    return None
