"""Pictures that a camera reads.  Sole owner of segno."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import segno

QUIET = 4  # modules of white around it (ISO/IEC 18004)


@dataclass(frozen=True)
class Drawing:
    """The dark modules as one SVG path, on a square of `side` modules with its quiet zone."""

    side: int
    path: str


def drawn(text: str) -> Drawing:
    """The text as a QR code, of the smallest size that survives a scratch."""
    rows = list(segno.make_qr(text, error="m").matrix_iter(border=QUIET))
    path = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in _runs(rows))
    return Drawing(len(rows), path)


def _runs(rows: Iterable[Iterable[int]]) -> Iterator[tuple[int, int, int]]:
    """Where dark modules begin (x, y), and how many stand side by side."""
    for y, row in enumerate(rows):
        x = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                yield x, y, length
            x += length
