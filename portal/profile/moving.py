"""Carrying every picture from one store to the other, while the portal serves.

Readers find each wherever it is.  Broken off and begun again it goes on: what has arrived is not
carried twice, and nothing is removed where it was before everything has arrived.
"""

import fcntl
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from portal.core.settings import setting
from portal.profile import bucket, disk, roads
from portal.profile.stores import Store

T = TypeVar("T")
log = logging.getLogger("latchkey")
STORES: dict[str, Store] = {"local": disk, "s3": bucket}
TRIES = 3  # of a store that is away, with a rest before each but the first


@contextmanager
def alone() -> Iterator[bool]:
    """Whether no other move is under way on this machine: two in two directions would lose all."""
    root = Path(setting("UPLOAD_FOLDER"))
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".moving").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


class Move:
    """A move to one of STORES, and how far it has come, in pictures."""

    def __init__(self, to: str) -> None:
        self._target = STORES[to]
        self._source = next(store for name, store in STORES.items() if name != to)
        self.moved = self.skipped = self.failed = 0

    def folders(self) -> list[str]:
        """What has to be gone through: each has a part of the pictures that memory can hold.

        Raises OSError when a store stays away, as the others do.
        """
        return _patiently(self._source.folders)

    def copy(self, folder: str) -> None:
        """Carries what is not there yet.

        What is there with the right size is whole: neither store shows half a file.
        """
        for name, sides in self._missing(folder):
            self._carry(name, sides)

    def let_go(self, folder: str, *, keep: bool) -> None:
        """Compares each picture with its copy and removes it where it was; `keep`: compares alone.

        What differs, or came meanwhile, stays and has failed.
        """
        for name, sides in _patiently(self._source.listed, folder).items():
            self._let_go(name, list(sides), keep)

    def _missing(self, folder: str) -> Iterator[tuple[str, list[int]]]:
        there = _patiently(self._target.listed, folder)
        for name, sides in _patiently(self._source.listed, folder).items():
            copied = there.get(name, {})
            missing = [side for side, size in sides.items() if copied.get(side) != size]
            if missing:
                yield name, missing
            else:
                self.skipped += 1

    def _carry(self, name: str, sides: list[int]) -> None:
        try:
            came = _patiently(self._copy, name, sides)
        except OSError as err:
            log.error("the picture %s cannot be moved: %s", name, type(err).__name__)
            came = False
        self.moved += came
        self.failed += not came

    def _copy(self, name: str, sides: list[int]) -> bool:
        """Whether what arrived is what left."""
        files = {side: self._source.read(name, side) for side in sides}
        self._target.save(name, {side: data for side, data in files.items() if data is not None})
        same = all(self._arrived(name, side, data) for side, data in files.items())
        if not self._source.exists(name, sides[0]):  # removed by its owner, while we carried it
            self._target.remove(name)
        return same

    def _arrived(self, name: str, side: int, data: bytes | None) -> bool:
        """Nothing is as good as there where nothing is any more; what nobody can read is not."""
        if data is None:
            return not self._source.exists(name, side)
        return self._target.read(name, side) == data

    def _let_go(self, name: str, sides: list[int], keep: bool) -> None:
        try:
            same = _patiently(self._is_same, name, sides)
            if same and not keep:
                self._source.remove(name)
        except OSError as err:
            log.error("the picture %s cannot be removed: %s", name, type(err).__name__)
            same = False
        self.failed += not same

    def _is_same(self, name: str, sides: list[int]) -> bool:
        return all(self._arrived(name, side, self._source.read(name, side)) for side in sides)


def _patiently(work: Callable[..., T], *what: object) -> T:
    """Again after a rest, where a store was away for a moment."""
    for _ in range(TRIES - 1):
        try:
            return work(*what)
        except roads.Away:
            time.sleep(roads.REST)
    return work(*what)
