"""What a photo of 12 megapixels costs when somebody uploads it: one core's time, and memory.

    python -m bench.photos [--markdown FILE]

Each kind in a process of its own that has loaded the portal and the file.
"""

import argparse
import multiprocessing
from pathlib import Path

from bench.crafts import SETTINGS, bare, median, photo
from bench.sheet import begin, tell
from portal import create_app
from portal.profile import pictures

GOALS = {"JPEG": (250, 150), "PNG": (800, 300), "WEBP": (800, 300)}  # ms, MB
HEADING = "## A photo of 12 megapixels"
NOTES = """
Three square pictures are made of each. Milliseconds of one core, the median of 7, beside the least
that anybody would do (open, resize once, save). Megabytes: the most that the process held, to
which the goal applies, and what of that the picture added to a process with the whole portal in it.
"""
HEAD = ("file", "MB", "ms", "bare", "ratio", "goal ms", "peak MB", "goal MB", "met", "added")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--markdown", type=Path, help="where the table goes as well")
    given, head = parser.parse_args(), begin()
    files = [(kind, photo(kind)) for kind in GOALS]  # here: making one takes more than reading it
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as fresh:
        rows = [HEAD, *fresh.starmap(_row, files, chunksize=1)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    lines = [" | ".join(map(str.ljust, row, widths)) for row in rows]
    tell(head, HEADING, ["", *(f"| {line} |" for line in lines)], given.markdown, NOTES)


def _row(kind: str, data: bytes) -> tuple[str, ...]:
    most_ms, most_mb = GOALS[kind]
    with create_app(SETTINGS | {"PICTURE_MAX_BYTES": "50000000"}).app_context():
        before = _peak()
        ours = median(lambda: pictures.make(data, ""))
        peak = _peak()
    least = median(lambda: bare(data))
    met = "yes" if ours < most_ms and peak < most_mb else "NO"
    times = f"{ours:.0f}", f"{least:.0f}", f"{ours / least:.2f}", f"{most_ms}"
    memory = f"{peak:.0f}", f"{most_mb}", met, f"{peak - before:.0f}"
    return kind, f"{len(data) / 1e6:.1f}", *times, *memory


def _peak() -> float:
    """The most memory that this process has ever held, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
