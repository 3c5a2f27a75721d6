"""Where picture files are kept: on disk, below UPLOAD_FOLDER, as <first two>/<name>-<side>.webp."""

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from portal.core.settings import setting

NAME_BYTES = 16  # 128 bits: nobody finds a picture by guessing
READABLE = 0o644  # a web server of another user may serve them
_NAME = re.compile(r"[0-9a-f]{32}")
_MAX_SIDE = 9999


def new_name() -> str:
    """A random name for the files of one picture: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(NAME_BYTES)


def save(name: str, files: Mapping[int, bytes]) -> None:
    """Keeps the files of one picture by their side in pixels: all or, raising OSError, none.

    Raises ValueError when `name` is not one that `new_name` makes.
    """
    try:
        for side, data in files.items():
            _write(_path(name, side), data)
    except OSError:
        remove(name)
        raise


def read(name: str, side: int) -> bytes | None:
    """One file, or None when there is none, whatever the name looks like."""
    try:
        return _path(name, side).read_bytes()
    except (ValueError, FileNotFoundError):
        return None


def exists(name: str, side: int) -> bool:
    """Whether there is such a file, whatever the name looks like."""
    try:
        return _path(name, side).is_file()
    except ValueError:
        return False


def kept_before(moment: datetime) -> Iterator[set[str]]:
    """The names of all pictures that were kept before `moment`, a folder at a time."""
    for folder in sorted(Path(setting("UPLOAD_FOLDER")).glob("[0-9a-f][0-9a-f]")):
        old = (path for path in folder.iterdir() if path.stat().st_mtime < moment.timestamp())
        yield {name[0] for path in old if (name := _NAME.match(path.name))}


def remove(name: str) -> None:
    """Removes every size of a picture; silent when there is none.  Raises ValueError as `save`."""
    folder = _path(name, 1).parent
    for path in folder.glob(f"{name}-*.webp"):
        path.unlink(missing_ok=True)


def _path(name: str, side: int) -> Path:
    if not _NAME.fullmatch(name) or not 0 < side <= _MAX_SIDE:
        raise ValueError("no name of a picture")
    return Path(setting("UPLOAD_FOLDER"), name[:2], f"{name}-{side:d}.webp")


def _write(path: Path, data: bytes) -> None:
    """Under another name first, so that nobody ever reads a half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), READABLE)
            Path(file.name).replace(path)
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
