"""How a benchmark begins and ends: in which machine it was, and where its tables go.

head = begin()
...
tell(head, HEADING, lines, file, notes=NOTES)
"""

import logging
import signal
import sys
from pathlib import Path

from bench.delivery import machine, say


def begin() -> str:
    """Keeps the log out of the tables; what was started ends as well when we are told to end.

    -> the machine, which it has said.
    """
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    head = machine()
    say(head)
    return head


def tell(head: str, heading: str, lines: list[str], file: Path | None, notes: str = "") -> None:
    """Says the lines; in the file, if any, they stand below heading, machine and notes."""
    say("\n".join(lines))
    if file:
        whole = [heading, "", f"{head}.", *notes.rstrip().splitlines(), *lines, ""]
        file.write_text("\n".join(whole))
