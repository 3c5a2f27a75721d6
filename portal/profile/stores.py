"""Where picture files are kept: in a bucket where one is set, else on disk.

While pictures are moved from one to the other, each is found where it is.  Names are random,
and what a name stands for never changes, so that two copies are as good as one.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

from portal.core.settings import setting
from portal.profile import bucket, disk, filenames

new_name = filenames.new_name


class Store(Protocol):
    """What disk and bucket both are.  Whatever is wrong with one, they raise OSError."""

    def save(self, name: str, files: Mapping[int, bytes]) -> None: ...
    def read(self, name: str, side: int) -> bytes | None: ...
    def exists(self, name: str, side: int) -> bool: ...
    def kept_before(self, moment: datetime) -> Iterator[set[str]]: ...
    def remove(self, name: str) -> None: ...

    def folders(self) -> list[str]:
        """By which two digits the names there begin."""
        ...

    def listed(self, folder: str) -> dict[str, dict[int, int]]:
        """The pictures in such a folder: name -> side in pixels -> bytes."""
        ...


def has_bucket() -> bool:
    """Whether new pictures go into a bucket."""
    return bool(setting("AWS_STORAGE_BUCKET_NAME"))


def save(name: str, files: Mapping[int, bytes]) -> None:
    """Keeps the files of one picture by their side in pixels: all or, raising OSError, none.

    Raises ValueError when `name` is not one that `new_name` makes.
    """
    store: Store = bucket if has_bucket() else disk
    store.save(name, files)


def read(name: str, side: int) -> bytes | None:
    """One file, or None when there is none, whatever the name looks like.  Raises OSError.

    The disk is asked first, in microseconds, and again where the bucket has none: a picture may
    have come to the disk between the two.
    """
    found = disk.read(name, side)
    if found is None and has_bucket():
        found = bucket.read(name, side) or disk.read(name, side)
    return found


def exists(name: str, side: int) -> bool:
    """Whether there is such a file, whatever the name looks like.  Raises OSError."""
    found = disk.exists(name, side)
    return found or (has_bucket() and (bucket.exists(name, side) or disk.exists(name, side)))


def kept_before(moment: datetime) -> Iterator[set[str]]:
    """The names of all pictures that were kept before `moment`, a folder at a time."""
    for store in _all():
        yield from filter(None, store.kept_before(moment))


def remove(name: str) -> None:
    """Removes every size of a picture; silent when there is none.  Raises ValueError as `save`."""
    for store in _all():
        store.remove(name)
    if has_bucket():
        disk.remove(name)  # who moves pictures out of the bucket may have put it there meanwhile


def standing() -> str:
    """ "ok" where a new picture can be kept.  Raises OSError."""
    if has_bucket():
        bucket.exists(new_name(), 1)
    else:
        disk.try_out()
    return "ok"


def _all() -> list[Store]:
    return [disk, bucket] if has_bucket() else [disk]
