"""Pictures on disk, below UPLOAD_FOLDER."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile

from portal.core.settings import setting
from portal.profile import filenames

READABLE = 0o644  # a web server of another user may serve them


def save(name: str, files: Mapping[int, bytes]) -> None:
    """As `stores.save`."""
    try:
        for side, data in files.items():
            _write(_path(name, side), data)
    except OSError:
        remove(name)
        raise


def read(name: str, side: int) -> bytes | None:
    """As `stores.read`."""
    try:
        return _path(name, side).read_bytes()
    except (ValueError, FileNotFoundError):
        return None


def exists(name: str, side: int) -> bool:
    """As `stores.exists`."""
    try:
        return _path(name, side).is_file()
    except ValueError:
        return False


def kept_before(moment: datetime) -> Iterator[set[str]]:
    """As `stores.kept_before`; half files count, so that they go with what they are a part of."""
    for folder in folders():
        old = (path for path in _in(folder) if path.stat().st_mtime < moment.timestamp())
        yield {name for path in old if (name := filenames.named(path.name))}


def folders() -> list[str]:
    """As `stores.Store.folders`."""
    found = _root().iterdir() if _root().is_dir() else ()
    return sorted(path.name for path in found if filenames.FOLDER.fullmatch(path.name))


def listed(folder: str) -> dict[str, dict[int, int]]:
    """As `stores.Store.listed`."""
    found: dict[str, dict[int, int]] = {}
    for path in _in(folder):
        if ours := filenames.parsed(path.name):
            found.setdefault(ours[0], {})[ours[1]] = path.stat().st_size
    return found


def remove(name: str) -> None:
    """As `stores.remove`."""
    start = _root() / filenames.of_picture(name)
    for path in start.parent.glob(f"{start.name}*"):
        path.unlink(missing_ok=True)


def try_out() -> None:
    """Keeps a byte for a moment.  Raises OSError when that cannot be done."""
    _root().mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=_root(), buffering=0) as file:
        file.write(b"x")


def _root() -> Path:
    return Path(setting("UPLOAD_FOLDER"))


def _in(folder: str) -> list[Path]:
    where = _root() / folder
    return list(where.iterdir()) if where.is_dir() else []


def _path(name: str, side: int) -> Path:
    return _root() / filenames.path(name, side)


def _write(path: Path, data: bytes) -> None:
    """Under another name first, so that nobody ever reads a half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.part")
    with half.open("wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), READABLE)
        os.fsync(file.fileno())  # a picture that was moved here is nowhere else any more
    half.replace(path)
