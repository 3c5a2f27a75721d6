"""What picture files are called in every store: <first two>/<name>-<side>.webp."""

import re
import secrets

NAME_BYTES = 16  # 128 bits: nobody finds a picture by guessing
FOLDER = re.compile(r"[0-9a-f]{2}")
_NAME = re.compile(r"[0-9a-f]{32}")
_FILE = re.compile(r"([0-9a-f]{32})-([1-9][0-9]{0,3})\.webp")
_MAX_SIDE = 9999


def new_name() -> str:
    """A random name for the files of one picture: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(NAME_BYTES)


def path(name: str, side: int) -> str:
    """Where the file of this side in pixels lies.  Raises ValueError for what is no name."""
    if not _NAME.fullmatch(name) or not 0 < side <= _MAX_SIDE:
        raise ValueError("no name of a picture")
    return f"{name[:2]}/{name}-{side:d}.webp"


def of_picture(name: str) -> str:
    """How the paths of all its files begin.  Raises ValueError as `path`."""
    return path(name, 1).removesuffix("1.webp")


def parsed(file: str) -> tuple[str, int] | None:
    """Name and side of a whole file, its folder left out; None for what is none of ours."""
    found = _FILE.fullmatch(file)
    return (found[1], int(found[2])) if found else None


def named(file: str) -> str | None:
    """Whose file this is, half ones too; None for what is none of ours."""
    found = _NAME.match(file)
    return found[0] if found else None
