"""A served portal with so many people, and the address of each thing that one asks of it.

grown = Grown(folder, url, people)     # empty, in a database of its own
grown.fill()                           # -> seconds
with grown.portal: ...                 # served
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import create_engine, text

from bench import agents, lives, town
from bench.browser import Answer, Browser
from portal.accounts import hashing
from portal.api import tokens
from portal.core.db import db
from tests.rigs.server import Server

PASSWORD = "copper lantern tuesday"  # noqa: S105 - of invented people
EVENTS_EACH = 2
PATIENCE, LOOK = 60, 0.001  # seconds for a message to go out, and between two looks
SIZE = text("SELECT pg_database_size(current_database())")
WAITING = text("SELECT 1 FROM outbox WHERE done_at IS NULL LIMIT 1")


class Grown:
    """One client, one kept connection."""

    def __init__(self, folder: Path, url: str, people: int) -> None:
        self.people = people
        self.portal = Server(folder, THROTTLES="off", DATABASE_URL=url)
        self._forms: dict[str, tuple[dict[str, str], dict[str, str]]] = {}

    def fill(self) -> None:
        """Takes minutes for a million people."""
        self.portal.flask("db", "upgrade")
        self._app = agents.application(self.portal)
        self._agent = agents.signed_in(self._app)
        with self._app.app_context():
            known = hashing.make(PASSWORD)
            town.fill(self.people, EVENTS_EACH * self.people, known)
            db.engine.dispose()

    def megabytes(self) -> float:
        """What the database takes on the disk."""
        url = self.portal.environment["DATABASE_URL"]
        if url.startswith("sqlite"):
            return os.path.getsize(self.portal.folder / "portal.db") / 1e6
        return float(self._line.scalar(SIZE)) / 1e6

    @contextmanager
    def served(self) -> Iterator[None]:
        """While it answers."""
        url = self.portal.environment["DATABASE_URL"]
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            self.portal.start()
            with engine.connect() as self._line:
                self._browser = Browser(self.portal.port)
                yield
        finally:
            engine.dispose()
            self._stop()

    def _stop(self) -> None:
        """Also when it was told to end while it began."""
        process = getattr(self.portal, "process", None)
        if process and process.poll() is None:
            self.portal.stop()

    def get(self, path: str) -> Answer:
        """Asks as nobody."""
        return self._browser.ask("GET", path, None, {})

    def as_person(self, path: str, number: int) -> Answer:
        """Asks as this person's browser."""
        return self._with_cookie(path, f"{agents.COOKIE}={lives.secret(number)}")

    def as_agent(self, path: str) -> Answer:
        """Asks as somebody of the helpdesk."""
        return self._with_cookie(path, self._agent)

    def as_program(self, path: str, number: int) -> Answer:
        """Asks as this person's program, with a token that is made before the time counts."""
        sid = UUID(int=lives.session_id(number, lives.PROGRAM))
        person = SimpleNamespace(uuid=UUID(int=number))
        with self._app.app_context():
            token = tokens.access(SimpleNamespace(sid=sid, person=person))  # type: ignore[arg-type]
        return self._browser.ask("GET", path, None, {"Authorization": f"Bearer {token}"})

    def send(self, path: str, **fields: str) -> Answer:
        """Sends a form as a fresh browser does that fetched the page before."""
        if path not in self._forms:
            self._forms[path] = self._opened(path)
        headers, hidden = self._forms[path]
        return self._browser.ask("POST", path, urlencode(hidden | fields), headers)

    def quiet(self) -> float:
        """Waits until no message is to be sent any more.  -> seconds.  Raises TimeoutError."""
        began = time.perf_counter()
        while self._line.execute(WAITING).first():
            if time.perf_counter() - began > PATIENCE:
                raise TimeoutError(
                    f"{self.people} people: messages still wait.\n{self.portal.log()}"
                )
            time.sleep(LOOK)
        return time.perf_counter() - began

    def _with_cookie(self, path: str, cookie: str) -> Answer:
        return self._browser.ask("GET", path, None, {"Cookie": cookie})

    def _opened(self, path: str) -> tuple[dict[str, str], dict[str, str]]:
        browser = Browser(self.portal.port)
        browser.open(path)
        browser.close()
        return browser.headers(), browser.token
