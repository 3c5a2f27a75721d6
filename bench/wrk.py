"""wrk (github.com/wg/wrk) on requests of ours: eight kept connections, every answer looked at.

work = Work("GET", (Request("/sign-in"),), Expected(200, words="Sign in"))
result = run(port, work, seconds)
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.ways import Expected

CONNECTIONS = 8
TIMEOUT = 30  # seconds for one answer
SCRIPT = Path(__file__).with_suffix(".lua")
LINE = re.compile(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)\n(.*)", re.S | re.M)


@dataclass(frozen=True)
class Request:
    """One of those that are sent in turn."""

    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Work:
    """What is sent again and again, and what has to come back each time."""

    method: str
    requests: tuple[Request, ...]
    expected: Expected


@dataclass(frozen=True)
class Result:
    """What one run measured; times in ms.  `wrong` answers were not what was expected,

    `broken` ones did not come; `refusals` are all above 399, expected or not.
    """

    rate: float
    p50: float
    p99: float
    answers: int
    wrong: int
    broken: int
    refusals: int
    sample: str


def missing() -> str | None:
    """Why it cannot run here."""
    return None if shutil.which("wrk") else "wrk is not installed (Debian: apt-get install wrk)"


def run(port: int, work: Work, seconds: float) -> Result:
    """One run.  wrk counts in whole seconds.  Raises CalledProcessError when it fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as plan:
        plan.write(f"return {_lua(_plan(work))}\n")
        plan.flush()
        much = ["-t", "1", "-c", str(CONNECTIONS), "-d", f"{max(1, round(seconds))}s"]
        script = ["--timeout", f"{TIMEOUT}s", "-s", str(SCRIPT), f"http://127.0.0.1:{port}"]
        done = subprocess.run(  # noqa: S603 - a program of this machine, by name
            ["wrk", *much, *script],  # noqa: S607
            env=os.environ | {"PLAN": plan.name},
            capture_output=True,
            text=True,
            check=True,
        )
    return _read(done.stdout)


def _plan(work: Work) -> dict[str, object]:
    return {"method": work.method, "requests": [vars(each) for each in work.requests]} | vars(
        work.expected
    )


def _lua(value: object) -> str:
    """A value as Lua writes it; text is ASCII here."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{_lua(key)}] = {_lua(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(_lua, value)) + "}"
    return json.dumps(value)


def _read(output: str) -> Result:
    found = LINE.search(output)
    if not found:
        raise RuntimeError(f"wrk said:\n{output}")
    *numbers, sample = found.groups()
    answers, micros, p50, p99, wrong, broken, refusals = map(int, numbers)
    rate = answers / (micros / 1_000_000)
    return Result(rate, p50 / 1000, p99 / 1000, answers, wrong, broken, refusals, sample)
