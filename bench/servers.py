"""Which server: waitress, gunicorn and granian, bare and behind nginx, side by side in one run.

    python -m bench.servers [--seconds 5] [--granian /path/to/granian]

The same portal and database; requests a second (wrk, 2 threads, 16 connections), how long a page
takes others while 60 clients are slow, what a killed process and a reload cost.  granian is no
dependency: it is measured where its program is named.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.delivery import machine, say
from tests.rigs.caller import Caller
from tests.rigs.gunicorn import Gunicorn
from tests.rigs.load import Load
from tests.rigs.nginx import Nginx
from tests.rigs.server import ROOT, Server
from tests.rigs.slow import SlowClients

PATHS = "/healthz", "/sign-in"
SETTINGS = {"THROTTLES": "off", "LOG_FORMAT": "text"}
PAGES = 60  # asked one after the other, while others are slow
RATE = re.compile(r"Requests/sec: +([\d.]+)")
BAD = re.compile(r"(Socket errors:.*|Non-2xx.*)")


class Granian(Gunicorn):
    """Two processes of it, with as many threads; told to replace one that dies."""

    program = ""

    def start(self) -> None:
        """As gunicorn's."""
        self.command = ("bench.servers", "--run", self.program, str(self.port))
        super().start()


def main() -> None:
    """Prints a line for each."""
    parser = argparse.ArgumentParser(prog="python -m bench.servers")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--granian", default="")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        _granian(*given.run)
    kinds: dict[str, type[Server]] = {"waitress": Server, "gunicorn": Gunicorn}
    if given.granian:
        Granian.program = given.granian
        kinds["granian"] = Granian
    say(f"{machine()}; {given.seconds} s each; load of the machine before {os.getloadavg()[0]:.1f}")
    _tell({name: _measure(name, kind, given.seconds) for name, kind in kinds.items()})


def _tell(rates: dict[str, dict[str, float]]) -> None:
    for way in rates["waitress"]:
        least = rates["waitress"][way]
        told = ", ".join(f"{name} {found[way] / least:.2f}" for name, found in rates.items())
        say(f"ratio, {way}: {told}")


def _granian(program: str, port: str) -> None:
    """In place of this process; the packages of the portal are lent to its interpreter."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{packages}"}
    here = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", port, "--no-ws"]
    many = ["--workers", "2", "--blocking-threads", "64", "--respawn-failed-workers"]
    quiet = ["--log-level", "warning", "--backpressure", "256"]
    os.execve(program, [program, *here, *many, *quiet, "wsgi:app"], environment)  # noqa: S606


def _measure(name: str, kind: type[Server], seconds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        front = Nginx(Path(folder))
        told = {"PUBLIC_URL": front.plain, "TRUSTED_PROXIES": "127.0.0.1/32"}
        with kind(Path(folder), **SETTINGS, **told) as portal:
            rates = {f"{path}, bare": _wrk(portal.url + path, seconds) for path in PATHS}
            with front.before(portal):
                rates |= {f"{p}, nginx": _wrk(front.plain + p, seconds) for p in PATHS}
                _say(name, "nginx", lambda: _beside_slow(front.plain_port))
            for way, rate in rates.items():
                say(f"{name:9} {way:16} {rate:8.0f} requests/s")
            say(f"{name:9} memory of all its processes: {_memory(portal)} MB")
            _say(name, "bare", lambda: _beside_slow(portal.port))
            if isinstance(portal, Gunicorn):
                say(f"{name:9} a process killed: {_killed(portal)}")
                say(f"{name:9} reloaded under load: {_reloaded(portal)}")
        return rates


def _say(name: str, way: str, measure: Callable[[], str]) -> None:
    say(f"{name:9} beside 60 slow clients, {way}: {measure()}")


def _wrk(url: str, seconds: int) -> float:
    command = ["wrk", "-t2", "-c16", f"-d{seconds}s", url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    if bad := BAD.search(told):
        say(f"          {url}: {bad[1]}")
    found = RATE.search(told)
    return float(found[1]) if found else 0.0


def _beside_slow(port: int) -> str:
    """How long a page takes for somebody else."""
    spent, failed = [], 0
    with SlowClients(port) as slow:
        caller = Caller(f"http://127.0.0.1:{port}", patience=5)
        for _ in range(PAGES):
            try:
                spent.append(1000 * caller.open("/sign-in").seconds)
            except OSError:
                failed += 1
            if failed > 3:
                break
        left = slow.waiting()
    spent.sort()
    if not spent:
        return "nobody was served"
    p95 = spent[int(0.95 * (len(spent) - 1))]
    return (
        f"p50 {spent[len(spent) // 2]:.0f} ms, p95 {p95:.0f} ms, failed {failed}, still slow {left}"
    )


def _killed(portal: Gunicorn) -> str:
    with Load(portal.url, "/healthz") as load:
        time.sleep(1)
        began = time.monotonic()
        os.kill(portal.workers()[-1], signal.SIGKILL)
        time.sleep(4)
        spent = time.monotonic() - began
    return f"{len(load.failed)} failed of {len(load.answers)} in {spent:.0f} s"


def _reloaded(portal: Gunicorn) -> str:
    with Load(portal.url, "/healthz") as load:
        began = time.monotonic()
        try:
            portal.reload()
        except AssertionError:
            return "it did not come back"
        spent = time.monotonic() - began
    return f"{len(load.failed)} failed of {len(load.answers)}, {spent:.1f} s"


def _memory(portal: Server) -> int:
    pids = [portal.process.pid]
    if isinstance(portal, Gunicorn):
        pids += portal.workers()
    lines = (Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in pids)
    shares = (int(line.split()[1]) for each in lines for line in each if line.startswith("Pss:"))
    return sum(shares) // 1024


if __name__ == "__main__":
    main()
