"""How lines of the log look: text for people, or JSON for programs that read logs.

One line each, whatever stands in it.  Of an exception its kinds and places are told and never its
words, which may repeat what somebody typed or what a database holds.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, TextIO, cast

from portal.core import clock
from portal.core.settings import setting

if TYPE_CHECKING:
    from flask import Flask

REQUEST = "%s %s %s %.0f ms %s"  # method, route, status, milliseconds, id
PARTS = "method", "route", "status", "milliseconds", "id"
TEXT, JSON = "text", "json"
MOST_CAUSES, MOST_PLACES = 5, 15
# Under which number the lines of this thread stand: the request's, or that of a message on its way.
ABOUT: ContextVar[str] = ContextVar("about", default="")


def init_app(app: Flask) -> None:
    """Gives the process its log, unless whoever started it has given it one."""
    logging.getLogger("werkzeug").addFilter(_no_line_of_its_own)
    root = logging.getLogger()
    if root.handlers not in ([], [_OUT]):
        return
    with app.app_context():
        _OUT.setFormatter(_FORMATS[setting("LOG_FORMAT")]())
    root.handlers = [_OUT]
    root.setLevel(logging.INFO)
    logging.logThreads = logging.logMultiprocessing = False  # whose names no line of ours has


def request(log: logging.Logger, *parts: object) -> None:
    """The line of a request, which has these PARTS.

    Past the machinery of `logging` where nobody but us listens: that is two thirds of its price,
    and every page pays it.
    """
    if log.handlers or log.filters or logging.getLogger().handlers != [_OUT]:
        log.info(REQUEST, *parts)
    elif log.isEnabledFor(logging.INFO):
        _OUT.request(log.name, parts)


@contextmanager
def about(what: str) -> Iterator[None]:
    """The lines of this block say what they are about."""
    before = ABOUT.set(what)
    try:
        yield
    finally:
        ABOUT.reset(before)


def trace(err: BaseException) -> tuple[str, str]:
    """-> the kinds of an exception and of what caused it, and its places, the innermost first."""
    kinds: list[str] = []
    each: BaseException | None = err
    while each is not None and len(kinds) < MOST_CAUSES:
        kinds.append(type(each).__name__)
        each = each.__cause__ or each.__context__
    frames = [(frame.f_code, line) for frame, line in walk_tb(err.__traceback__)]
    places = [f"{_short(code.co_filename)}:{line} {code.co_name}" for code, line in frames]
    return " from ".join(kinds), " < ".join(places[::-1][:MOST_PLACES])


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-3:])


def _no_line_of_its_own(record: logging.LogRecord) -> bool:
    """Werkzeug's server would write a line a request, whole paths and all."""
    return " - - [" not in record.getMessage()


class _Out(logging.StreamHandler[TextIO]):
    """To what standard error is now: Celery puts something there that leads back into the log."""

    def request(self, name: str, parts: tuple[object, ...]) -> None:
        """A request's line; it is answered even if nobody can read that."""
        line = cast("_Text | _Json", self.formatter).request(clock.now().timestamp(), name, parts)
        with suppress(OSError, ValueError), cast(Any, self.lock):
            self.stream.write(line + self.terminator)
            self.stream.flush()


class _Text(logging.Formatter):
    """Like `2026-01-31 12:00:00,123 latchkey INFO GET /help 200 3 ms 0123456789abcdef`."""

    def format(self, record: logging.LogRecord) -> str:
        said = record.getMessage()
        if record.msg is not REQUEST and (about := ABOUT.get()):
            said = f"{said} [{about}]"
        if (err := _raised(record)) is not None:
            said = "{}; {} at {}".format(said, *trace(err))
        return _line(record.created, record.name, record.levelname, said)

    def request(self, now: float, name: str, parts: tuple[object, ...]) -> str:
        """As `format` words it."""
        return _line(now, name, "INFO", REQUEST % parts)


class _Json(logging.Formatter):
    """An object a line; a request's has its parts beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        if record.msg is REQUEST and isinstance(record.args, tuple):
            return self.request(record.created, record.name, record.args)
        told = _told(record.created, record.name, record.levelname, record.getMessage())
        if about := ABOUT.get():
            told["id"] = about
        if (err := _raised(record)) is not None:
            told["exception"], told["place"] = trace(err)
        return json.dumps(told, default=str)

    def request(self, now: float, name: str, parts: tuple[object, ...]) -> str:
        """As `format` words it."""
        told = _told(now, name, "INFO", REQUEST % parts) | dict(zip(PARTS, parts, strict=True))
        told["milliseconds"] = round(told["milliseconds"], 1)
        return json.dumps(told)


def _line(now: float, name: str, level: str, said: str) -> str:
    return f"{_local(int(now))},{_thousandths(now)} {name} {level} {_on_one_line(said)}"


def _told(now: float, name: str, level: str, said: str) -> dict[str, Any]:
    moment = f"{_utc(int(now))}.{_thousandths(now)}Z"
    return {"time": moment, "level": level.lower(), "logger": name, "message": said}


def _thousandths(now: float) -> str:
    return f"{int(now % 1 * 1000):03}"


def _raised(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if isinstance(record.exc_info, tuple) else None


def _on_one_line(text: str) -> str:
    """Line ends, control characters and what turns the direction of reading stand as escapes."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


@lru_cache(2)
def _local(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


@lru_cache(2)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


_OUT = _Out()
_FORMATS: dict[str, type[_Text | _Json]] = {TEXT: _Text, JSON: _Json}
