"""Long computations, in threads that give way to all others.

A page takes a millisecond or two, and a password's hash hundreds of them: on equal terms, each page
would wait for its turn between the hashes of a flood of sign-ins.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Made = TypeVar("Made")
CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
NICE = 2  # two thirds of the others' share: at five, sign-ins waited where pages were many


def done(places: int, call: Callable[Given, Made], *args: Given.args, **more: Given.kwargs) -> Made:
    """What the call returns or raises, worked out by one of `places` threads of this process."""
    return _threads(os.getpid(), places).submit(call, *args, **more).result()


@cache
def _threads(_process: int, places: int) -> ThreadPoolExecutor:
    """A child of a fork has none of its parent's."""
    return ThreadPoolExecutor(places, "labour", initializer=_give_way)


def _give_way() -> None:
    """On Linux every thread has a share and cores of its own; elsewhere a process has."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
            # A server may have kept this process on one of its cores since: hashes take any.
            os.sched_setaffinity(0, CORES)
