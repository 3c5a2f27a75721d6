"""Calls every operation of the API with what Schemathesis invents, and sums up what came back.

    python -m tools.fuzz [--examples 300] [--seed 1]

A temporary database and mailbox, the real server without throttles, one invented person.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.rigs.program import Program, somebody
from tests.rigs.server import ROOT, Server

CONFIG = ROOT / "tools" / "fuzz.toml"
SETTINGS = {"THROTTLES": "off"}
EXAMPLES = 400
ANSWERED = re.compile(r"latchkey INFO (\S+ \S+) (\d{3}) \d+ ms \S*$", re.MULTILINE)
OURS = "GET /healthz"  # asked by the rig


@dataclass(frozen=True)
class Outcome:
    """What a run has found: the answers that the server gave, and all that was printed."""

    passed: bool
    statuses: Counter[int]
    routes: frozenset[str]
    printed: str

    def __str__(self) -> str:
        counts = [f"  {status}: {count}" for status, count in sorted(self.statuses.items())]
        sums = f"{self.statuses.total()} requests on {len(self.routes)} routes and methods"
        return "\n".join([sums, *counts])


def main() -> None:
    """Runs all phases and prints the sums.  Exits with 1 when a check failed."""
    parser = argparse.ArgumentParser(description="Fuzz the API.")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="of each operation")
    parser.add_argument("--seed", type=int, help="for the same run once more")
    told = parser.parse_args()
    seed = ["--seed", str(told.seed)] if told.seed else []
    outcome = run(["--max-examples", str(told.examples), *seed])
    print(outcome.printed)
    print(outcome)
    sys.exit(0 if outcome.passed else 1)


def run(arguments: Sequence[str]) -> Outcome:
    """Schemathesis with these arguments against a portal of its own."""
    with TemporaryDirectory() as folder, Server(Path(folder), **SETTINGS) as portal:
        _ann(portal)
        command = [
            *(
                str(Path(sys.executable).with_name("st")),
                "--config-file",
                str(CONFIG),
            ),
            *("run", f"{portal.url}/api/v1/openapi.json", "--continue-on-failure", *arguments),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        answers = [(route, int(status)) for route, status in ANSWERED.findall(portal.log())]
    asked = [(route, status) for route, status in answers if route != OURS]
    statuses, routes = Counter(each for _, each in asked), frozenset(route for route, _ in asked)
    return Outcome(done.returncode == 0, statuses, routes, done.stdout + done.stderr)


def _ann(portal: Server) -> None:
    """The person of the configuration."""
    payload = tomllib.loads(CONFIG.read_text())["auth"]["dynamic"]["openapi"]["bearer"]["payload"]
    ann = somebody(portal, payload["email"])
    change = {"old_password": ann.password, "new_password": payload["password"]}
    Program(portal, ann.access).post("/api/v1/auth/change-password", change).raise_for_status()


if __name__ == "__main__":
    main()
