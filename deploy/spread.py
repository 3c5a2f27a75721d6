"""How work is spread over the processes of one gunicorn, and these over the cores."""

from __future__ import annotations

import mmap
import os
import select
import socket
import sys
import time
from contextlib import suppress
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import TConn, ThreadWorker

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

SLOTS, NOBODY = 256, 255
# How many connections each process has: memory that they share, as they are forked from here.
BOARD = mmap.mmap(-1, SLOTS)
BOARD[:] = bytes([NOBODY]) * SLOTS
GIVE_WAY = 0.002  # seconds in which one that has fewer may take the next
WORKER_BOOT_ERROR = 3  # as gunicorn.arbiter calls it: by this it knows that none will start
STAY_MS = 20  # that a thread waits for the next request on its connection, when there are others


class Worker(ThreadWorker):
    """Told to end, takes who waits at the door and closes it: a balancer then asks the others.

    Left open until the last answer, it would let forms in that nobody will read.
    """

    def load_wsgi(self) -> None:
        """Settings by which the portal does not start end all: to try again changes nothing."""
        try:
            super().load_wsgi()
        except SystemExit as refused:
            if not isinstance(refused.code, str):  # told to end while it loads, or too slow
                raise
            self.log.critical("%s", refused)
            sys.exit(WORKER_BOOT_ERROR)

    def init_process(self) -> None:
        """Before the first request."""
        self.staying = BoundedSemaphore(self.cfg.threads // 2)
        super().init_process()

    def handle(self, conn: TConn) -> object:
        """One request, and those that follow at once: a proxy keeps its connections busy.

        To go back through the poller each time is a third of what a small request costs.
        """
        kept = super().handle(conn)
        while kept is True and self.alive and self._follows(conn):
            kept = super().handle(conn)
        return kept

    def _follows(self, conn: TConn) -> bool:
        """Whether the next request is there, or soon; nobody stays where others wait."""
        if self.tpool._work_queue.qsize():
            return False
        return bool(conn.parser.unreader.buf.getvalue()) or self._comes(conn)

    def _comes(self, conn: TConn) -> bool:
        """Half of the threads wait for it at most."""
        if not self.staying.acquire(blocking=False):
            return False
        try:
            coming = select.poll()
            coming.register(conn.sock, select.POLLIN)
            return bool(coming.poll(STAY_MS))
        finally:
            self.staying.release()

    def is_parent_alive(self) -> bool:
        """Without it no request is the last one for a thread that stays."""
        self.alive = self.alive and super().is_parent_alive()
        return self.alive

    def accept(self, listener: socket.socket) -> None:
        """Whoever has fewer connections comes first: a proxy keeps them, and so their load stays.

        Else one process may take them all, and the others have nothing to do.
        """
        if self.alive and self.nr_conns > min(BOARD[:]):
            time.sleep(GIVE_WAY)
        super().accept(listener)
        self.notify()

    def notify(self) -> None:
        """It lives: told in each round.  Whoever ends takes no more, and nobody waits for it."""
        BOARD[self.age % SLOTS] = min(self.nr_conns, NOBODY - 1) if self.alive else NOBODY
        super().notify()

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
                listener.close()


def child_exit(_server: Arbiter, worker: Worker) -> None:
    """Whoever is dead has neither few connections nor many."""
    BOARD[worker.age % SLOTS] = NOBODY


def cores() -> list[int]:
    """The processors that this process may use."""
    if not hasattr(os, "sched_getaffinity"):  # of Linux alone
        return list(range(os.cpu_count() or 1))
    return sorted(os.sched_getaffinity(0))


def pre_fork(server: Arbiter, worker: Worker) -> None:
    """The core with the fewest processes; while they are reloaded there are two on each."""
    # Those from before an upgrade may have none.
    taken = [getattr(each, "core", None) for each in server.WORKERS.values()]
    worker.core = min(cores(), key=taken.count)


def post_worker_init(worker: Worker) -> None:
    """Threads of one interpreter run one at a time: moved between cores, they find cold caches.

    Only where each core has a process: several containers with few each would share the first.
    The application is loaded, and knows which cores there were (portal.core.labour).
    """
    if worker.cfg.workers == len(cores()):
        with suppress(AttributeError, OSError):  # where it may not be chosen, the system chooses
            os.sched_setaffinity(0, {worker.core})
