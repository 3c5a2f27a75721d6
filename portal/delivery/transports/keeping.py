"""One connection a thread, kept while it is fresh."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")
MOST_USES, IDLE_SECONDS = 100, 10.0


@dataclass
class Held(Generic[T]):
    """A connection and what it was made with; a child process never takes its parent's."""

    connection: T
    key: object
    uses: int = 0
    last: float = 0.0
    process: int = field(default_factory=os.getpid)

    def fits(self, key: object) -> bool:
        """Whether it can be used again by whoever needs one like `key`."""
        fresh = self.uses < MOST_USES and monotonic() - self.last < IDLE_SECONDS
        return fresh and (self.key, self.process) == (key, os.getpid())


class Keeper(Generic[T]):
    """Takes connections back from each thread, and gives them out to the same; `close` ends one."""

    def __init__(self, close: Callable[[T], object]) -> None:
        self._mine = threading.local()
        self._close = close

    def take(self, key: object) -> Held[T] | None:
        """-> this thread's connection, its own until it is given back; None without a fresh one."""
        held = self._out()
        if held is None or held.fits(key):
            return held
        self._close(held.connection)
        return None

    def give_back(self, held: Held[T]) -> None:
        """It worked, and may work again."""
        held.uses += 1
        held.last = monotonic()
        self._mine.held = held

    def rest(self, farewell: Callable[[T], object] = lambda connection: None) -> None:
        """Ends this thread's connection, with a `farewell` if this process made it."""
        held = self._out()
        if held is None:
            return
        if held.process == os.getpid():
            farewell(held.connection)
        self._close(held.connection)

    def _out(self) -> Held[T] | None:
        found: Held[T] | None = self._mine.__dict__.pop("held", None)
        return found
