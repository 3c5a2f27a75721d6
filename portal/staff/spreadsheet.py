"""Tables as CSV (RFC 4180) that a spreadsheet shows and never executes."""

import re
from collections.abc import Iterable

START = "\ufeff"  # by which Excel knows UTF-8
ACTING = "=+@\\-\u2212\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"  # also wide, small, minus
UNSEEN = r"\s\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
# Where a cell begins, or would in a spreadsheet that parts them by another sign than ours.
FORMULA = re.compile(rf'(^|[;,|"\t\r\n])(?=[{UNSEEN}"\']*[{ACTING}])')
BREAK = re.compile(r"^(?=[\t\r\n])")
RISKY = frozenset(ACTING) | frozenset("\t\r\n")


def row(cells: Iterable[object]) -> str:
    """One line: every cell quoted, None empty; what would be a formula gets an apostrophe first."""
    return ",".join(f'"{_harmless(each)}"' for each in cells) + "\r\n"


def _harmless(cell: object) -> str:
    text = "" if cell is None else str(cell).replace("\0", "")
    if not RISKY.isdisjoint(text):
        text = BREAK.sub("'", FORMULA.sub(r"\1'", text))
    return text.replace('"', '""').encode("utf-8", "replace").decode()
