"""Judges the words in a password: leaked ones, dictionary words, one's own name.

Length, kinds of characters and history are not judged here. Nothing here reads
an account: whoever calls brings the words of the person (see `tokens`).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple

from zxcvbn_rs_py import zxcvbn

from portal.accounts.lexicon import LONGEST, fold, is_listed, skeletons, spells

Reason = Literal["personal", "leaked", "word", "weak"]

MINIMUM_SCORE = 2
SHORTEST_WORD = 4
SURE_WORD = 6
SURE_LETTERS = 3
SHORTEST_TOKEN = 3
SHORTEST_PART = 8  # below this a leaked password inside a longer one is often chance
LOOSE_TOKEN = 5  # below this a name also arises by chance where two words meet
PIECE = 24  # zxcvbn takes 0.2 s for 72 characters of mixed leet, 1 ms for 24
OWN_MAX = 40

_APART = re.compile(r"[\W_]+")
_BETWEEN = re.compile(r"[\s._,-]+")
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_LISTABLE = re.compile(r"[a-z]{4,}")
_DIGRAPH = re.compile(r"(?<=[aou])e")


class _Text(NamedTuple):
    """A folded password and its skeleton; from where to where there are letters."""

    folded: str
    form: str
    start: int
    end: int


def judge(password: str, own: Collection[str], minimum: int = MINIMUM_SCORE) -> Reason | None:
    """The first reason against a password, or None when its words are fine.

    `own` are the words of the person and the portal, as texts or as `tokens`;
    `minimum` is the zxcvbn score (0 to 4) that it must reach.
    """
    mine = tokens(*own)
    if _tells(password, mine):
        return "personal"
    return common(password) or _weak(password, mine, minimum)


def common(password: str) -> Reason | None:
    """The rules that need no account: 'leaked', 'word', or None.

    'word' when a dictionary word or a name is the whole or at least half of
    it. 'leaked' when it is on the list, or what is left without digits and
    signs at the ends is, or a listed password of 8 characters or more is half
    of all of it. All folded, and read in both directions.
    """
    folded = _once(fold(password), SHORTEST_WORD)
    texts = _readings(folded)
    if any(is_listed("leaked", form) for form in _wholes(folded)):
        return "leaked"
    if any(_is_word(*part) for part in _words(texts)):
        return "word"
    return "leaked" if any(is_listed("leaked", form) for form in _leaks(texts)) else None


def personal(password: str, own: Collection[str], minimum: int = MINIMUM_SCORE) -> Reason | None:
    """The rules that need the person: 'personal', 'weak', or None (see `judge`)."""
    mine = tokens(*own)
    return "personal" if _tells(password, mine) else _weak(password, mine, minimum)


def tokens(*texts: str) -> frozenset[str]:
    """The folded words of 3 letters or more in names, user names and addresses.

    An address counts by its local part. 'Müller' gives muller and mueller, and
    'Mueller' both too; 'Anne-Marie' gives anne, marie and annemarie.
    """
    found: set[str] = set()
    for text in texts:
        local = text.partition("@")[0]
        for folded in (fold(local), fold(local, expand=True)):
            pieces = [piece for piece in _APART.split(folded) if piece]
            joined = "".join(pieces)
            found.update(_LETTERS.findall(folded))
            found.update(piece for piece in pieces if _telling(piece))
            found.update([joined] if len(joined) >= LOOSE_TOKEN else [])
    shorter = (_DIGRAPH.sub("", token) for token in found)
    return frozenset(found.union(token for token in shorter if len(token) >= LOOSE_TOKEN))


def _telling(piece: str) -> bool:
    """Whether a user name with digits says who it is: 's4na', 'j1985', not '1985' or 'x1'."""
    letters = sum(c.isalpha() for c in piece)
    return letters >= SHORTEST_TOKEN or (letters > 0 and len(piece) > SHORTEST_TOKEN)


def _once(text: str, least: int = 1) -> str:
    """What a text repeats, signs at the ends apart: 'summer26summer26!' -> 'summer26'."""
    for whole in (text, _unsigned(text)):
        unit = whole[: (whole + whole).find(whole, 1)]
        if least <= len(unit) < len(whole):
            return unit
    return text


def _trims(character: str) -> bool:
    """Digits, punctuation, spaces and currency; an emoji is as good as a letter."""
    category = unicodedata.category(character)
    return category[0] in "NPZ" or category in ("Sc", "Sk", "Sm")


def _unsigned(text: str) -> str:
    return text.strip("".join(c for c in text if _trims(c) and not c.isnumeric()))


def _readings(folded: str) -> list[_Text]:
    """Ahead and backwards, with 7 as t and as l."""
    kept = [at for at, character in enumerate(folded) if not _trims(character)]
    start, end = (kept[0], kept[-1] + 1) if kept else (0, 0)
    size = len(folded)
    ahead = [_Text(folded, form, start, end) for form in skeletons(folded)]
    back = folded[::-1]
    return ahead + [_Text(back, form, size - end, size - start) for form in skeletons(back)]


def _wholes(folded: str) -> Iterator[str]:
    """The password as typed, without signs at the ends, and without what separates."""
    bare = _unsigned(folded)
    for text in {folded, bare, _BETWEEN.sub("", bare)}:
        yield from skeletons(text) | skeletons(text[::-1])


def _words(texts: Iterable[_Text]) -> Iterator[tuple[str, str]]:
    """The parts that would be half of a text without digits and signs outside them."""
    for text in texts:
        runs = _LISTABLE.finditer(text.form) if text.end - text.start <= 2 * LONGEST else ()
        for start, end in (span for run in runs for span in _spans(text, run)):
            yield text.form[start:end], text.folded[start:end]


def _spans(text: _Text, run: re.Match[str]) -> Iterator[tuple[int, int]]:
    for start in range(max(run.start(), text.start - LONGEST), text.end):
        yield from ((start, end) for end in _ends(text, start, run.end()))


def _ends(text: _Text, start: int, limit: int) -> range:
    """Where a part from `start` ends at the earliest and the latest to be half of a text."""
    left = min(start, text.start)
    half = start + (text.end - left + 1) // 2
    if half > text.end:
        half = 2 * start - left
    earliest = max(half, start + SHORTEST_WORD, text.start + 1)
    return range(earliest, min(limit, start + LONGEST) + 1)


def _is_word(form: str, folded: str) -> bool:
    """Short words must be typed in letters for the most part, else chance makes them of signs."""
    if not (is_listed("words", form) or is_listed("names", form)):
        return False
    return len(form) >= SURE_WORD or sum(c.isalpha() for c in folded) >= SURE_LETTERS


def _leaks(texts: Iterable[_Text]) -> Iterator[str]:
    for _, form, start, end in texts:
        if end - start >= SHORTEST_WORD:
            yield form[start:end]
        least = max(SHORTEST_PART, (len(form) + 1) // 2)
        for size in range(least, LONGEST + 1):
            yield from (form[at : at + size] for at in range(len(form) - size + 1))


def _tells(password: str, mine: Collection[str]) -> bool:
    """Whether it contains a token: either way round, in leet, or with signs between letters."""
    for folded in {fold(password), fold(password, expand=True)}:
        joined = _BETWEEN.sub("", folded)
        long = [token for token in mine if len(token) >= LOOSE_TOKEN]
        if any(_holds(folded, token) for token in mine) or any(_holds(joined, t) for t in long):
            return True
    return False


def _holds(text: str, token: str) -> bool:
    return spells(text, token) or spells(text, token[::-1])


def _weak(password: str, mine: Collection[str], minimum: int) -> Reason | None:
    """Judged in pieces: a password is no weaker than its best piece."""
    whole = _once(password).encode("utf-8", "replace").decode()
    own = sorted(mine)[:OWN_MAX]
    pieces = (whole[at : at + PIECE] for at in range(0, len(whole), PIECE))
    return None if any(int(zxcvbn(p, own).score) >= minimum for p in pieces) else "weak"
