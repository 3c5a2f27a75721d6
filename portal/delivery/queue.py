"""Waking the workers: a thread in this process, or Celery's by Redis.  Sole owner of celery.

The broker carries no more than the fact that something waits; which row, the database says.
"""

import logging
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import worker_process_init
from kombu.connection import Connection

DELIVER, SWEEP = "latchkey.deliver", "latchkey.sweep"  # tasks
SWEEP_SECONDS = 5.0
LONGEST_PAUSE = 2.0  # seconds between tries to reach a broker that is away
A_LINE_EACH = "celery.worker.strategy", "celery.app.trace", "celery.beat"  # loggers, per task
PUBLISH = {"retry": False, "ignore_result": True}

_ready = threading.Event()
_lock = threading.Lock()
_woken = 0


def wake() -> None:
    """After commit: one message more waits.  Never slow, whatever the broker does."""
    global _woken
    with _lock:
        _woken += 1
    _ready.set()


def wait(seconds: float) -> int:
    """Returns when something may wait, after `seconds` at the latest.

    -> how many messages were announced.
    """
    global _woken
    _ready.wait(timeout=seconds)
    with _lock:
        count, _woken = _woken, 0
        _ready.clear()
    return count


def after_fork() -> None:
    """A child begins with nothing announced, and with a lock that nobody holds."""
    global _lock, _ready, _woken
    _lock, _ready, _woken = threading.Lock(), threading.Event(), 0


def publish(broker: Celery, count: int) -> None:
    """Tells Celery's workers.  Raises when the broker is away; then the sweep finds the rows."""
    for _each in range(count):
        broker.send_task(DELIVER, **PUBLISH)


@cache
def broker(url: str) -> Celery:
    """Celery on this Redis: no results, no arguments, nothing kept beside the outbox."""
    for name in A_LINE_EACH:
        logging.getLogger(name).setLevel(logging.WARNING)
    made = Celery("latchkey", broker=url, set_as_current=False, amqp=_Amqp)
    made.conf.update(
        task_ignore_result=True,
        task_default_queue="latchkey",
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_connect_timeout": 2, "socket_keepalive": True},
        beat_scheduler="celery.beat:Scheduler",  # nothing to remember between two starts
        beat_schedule={
            SWEEP: {
                "task": SWEEP,
                "schedule": SWEEP_SECONDS,
                "options": {"expires": SWEEP_SECONDS, **PUBLISH},
            }
        },
    )
    return made


def in_each_process(begin: Callable[[], object]) -> None:
    """Runs `begin` in every process of a Celery worker's pool, once it is forked."""
    worker_process_init.connect(lambda **_: begin(), weak=False)


class _Persistent(Connection):
    """Celery would wait up to 30 s between two tries to reach its broker again."""

    def ensure_connection(self, *args: Any, **options: Any) -> Connection:
        pauses = {"interval_start": 0.5, "interval_max": LONGEST_PAUSE}
        return super().ensure_connection(*args, **pauses | options)  # type: ignore[no-untyped-call]


class _Amqp(AMQP):
    Connection = _Persistent
