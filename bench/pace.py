"""Sends requests at fixed times, whatever the answers do, from a process of its own.

    with Pace(port) as pace:
        pace.begin(Steady(kinds, per_second=200, seconds=30))
        ...                              # meanwhile the machine is watched, or parts of it killed
        heard = pace.end()               # every request, with its times by time.monotonic()

A request that is late counts from when it should have been sent.  Lines to the server are kept, and
as many are opened as are needed.  The process is a part of the load that the machine carries.
"""

import asyncio
import signal
import time
from collections.abc import Iterator
from itertools import cycle
from multiprocessing import get_context
from secrets import SystemRandom

from bench.plans import Heard, Kind, Sent, Steady
from bench.wires import Wires
from bench.wrk import Request

PATIENCE = 60.0  # seconds for one answer
STOP = "stop"
BEFORE = 0.5  # seconds between the order to begin and the first request


class Pace:
    """The process; ends with its block."""

    def __init__(self, port: int) -> None:
        context = get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._theirs, port), daemon=True)

    def run(self, plan: Steady) -> Heard:
        """Begins, and waits for the end."""
        self.begin(plan)
        return self.end()

    def begin(self, plan: Steady) -> float:
        """-> when the first request is sent, by time.monotonic()."""
        start = time.monotonic() + BEFORE
        self._pipe.send((plan, start))
        return start

    def stop(self) -> None:
        """Ends a steady load before its time: what was sent is waited for."""
        self._pipe.send(STOP)

    def end(self) -> Heard:
        """Waits for the last answer.  Raises EOFError when the process has failed."""
        return self._pipe.recv()

    def __enter__(self) -> "Pace":
        self._process.start()
        self._theirs.close()
        self._pipe.recv()
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.join()


def _serve(pipe, port: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    pipe.send("ready")
    while True:
        order = pipe.recv()
        if order == STOP:
            continue  # it was over already
        (plan, start), spent = order, time.process_time()
        sender = _Sender(pipe, port, start)
        asyncio.run(sender.run(plan))
        took = time.monotonic() - start
        pipe.send(Heard(sender.heard, time.process_time() - spent, took))


Next = Iterator[tuple[Kind, int, Request]]


class _Sender:
    """One plan's requests and answers."""

    def __init__(self, pipe, port: int, start: float) -> None:
        self._pipe, self._wires, self._start = pipe, Wires(port), start
        self.heard: list[Sent] = []

    async def run(self, plan: Steady) -> None:
        async with asyncio.TaskGroup() as tasks:
            if plan.once:
                tasks.create_task(self._crowd(plan, tasks))
            following = _mixed(plan.kinds)
            if plan.per_second:
                await self._steadily(plan, following, tasks)
            for _client in range(plan.clients):
                tasks.create_task(self._client(self._start + plan.seconds, following))

    async def _steadily(self, plan: Steady, following: Next, tasks: asyncio.TaskGroup) -> None:
        for number in range(round(plan.seconds * plan.per_second)):
            due = self._start + number / plan.per_second
            await _until(due)
            if self._pipe.poll() and self._pipe.recv() == STOP:
                return
            tasks.create_task(self._one(*next(following), due))

    async def _crowd(self, plan: Steady, tasks: asyncio.TaskGroup) -> None:
        due = self._start + plan.at
        await _until(due)
        for kind in plan.once:
            for number, request in enumerate(kind.work.requests):
                tasks.create_task(self._one(kind, number, request, due))

    async def _client(self, until: float, following: Next) -> None:
        await _until(self._start)
        while (now := time.monotonic()) < until:
            await self._one(*next(following), now)

    async def _one(self, kind: Kind, number: int, request: Request, due: float) -> None:
        sent = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                trouble = await self._wires.ask(kind.work, request)
        except (OSError, EOFError, ValueError) as err:  # TimeoutError is an OSError
            trouble = repr(err)
        self.heard.append(Sent(kind.name, number, due, sent, time.monotonic(), trouble))


async def _until(moment: float) -> None:
    if (wait := moment - time.monotonic()) > 0:
        await asyncio.sleep(wait)


def _mixed(kinds: tuple[Kind, ...]) -> Next:
    """Every kind as often as its share, well mixed; each kind's requests in turn."""
    slots = [kind for kind in kinds for _each in range(kind.share)]
    SystemRandom().shuffle(slots)
    turns = {kind.name: cycle(enumerate(kind.work.requests)) for kind in kinds}
    for kind in cycle(slots):
        yield kind, *next(turns[kind.name])
