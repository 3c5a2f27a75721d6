"""Waking the worker that sits in this process."""

import threading

_ready = threading.Event()


def wake() -> None:
    """After commit: something waits."""
    _ready.set()


def wait(seconds: float) -> None:
    """Returns when something may wait, after `seconds` at the latest."""
    _ready.wait(timeout=seconds)
    _ready.clear()
