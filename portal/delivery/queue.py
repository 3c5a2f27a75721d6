"""Waking the workers: a thread in this process, or Celery's by Redis.

The broker carries no more than the fact that something waits; which row, the database says.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celery import Celery

DELIVER, SWEEP = "latchkey.deliver", "latchkey.sweep"  # tasks
SWEEP_SECONDS = 5.0
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
