"""Does the time of an answer tell whether an address has an account?

    python -m bench.enumeration [rounds]

Asks a portal of its own (cost 10, no waiting times) in turn for a known and an unknown address and
prints, for every door, both medians, their gap, and the two-sided p of Mann and Whitney's U test
(Annals of Mathematical Statistics 18, 1947; normal approximation).  A gap under 10 % of the median
and p above 0.01 tell a stranger nothing that noise would not.
"""

import logging
import math
import statistics
import sys
import tempfile
from time import perf_counter

from flask_migrate import upgrade

from portal import create_app
from portal.delivery import service as delivery
from tests.conftest import OTHER_PASSWORD, PASSWORD, SETTINGS, Post, open_account
from tests.rigs.visitor import Visitor

KNOWN, UNKNOWN = "ann@example.org", "who@example.org"
WISH = {"full_name": "Zed Zero", "password": PASSWORD, "confirm_password": PASSWORD}
DOORS = {
    "/sign-in": lambda address: {"email": address, "password": OTHER_PASSWORD},
    "/recover": lambda address: {"identifier": address},
    "/sign-up": lambda address: {"email": address, **WISH},
}


def main(rounds: int) -> None:
    """Prints one line a door."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        own = {"DATABASE_URL": f"sqlite:///{folder}/bench.db", "UPLOAD_FOLDER": folder}
        app = create_app(SETTINGS | own | {"BCRYPT_COST": "10", "THROTTLES": "off"})
        with app.app_context():
            upgrade()
        _account(app)
        for path, typed in DOORS.items():
            known, unknown = _measured(app, path, typed, rounds)
            sys.stdout.write(_line(path, known, unknown) + "\n")


def _account(app):
    browser = Visitor(app)
    open_account(browser, KNOWN)
    browser.follow()
    browser.submit("/sign-up/code", code=Post(app).newest().code)


def _measured(app, path, typed, rounds):
    """Milliseconds for each address, in turn; the other first every second time."""
    times = {KNOWN: [], UNKNOWN: []}
    for number in range(rounds):
        pair = [KNOWN, _fresh(path, number)]
        for address in pair if number % 2 else reversed(pair):
            browser = Visitor(app)
            browser.get(path)
            began = perf_counter()
            browser.submit(path, **typed(address))
            took = 1000 * (perf_counter() - began)
            times[KNOWN if address == KNOWN else UNKNOWN].append(took)
        with app.app_context():
            delivery.deliver_due()
    return times[KNOWN], times[UNKNOWN]


def _fresh(path, number):
    """Nobody's address; at sign-up another one each time, for the first attempt takes it."""
    return f"n{number:02}@example.org" if path == "/sign-up" else UNKNOWN


def _line(path, known, unknown):
    one, other = statistics.median(known), statistics.median(unknown)
    gap = abs(one - other) / min(one, other)
    p = mann_whitney(known, unknown)
    verdict = "tells nothing" if gap < 0.10 and p > 0.01 else "TELLS"
    return f"{path:10} {one:8.2f} ms {other:8.2f} ms  gap {gap:6.1%}  p {p:.3f}  {verdict}"


def mann_whitney(ours: list[float], theirs: list[float]) -> float:
    """The two-sided p; ties count half."""
    wins = sum((a > b) + (a == b) / 2 for a in ours for b in theirs)
    n, m = len(ours), len(theirs)
    spread = math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(wins - n * m / 2) / spread / math.sqrt(2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
