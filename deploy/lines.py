"""What gunicorn itself writes: nothing of a request, and as LOG_FORMAT says."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gunicorn.glogging import Logger

if TYPE_CHECKING:
    from gunicorn.config import Config

QUOTING = "Invalid request", "Error handling request"


class QuietLogger(Logger):
    """Gunicorn quotes a request that it cannot read or answer, and whose it was: all is left out.

    So are the words of what went wrong, which may repeat what somebody typed.
    """

    def setup(self, cfg: Config) -> None:
        """Also for each reload."""
        super().setup(cfg)
        self.error_log.addFilter(_without_request)


class JsonLogger(QuietLogger):
    """An object a line, with the names that the portal's own lines have."""

    def setup(self, cfg: Config) -> None:
        """Also for each reload."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(_Json())


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)


def _without_request(record: logging.LogRecord) -> bool:
    for beginning in QUOTING:
        if str(record.msg).startswith(beginning):
            record.msg, record.args = beginning + _cause(record), ()
            record.exc_info = None
    return True


def _cause(record: logging.LogRecord) -> str:
    """Kind and place of an exception; "" where there is none."""
    kind, _words, trace = record.exc_info or (None, None, None)
    if kind is None:
        return ""
    places = [f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(trace)]
    return f": {kind.__name__} at {' < '.join(places[::-1])}"
