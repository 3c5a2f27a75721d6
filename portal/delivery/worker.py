"""The embedded engine: a thread of the web process around `service.deliver_due`."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from portal.delivery import queue, service

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("latchkey.delivery")
POLL_SECONDS = 2.0  # rows of other processes, and those whose pause is over
_running: dict[int, threading.Thread] = {}


def start(app: Flask) -> None:
    """Starts this process's worker, once; a forked child starts its own with its first request."""
    if os.getpid() not in _running:
        _running[os.getpid()] = threading.Thread(
            target=run, args=[app], name="delivery", daemon=True
        )
        _running[os.getpid()].start()


def start_with_first_request(app: Flask) -> None:
    """For servers that load the application before they fork, and for `flask run`."""
    inner = app.wsgi_app

    def started(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start(app)
        return inner(environ, start_response)

    app.wsgi_app = started  # type: ignore[method-assign]


def run(app: Flask) -> None:
    """Sends what is due, for ever."""
    while True:
        queue.wait(POLL_SECONDS)
        try:
            with app.app_context():
                service.deliver_due()
        except Exception as err:  # noqa: BLE001 - the database is away, say: rows wait, so do we
            log.warning("the outbox cannot be read: %s", type(err).__name__)
