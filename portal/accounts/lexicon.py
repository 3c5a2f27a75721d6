"""The lists on disk, of leaked passwords, dictionary words and names, and their spelling.

A list is a file of sorted 44-bit digests, mapped read-only: it opens in
microseconds, its pages are shared by all processes, and it holds no password
in clear. A string that is not in a list of n entries is taken for
an entry once in 2**44 / n look-ups (for a million entries: 1 in 17 million).
`tools/build_wordlists.py` makes the files; `wordlists/README.md` names the
sources, their licences and the counts.
"""

import mmap
import unicodedata
from bisect import bisect_left
from functools import cache
from hashlib import blake2b
from pathlib import Path

FOLDER = Path(__file__).parent / "wordlists"
MAGIC = 0x4C4B5731
HEAD = 2  # magic and count, 32 bits each, little-endian like all that follows
BUCKET_BITS = 12
BUCKETS = 1 << BUCKET_BITS
REST_BITS = 32
LONGEST = 24  # letters of the longest word or name that is listed
FOLDED_MAX = 128

_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
LEET = {
    "0": "o", "1": "il", "!": "il", "|": "il", "2": "z", "3": "e", "€": "e", "4": "a", "@": "a",
    "5": "s", "$": "s", "6": "g", "9": "g", "7": "tl", "+": "t", "8": "b", "%": "x",
    "(": "c", "[": "c", "{": "c", "<": "c",
}  # fmt: skip
_SKELETON = str.maketrans({sign: letters[0] for sign, letters in LEET.items()} | {"l": "i"})


def fold(text: str, *, expand: bool = False) -> str:
    """Lower case without accents: 'Müller' -> 'muller', or 'mueller' with `expand`.

    Compatibility forms become plain ones (full-width letters, ligatures); what
    that lengthens is cut at FOLDED_MAX characters.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return text[:FOLDED_MAX]
    if expand:
        text = text.translate(_EXPANDED)
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", "".join(bare)).translate(_PLAIN)[:FOLDED_MAX]


def skeleton(folded: str) -> str:
    """What is left when leet is read as letters, and i and l as one letter.

    One reading covers every mixture ('W1||1am'), character by character, so
    positions stay. Lists hold skeletons, so both sides of a comparison lose
    the same.
    """
    return folded.translate(_SKELETON)


def skeletons(folded: str) -> set[str]:
    """Both readings where there is a 7, which is t or l."""
    return {skeleton(folded), skeleton(folded.replace("7", "l"))}


def spells(text: str, token: str) -> bool:
    """Whether a folded text contains a folded token, in letters or leet.

    Stricter than skeletons: 1 is i or l, but i is never l, so 'football' does
    not contain 'ali'.
    """
    places = range(len(text) - len(token) + 1)
    return any(all(map(_same, text[at:], token)) for at in places)


def _same(one: str, other: str) -> bool:
    return one == other or not set(LEET.get(one, one)).isdisjoint(LEET.get(other, other))


def digest(form: str) -> int:
    """The 44-bit key of a skeleton: 12 bits choose the bucket, 32 are kept in it."""
    raw = blake2b(form.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "little") >> (64 - BUCKET_BITS - REST_BITS)


class Lexicon:
    """A list as a set of keys (see `digest`), read from the file as it is needed.

    Raises FileNotFoundError when the file is missing, ValueError when it is no
    such list (or the machine is big-endian and reads the numbers wrongly).
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._numbers = memoryview(mapped).cast("I")
        self._first = HEAD + BUCKETS + 1
        if self._numbers[0] != MAGIC or len(self._numbers) != self._first + len(self):
            raise ValueError(f"{path.name} is not a word list of this portal")

    def __len__(self) -> int:
        return self._numbers[1]

    def __contains__(self, key: int) -> bool:
        bucket, rest = divmod(key, 1 << REST_BITS)
        low = self._first + self._numbers[HEAD + bucket]
        high = self._first + self._numbers[HEAD + bucket + 1]
        found = bisect_left(self._numbers, rest, low, high)
        return found < high and self._numbers[found] == rest


@cache
def listed(name: str) -> Lexicon:
    """The list `leaked`, `words` or `names`, opened once a process."""
    return Lexicon(FOLDER / f"{name}.bin")


def is_listed(name: str, form: str) -> bool:
    """Whether a skeleton is on the list of that name (see `listed`)."""
    return digest(form) in listed(name)
