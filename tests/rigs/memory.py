"""What the tests of one worker lived through already: told once through the doors, then put back.

account = told(app, ("signed up", email), lambda: sign_up_through_the_doors(email))

A story is put back only where all of its database is known: nothing was written since the start of
the test but other stories, and it is some seconds old.  Everywhere else it is told again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import Engine, event

from portal.core import clock
from tests.rigs.databases import Database

T = TypeVar("T")
FRESH = timedelta(seconds=15)  # no wait, window or life of the product is that short
READS = "SELECT", "PRAGMA", "BEGIN"
NAME = "memory"


def told(app: Flask, step: Hashable, tell: Callable[[], T], fresh: timedelta = FRESH) -> T:
    """-> what `tell` returned, which must be a value: it is copied, and so is the database.

    `fresh`: how long ago it may have begun.
    """
    memory = app.extensions.get(NAME)
    return memory.told(step, tell, fresh) if memory else tell()


@dataclass(frozen=True)
class Known:
    """How a story ended, and when it began."""

    began: datetime
    result: Any

    def is_fresh(self, fresh: timedelta) -> bool:
        return timedelta(0) <= clock.now() - self.began <= fresh


class Memory:
    """Follows one database: `_at` are the steps that led to what it holds, None if unknown."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[Hashable, ...], Known] = {}
        self._at: tuple[Hashable, ...] | None = None
        event.listen(Engine, "before_cursor_execute", self._notice)

    def begin(self, app: Flask) -> None:
        """This application of everybody's settings may put stories back."""
        app.extensions[NAME] = self

    def restart(self) -> None:
        """The database is as the migrations leave it."""
        self._database.restore()
        self._at = ()

    def told(self, step: Hashable, tell: Callable[[], T], fresh: timedelta) -> T:
        """See `told`."""
        if self._at is None:
            return tell()
        path = (*self._at, step)
        known = self._known.get(path)
        if known and known.is_fresh(fresh):
            self._database.recall(path)
        else:
            known = Known(clock.now(), tell())
            self._forget_after(path)
            self._known[path] = known
            self._database.keep(path)
        self._at = path
        return deepcopy(known.result)

    def _forget_after(self, path: tuple[Hashable, ...]) -> None:
        """What followed an earlier telling is of another database: its sign-ins are others."""
        after = [each for each in self._known if each[: len(path)] == path]
        for each in after:
            del self._known[each]

    def _notice(self, _connection: Any, _cursor: Any, statement: str, *_more: object) -> None:
        if not statement.startswith(READS):
            self._at = None
