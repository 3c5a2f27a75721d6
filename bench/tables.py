"""What the comparison has seen, as tables that people read and Markdown keeps."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from bench.gaps import Gap, gap
from bench.rivals import ALLAUTH, BARE, COUNTING, OURS, PEOPLE, SECURITY
from bench.seen import Seen
from bench.served import THREADS, WORKERS
from bench.works import AGAIN, ENTER, JSON, KNOWN, MISTYPED, PAGE, PROFILE, SENDING

PEERS = SECURITY, ALLAUTH
Table = list[tuple[str, ...]]


@dataclass(frozen=True)
class Goal:
    """So many times as fast as the better of `beside`."""

    what: str
    beside: tuple[str, ...]
    least: float
    ours: str = OURS


GOALS = (
    Goal(PAGE, PEERS, 3),
    Goal(PROFILE, PEERS, 2),
    Goal(JSON, PEERS, 2),
    Goal(KNOWN, PEERS, 5),
    Goal(KNOWN, PEERS, 5, COUNTING),
    Goal(PAGE, (BARE,), 1 / 3),
    Goal(JSON, (BARE,), 1 / 2),
)
HASH_SHARE = 0.9
HEADING = "## Beside Flask-Security-Too, django-allauth and a bare Flask application"
NOTES = f"""
Everybody: gunicorn with {WORKERS} processes of {THREADS} threads, {PEOPLE} people in one PostgreSQL
that syncs every commit, one mail server that takes everything at once; measured in turn, round
after round, each of which begins with another. What leaves no work behind is measured for a second,
again and again; a ratio is that of two runs beside each other, and the median of all, as each rate
is. The status and the words of every answer are looked at. "{OURS}" has its throttles off, as the
limits of the peers are; "{COUNTING}" has them on, with limits that nobody reaches. Peers stand in
their shipped settings (argon2, PBKDF2), and in "our terms": bcrypt of cost 12, the same words for
known and unknown addresses. Peers send before they answer; what ours have queued is counted under
"answered and sent". A recovery goes by code; with Flask-Security by link, for it has no code that
leads to a new password. "{ENTER}" is from browsers that nobody knows, and ours write to the person
then; "{AGAIN}" from such as signed in before. "{MISTYPED}" is refused before anything is read or
written, and answered with the page.
"""


def written(seen: Seen) -> list[str]:
    """Every table, each with its heading and a line of what it means."""
    return [
        *NOTES.rstrip().splitlines(),
        *table("Goals", _goals(seen)),
        *table("Rates, eight kept connections", _rates(seen)),
        *table("Asked for and sent: all requests and their messages, a second", _sent(seen)),
        *table("Known or unknown: ms of an answer to a request for recovery", _gaps(seen)),
        *table("Whole recoveries, eight people at a time", _walks(seen)),
    ]


def wrong(seen: Seen) -> Iterator[str]:
    """A line for each run that had answers of another kind than expected."""
    for (what, name), results in seen.runs.items():
        for result in results:
            if result.wrong or result.broken or not result.answers:
                counts = f"{result.answers} answers, {result.wrong} wrong, {result.broken} broken"
                yield f"{what}, {name}: {counts}. {result.sample}"


def rate(seen: Seen, what: str, name: str) -> float:
    """The median of all runs."""
    return statistics.median(_each(seen, what, name))


def _goals(seen: Seen) -> Table:
    rows: Table = [("what", "ours", "beside", "a second", "ratio", "each run", "goal", "met")]
    for goal in GOALS:
        best = max(goal.beside, key=lambda name, what=goal.what: rate(seen, what, name))
        what = f"{goal.what} ({goal.ours})" if goal.ours != OURS else goal.what
        theirs = _each(seen, goal.what, best)
        rows.append(_goal(what, _each(seen, goal.what, goal.ours), best, theirs, goal.least))
    for what, name in product((ENTER, AGAIN), (OURS, COUNTING)):
        ours, hashes = _each(seen, what, name), seen.hashes[what]
        rows.append(_goal(f"{what} ({name})", ours, "bare hashes", hashes, HASH_SHARE))
    return rows


def _each(seen: Seen, what: str, name: str) -> list[float]:
    return [result.rate for result in seen.runs[what, name]]


def _goal(
    what: str, ours: list[float], beside: str, theirs: list[float], least: float
) -> tuple[str, ...]:
    """Rates of runs beside each other are compared: from one to the next the machine changes."""
    ratios = [
        mine / other if other else float("nan") for mine, other in zip(ours, theirs, strict=True)
    ]
    ratio = statistics.median(ratios)
    mine, other = (f"{statistics.median(each):.1f}" for each in (ours, theirs))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    met = "yes" if ratio >= least else "NO"
    return what, mine, beside, other, f"{ratio:.2f}", spread, f"{least:.2f}", met


def _rates(seen: Seen) -> Table:
    rows: Table = [
        ("what", "who", "a second", "p50 ms", "p99 ms", "answers", "4xx, 5xx", "wrong", "broken")
    ]
    for (what, name), results in seen.runs.items():
        p50, p99 = (statistics.median(getattr(each, p) for each in results) for p in ("p50", "p99"))
        counted = ("answers", "refusals", "wrong", "broken")
        sums = [str(sum(getattr(each, one) for each in results)) for one in counted]
        speed = f"{rate(seen, what, name):.1f}", f"{p50:.1f}", f"{p99:.1f}"
        rows.append((what, name, *speed, *sums))
    return rows


def _sent(seen: Seen) -> Table:
    rows: Table = [("what", "who", "answered", "answered and sent", "messages")]
    for (what, name), found in seen.sent.items():
        if what not in SENDING:
            continue
        whole = statistics.median(each for each, _messages in found)
        messages = sum(count for _each, count in found)
        rows.append((what, name, f"{rate(seen, what, name):.1f}", f"{whole:.1f}", str(messages)))
    return rows


def _gaps(seen: Seen) -> Table:
    rows: Table = [("who", "known", "unknown", "difference, 99 % certain", "pairs", "a stranger")]
    for name, times in seen.times.items():
        found = gap(times)
        between = f"{found.low:+.2f} to {found.high:+.2f}"
        both = f"{found.known:.2f}", f"{found.unknown:.2f}"
        rows.append((name, *both, between, str(found.pairs), _verdict(name, found)))
    return rows


def _verdict(name: str, found: Gap) -> str:
    if name == SECURITY:
        return "is told in words"  # of its page, as shipped
    if found.tells:
        return "can tell"
    return "too noisy to say" if found.is_vague else "cannot tell"


def _walks(seen: Seen) -> Table:
    rows: Table = [("who", "a second", "median s", "slowest s", "finished")]
    for name, walks in seen.walks.items():
        times = [each for one in walks for each in one.times]
        speed = statistics.median(one.rate for one in walks)
        shown = f"{speed:.2f}", f"{statistics.median(times):.2f}", f"{max(times):.2f}"
        rows.append((name, *shown, str(len(times))))
    return rows


def table(heading: str, rows: Table) -> list[str]:
    """A Markdown table whose columns also line up for whoever reads it as text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return ["", f"### {heading}", "", lines[0], rule, *lines[1:]]
