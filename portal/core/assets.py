"""Scripts, styles and fonts: named by their content, packed once, kept by browsers for a year."""

import gzip
import hashlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, current_app, request

NAMED = "public, max-age=31536000, immutable"  # another content has another name
PLAIN = "public, no-cache"  # kept, and asked about each time
# By name, not by the tables of the machine: a browser refuses a style sheet of another type.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
PACKED_ALREADY = {".woff2"}
MARK = re.compile(r"\.[0-9a-f]{10}(?=\.[a-z0-9]+$)")
LINKED = re.compile(rb"url\(([\w./-]+)\)")


@dataclass(frozen=True)
class Asset:
    """One file as it is served; `packed` (gzip) where that makes it smaller."""

    body: bytes
    packed: bytes | None
    type: str
    mark: str
    lasting: bool = False


class Shelf:
    """Every file below a folder: `urls` by plain name, `assets` by plain and by marked name."""

    def __init__(self, folder: Path) -> None:
        self.urls: dict[str, str] = {}
        self.assets: dict[str, Asset] = {}
        for name, file in sorted(_files(folder), key=_styles_last):
            self._put(name, _linked(file.read_bytes(), name, self.urls))

    def _put(self, name: str, body: bytes) -> None:
        stem, suffix = posixpath.splitext(name)
        mark = hashlib.sha256(body).hexdigest()[:10]
        packed = None if suffix in PACKED_ALREADY else gzip.compress(body, 9, mtime=0)
        smaller = packed if packed and len(packed) < len(body) else None
        kind, marked = TYPES[suffix], f"{stem}.{mark}{suffix}"
        self.assets[name] = Asset(body, smaller, kind, mark)
        self.assets[marked] = Asset(body, smaller, kind, mark, lasting=True)
        self.urls[name] = f"/static/{marked}"

    def find(self, name: str) -> Asset | None:
        """By its name; one with a mark of before or after an upgrade is today's file, unkept."""
        return self.assets.get(name) or self.assets.get(MARK.sub("", name))


_shelves: dict[str, Shelf] = {}
_urls: dict[str, str] = {}


def init_app(app: Flask) -> None:
    """Serves `app`'s static folder as it is now; with DEBUG, as it is at each request."""
    folder = app.static_folder or ""
    if folder not in _shelves:
        _fill(folder)
    if app.debug:
        app.before_request(lambda: _fill(folder))
    app.view_functions["static"] = lambda filename: _answer(_shelves[folder], filename)


def asset(path: str) -> str:
    """The URL of a static file, new with each content.  Raises KeyError without such a file."""
    return _urls[path]


def write(target: Path) -> int:
    """Writes what is served, and beside it what is packed.  -> how many files are served.

    Those of earlier versions stay: pages that were made before an upgrade still ask for them.
    """
    made = Shelf(Path(current_app.static_folder or "")).assets
    for name, each in made.items():
        put(target / name, each.body)
        if each.packed:
            put(target / f"{name}.gz", each.packed)
    return len(made)


def put(file: Path, body: bytes) -> None:
    """Writes a file, under another name first: a server may be reading the folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.half")
    half.write_bytes(body)
    half.replace(file)


def _fill(folder: str) -> None:
    _shelves[folder] = Shelf(Path(folder))
    _urls.update(_shelves[folder].urls)


def _answer(shelf: Shelf, name: str) -> Response:
    found = shelf.find(name) or abort(404)
    answer = Response(found.body, content_type=found.type)
    answer.headers["Cache-Control"] = NAMED if found.lasting else PLAIN
    mark = found.mark
    if found.packed:
        answer.headers["Vary"] = "Accept-Encoding"
        if request.accept_encodings["gzip"] > 0:
            answer.data, mark = found.packed, f"{mark}-gz"
            answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(mark)
    answer.make_conditional(request)
    return answer


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """What people uploaded may lie below; it is served as pictures, and never as this."""
    for file in folder.glob("*/*"):
        if file.suffix in TYPES and file.parent.name != "uploads":
            yield file.relative_to(folder).as_posix(), file


def _styles_last(entry: tuple[str, Path]) -> tuple[bool, str]:
    """They name fonts, whose marks have to be known."""
    return entry[0].endswith(".css"), entry[0]


def _linked(body: bytes, name: str, urls: dict[str, str]) -> bytes:
    """A style sheet with the marked names of what it fetches."""
    if not name.endswith(".css"):
        return body

    def marked(found: re.Match[bytes]) -> bytes:
        there = posixpath.join(posixpath.dirname(name), found[1].decode())
        return b"url(" + urls[posixpath.normpath(there)].encode() + b")"

    return LINKED.sub(marked, body)
