"""The portal beside Flask-Security-Too and django-allauth, and beside a bare Flask application.

    python -m bench.side_by_side [--rounds 3] [--seconds 5] [--pairs 100] [--walks 2]
                                 [--markdown FILE]

Everybody is served alike (bench.served), on one PostgreSQL that syncs every commit, with one mail
server that takes everything at once, and is measured in turn, round after round; rates are
medians, and so are the ratios, each of two runs beside each other.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import bcrypt

from bench import gaps, rivals, tables, wrk
from bench.delivery import machine, say
from bench.rivals import Rival
from bench.seen import Seen
from bench.served import WORKERS
from bench.sheet import tell
from bench.sink import Sink
from bench.walks import walk
from bench.works import HASHING, MEASURES, WRITING, make_ready, ours_alone, works
from bench.wrk import Result, Work
from tests.rigs import postgres

COST, AT_ONCE = 12, 2 * WORKERS  # each process of the portal has two places for hashes
HASHING_TIMES = 3  # longer, for what is counted in few, and half of them under way at its end
DRAIN_SECONDS = 180
Asked = dict[str, tuple[Rival, Work]]
Kept = TypeVar("Kept")


def main() -> None:
    """Prints the tables.  Exits with 1 when an answer was not what it should be."""
    given = _arguments()
    if lack := wrk.missing() or postgres.missing() or rivals.missing():
        sys.exit(f"The comparison cannot run: {lack}")
    seen, head = Seen(), f"{machine()}, load before {os.getloadavg()[0]:.1f}"
    say(head)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        sink = stack.enter_context(Sink(folder))
        _measure(rivals.start(stack, folder, sink), sink, given, seen)
    tell(head, tables.HEADING, tables.written(seen), given.markdown)
    if wrong := list(tables.wrong(seen)):
        sys.exit("\n".join(["", "WRONG ANSWERS, OR NONE: these rates count for nothing.", *wrong]))


def _measure(all_: dict[str, Rival], sink: Sink, given: argparse.Namespace, seen: Seen) -> None:
    todo = {name: works(rival) | ours_alone(rival) for name, rival in all_.items()}
    _warm_up(all_, todo)
    turns = count()
    for number in range(given.rounds):
        say(f"round {number + 1} of {given.rounds} ...")
        in_turn = _from(number, all_)
        _rates(in_turn, todo, sink, given.seconds, seen)
        for name in [each for each in in_turn if all_[each].ways]:
            for kept, more in zip(seen.times[name], gaps.ask(all_[name], given.pairs), strict=True):
                kept.extend(more)
            _settle(all_[name])
            seen.walks[name].append(walk(all_[name], sink, turns, given.walks))
            _settle(all_[name])


def _from(number: int, all_: dict[str, Kept]) -> dict[str, Kept]:
    """Each time begins with another: whoever comes first in a kind finds cold caches."""
    names = list(all_)
    first = number % len(names)
    return {name: all_[name] for name in names[first:] + names[:first]}


def _warm_up(all_: dict[str, Rival], todo: dict[str, dict[str, Work]]) -> None:
    for name, own in todo.items():
        for what in [each for each in own if each not in WRITING]:
            wrk.run(all_[name].port, own[what], 1)


def _rates(
    all_: dict[str, Rival],
    todo: dict[str, dict[str, Work]],
    sink: Sink,
    seconds: int,
    seen: Seen,
) -> None:
    """One run of everything, what is alike beside each other."""
    for what in MEASURES:
        asked = {name: (all_[name], todo[name][what]) for name in all_ if what in todo[name]}
        if what in WRITING:
            _at_length(what, asked, sink, seconds, seen)
        else:
            _by_the_second(what, asked, seconds, seen)


def _by_the_second(what: str, asked: Asked, seconds: int, seen: Seen) -> None:
    """In turn, a second each time: what the machine can do changes from one to the next few."""
    for number in range(seconds):
        for name, (rival, work) in _from(number, asked).items():
            seen.runs[what, name].append(wrk.run(rival.port, work, 1))
    for name in asked:
        _tell(what, name, seen.runs[what, name][-seconds:])


def _at_length(what: str, asked: Asked, sink: Sink, seconds: int, seen: Seen) -> None:
    """Once, and until nothing of it is left to do: for what goes on after the answers."""
    length = seconds * (HASHING_TIMES if what in HASHING else 1)
    if what in HASHING:  # just before: what two cores can do changes within minutes
        seen.hashes[what].append(_bare_hashes(length))
    for name, (rival, work) in asked.items():
        make_ready(rival, what)
        began, before = time.monotonic(), sink.count()
        result = wrk.run(rival.port, work, length)
        seen.runs[what, name].append(result)
        _tell(what, name, [result])
        _drain(rival)
        whole = result.answers / (time.monotonic() - began)
        _settle(rival)
        seen.sent[what, name].append((whole, sink.count() - before))


def _tell(what: str, name: str, results: list[Result]) -> None:
    rate = statistics.median(each.rate for each in results)
    say(f"  {what}, {name}: {rate:.1f} a second, {sum(each.wrong for each in results)} wrong")


def _settle(rival: Rival) -> None:
    """Waits until nothing of the last run is left: no request and no message."""
    rival.served.rest()
    _drain(rival)
    rival.served.rest()


def _drain(rival: Rival) -> None:
    """Waits until all messages that were asked for are sent.  Raises TimeoutError."""
    until = time.monotonic() + DRAIN_SECONDS
    while left := rival.waiting():
        if time.monotonic() > until:
            raise TimeoutError(f"{rival.name}: {left} messages still wait.")
        time.sleep(0.05)


def _bare_hashes(seconds: float) -> float:
    """What both cores do when they do nothing else, counted as wrk counts.

    As many at once as the portal's processes have places: what is under way at the end is lost.
    """
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as pool:
        list(pool.map(_hashes, [0.5] * AT_ONCE))
        return sum(pool.map(_hashes, [seconds] * AT_ONCE)) / seconds


def _hashes(seconds: float) -> int:
    salt, until, done = bcrypt.gensalt(COST), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        bcrypt.hashpw(b"x" * 44, salt)
        done += time.monotonic() < until
    return done


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seconds", type=int, default=5, help="of a run, a round; hashing: 3 times that"
    )
    parser.add_argument("--pairs", type=int, default=100, help="known and unknown, a round")
    parser.add_argument("--walks", type=int, default=2, help="whole recoveries of eight, a round")
    parser.add_argument("--markdown", type=Path, help="where the tables go as well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
