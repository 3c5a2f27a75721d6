"""Whether requests can be answered here, and what works less well.

Each part is asked by a thread of its own, once a second at most however often somebody wants to
know: whatever hangs, nobody waits longer than PATIENCE, and a flood of questions costs nothing.
For what can be missed they wait less long, so that it keeps no balancer waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from platform import python_version
from time import monotonic
from typing import TYPE_CHECKING

from portal.core import metrics, schema
from portal.core.db import db
from portal.core.settings import setting

if TYPE_CHECKING:
    from flask import Flask

FRESH, PATIENCE, LESS = 1.0, 1.5, 1.0  # seconds
OK, AWAY, OFF = "ok", "away", "off"
READY, DEGRADED, NOT_READY = "ready", "degraded", "not ready"
EXTENSION = "latchkey-readiness"
NAMES = {
    "part_up": ("Whether a part of the portal works: 1 or 0.", ("part",)),
    "info": ("What runs here.", ("python", "database", "schema")),
}


class Part:
    """Something that requests need, or miss; `without`: the words with which none is answered."""

    def __init__(self, app: Flask, look: Callable[[], str], without: tuple[str, ...]) -> None:
        self.without, self._patience = without, PATIENCE if without else LESS
        self._app, self._look = app, look
        self._lock, self._done = threading.Lock(), threading.Event()
        self._asking, self._began, self._ended = False, -PATIENCE, -FRESH
        self._word = ""

    def ask(self) -> bool:
        """Begins to look, unless that was done a moment ago.  True for who should wait for it."""
        with self._lock:
            if self._asking or monotonic() - self._ended < FRESH:
                return not self._word
            self._asking, self._began, self._done = True, monotonic(), threading.Event()
        try:
            threading.Thread(target=self._find, daemon=True, name="readiness").start()
        except RuntimeError:  # no thread to be had: the next one who asks tries again
            self._asking = False
        return True

    def word(self, wait: bool) -> str:
        """What was found last; AWAY as soon as a look takes too long."""
        left = self._began + self._patience - monotonic()
        if wait and left > 0:
            self._done.wait(left)
        hangs = self._asking and monotonic() - self._began >= self._patience
        return AWAY if hangs else self._word or AWAY

    def _find(self) -> None:
        word = AWAY
        try:
            with self._app.app_context():
                word = self._look()
        except Exception:  # noqa: BLE001, S110 - whatever is wrong with it, that is the answer
            pass
        finally:
            self._word, self._ended, self._asking = word, monotonic(), False
            self._done.set()


def init_app(app: Flask) -> None:
    """Lets `app` say how its database is doing, and itself."""
    app.extensions[EXTENSION] = {}
    check(app, "database", schema.standing, without=(AWAY, schema.BEHIND))
    metrics.at_scrape(app, NAMES, lambda: _look(app))


def check(app: Flask, name: str, look: Callable[[], str], without: tuple[str, ...] = ()) -> None:
    """Has `look` asked whenever somebody wants to know: OK or another word; raising means AWAY.

    With one of `without` no request can be answered here; with any other it is told, no more.
    """
    app.extensions[EXTENSION][name] = Part(app, look, without)


def words(app: Flask) -> dict[str, str]:
    """The word of each part, within PATIENCE."""
    parts: dict[str, Part] = app.extensions[EXTENSION]
    asked = {name: part.ask() for name, part in parts.items()}
    return {name: part.word(asked[name]) for name, part in parts.items()}


def report(app: Flask) -> dict[str, str]:
    """Under "status" READY, DEGRADED or NOT_READY; and the word of each part."""
    found, parts = words(app), app.extensions[EXTENSION]
    told = found | {"throttles": OK if setting("THROTTLES") else OFF}
    status = READY if set(told.values()) == {OK} else DEGRADED
    if any(found[name] in part.without for name, part in parts.items()):
        status = NOT_READY
    return {"status": status, **told}


def _look(app: Flask) -> dict[str, dict[tuple[str, ...], float]]:
    about = python_version(), db.engine.dialect.name, schema.head()
    ups: dict[tuple[str, ...], float] = {
        (name,): float(word == OK) for name, word in words(app).items()
    }
    return {"part_up": ups, "info": {about: 1.0}}
