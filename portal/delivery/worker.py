"""The engines around `service`: a thread of this process, or Celery."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from portal.core import db
from portal.core.settings import setting
from portal.delivery import leases, queue, service, shifts, transports, vitals

if TYPE_CHECKING:
    from celery import Celery
    from flask import Flask

T = TypeVar("T")
log = logging.getLogger("latchkey.delivery")
POLL_SECONDS = 0.25  # rows of other processes, and those whose pause is over
BROKER_PAUSE = 5.0  # seconds without Redis: the sweep does what is not announced
REST_AFTER = 40  # polls with nothing to do
_running: dict[int, threading.Thread] = {}
_keepers: dict[int, threading.Thread] = {}
_starting, _stop = threading.Lock(), threading.Event()


def start(app: Flask) -> None:
    """Starts this process's part, once; a forked child starts its own with its first request."""
    with _starting:
        if os.getpid() not in _running:
            with app.app_context():
                part = run_herald if setting("REDIS_URL") else run_embedded
            _running[os.getpid()] = _thread("delivery", part, app)


def start_with_first_request(app: Flask) -> None:
    """For servers that load the application before they fork, and for `flask run`."""
    os.register_at_fork(after_in_child=lambda: _forked(app))
    inner = app.wsgi_app

    def started(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start(app)
        return inner(environ, start_response)

    app.wsgi_app = started  # type: ignore[method-assign]


def _forked(app: Flask) -> None:
    """Locks that a parent's threads held stay held in a child; its connections are the parent's."""
    global _starting
    _starting = threading.Lock()
    queue.after_fork()
    db.after_fork(app)


def stop(seconds: float) -> None:
    """Lets the message under way be finished, for `seconds` at most."""
    _stop.set()
    if thread := _running.get(os.getpid()):
        thread.join(seconds)


def run_embedded(app: Flask) -> None:
    """Sends what is due while it is this process's turn, until `stop`."""
    run(app, shifts.my_turn)
    _quietly(app, shifts.pass_on)


def run(app: Flask, may: Callable[[], bool] = lambda: True) -> None:
    """Sends what is due, until `stop`."""
    _keep(app)
    idle = 0
    with ThreadPoolExecutor(1, "letters") as pool:

        def ahead(write: Callable[[], T]) -> Future[T]:
            return pool.submit(_inside, app, write)

        while not _stop.is_set():
            woken = queue.wait(POLL_SECONDS) > 0
            idle = 0 if _quietly(app, partial(_send, ahead, may, woken)) else idle + 1
            if idle == REST_AFTER:
                _quietly(app, transports.rest)


def _inside(app: Flask, work: Callable[[], T]) -> T:
    """In a context of its own: what goes wrong with one session is over with it."""
    with app.app_context():
        return work()


def _send(
    ahead: service.Ahead | None = None,
    may: Callable[[], bool] = lambda: True,
    expected: bool = False,
) -> int:
    """Who is out of step must not even take the turn."""
    if not (leases.in_step() and may()):
        return 0
    vitals.beat()
    return service.deliver_due(ahead, _stop.is_set, expected)


def run_herald(app: Flask) -> None:
    """Passes on to Celery what was put into the outbox here; requests never wait for Redis."""
    from portal.delivery import broker  # noqa: PLC0415 - as for `celery`

    with app.app_context():
        application = broker.application(setting("REDIS_URL"))
    while not _stop.is_set():
        try:
            queue.publish(application, queue.wait(POLL_SECONDS))
        except Exception as err:  # noqa: BLE001 - whatever is wrong with the broker
            log.warning("Redis is away (%s); the sweep will find what waits", type(err).__name__)
            _stop.wait(BROKER_PAUSE)


def celery(app: Flask) -> Celery | None:
    """Celery's application, where REDIS_URL is set: `celery -A wsgi:celery worker -B`."""
    with app.app_context():
        url = setting("REDIS_URL")
    if not url:
        return None
    from portal.delivery import broker  # noqa: PLC0415 - Celery, which few need

    made = broker.application(url)

    def deliver() -> None:
        _keep(app)
        _quietly(app, lambda: leases.in_step() and service.deliver_next())

    def sweep() -> None:
        _keep(app)
        _quietly(app, _send)

    made.task(name=queue.DELIVER)(deliver)
    made.task(name=queue.SWEEP)(sweep)
    broker.in_each_process(lambda: _thread("sweep", _sweep, app))
    return made


def _sweep(app: Flask) -> None:
    """Neither a dead beat nor a dead Redis keeps a message: each process looks for itself, too."""
    _keep(app)
    while not _stop.wait(queue.SWEEP_SECONDS):
        _quietly(app, _send)


def _keep(app: Flask) -> None:
    """One thread a process renews the leases of the others."""
    if os.getpid() not in _keepers:
        _keepers[os.getpid()] = _thread("leases", _renew, app)


def _renew(app: Flask) -> None:
    while not _stop.wait(leases.RENEWED_EVERY):
        _quietly(app, leases.renew)


def _quietly(app: Flask, work: Callable[[], object]) -> object:
    """The database is away, say: rows wait, and so do we.  No thread dies of it."""
    try:
        return _inside(app, work)
    except Exception as err:  # noqa: BLE001 - also what the end of the context may raise
        log.warning("the outbox cannot be worked on: %s", type(err).__name__)
        _stop.wait(1)
        return None


def _thread(name: str, work: Callable[[Flask], None], app: Flask) -> threading.Thread:
    thread = threading.Thread(target=work, args=[app], name=name, daemon=True)
    thread.start()
    return thread
