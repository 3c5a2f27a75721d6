"""What gunicorn itself writes: nothing of a request, and as LOG_FORMAT says."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gunicorn.glogging import Logger

if TYPE_CHECKING:
    from gunicorn.config import Config

QUOTING = "Invalid request", "Error handling request"


class QuietLogger(Logger):
    """Gunicorn quotes a request that it cannot read, and whose it was: both are left out."""

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
        if record.exc_info:  # of a portal that cannot start: no request is near
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)


def _without_request(record: logging.LogRecord) -> bool:
    for beginning in QUOTING:
        if str(record.msg).startswith(beginning):
            record.msg, record.args = beginning, ()
    return True
