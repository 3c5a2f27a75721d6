"""Puts what a benchmark measured into docs/performance.md, in place of what stood there before.

    python -m bench.paper side-by-side results.md

Each benchmark has a section of its own between two comments; a new one comes last.
"""

import argparse
import re
from pathlib import Path

from tests.rigs.server import ROOT

PAPER = ROOT / "docs" / "performance.md"
HEAD = "# What things cost\n\nMeasured by `make bench`; each section names machine and date.\n"


def put(paper: str, section: str, words: str) -> str:
    """The paper with this section as it is now."""
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    whole = f"{begin}\n\n{words.strip()}\n\n{end}"
    between = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if between.search(paper):
        return between.sub(lambda _old: whole, paper)
    return f"{paper.rstrip()}\n\n{whole}\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.paper")
    parser.add_argument("section")
    parser.add_argument("results", type=Path)
    given = parser.parse_args()
    paper = PAPER.read_text() if PAPER.exists() else HEAD
    PAPER.write_text(put(paper, given.section, given.results.read_text()))


if __name__ == "__main__":
    main()
