"""Finding people by how the words begin under which they stand in the directory.

What is typed may be read in several ways, one after the other: as the number of an account, as a
phone number, word for word, and as what stands between its signs.  Nobody is found twice.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, exists, literal, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal.accounts import directory, people, phones
from portal.accounts.models import Person, SearchTerm
from portal.core import texts
from portal.core.db import db

LONGEST, MOST_WORDS = 200, 10
SIGNS = re.compile(r"[^\w%]+")  # between words; those of patterns stand for themselves alone
NUMBER = re.compile(r"(?:account|no|nr|number)?[ .:#]*([0-9]{1,18})")
PLACE = re.compile(r"([0-9])\.([0-9]{1,18})\.(.{0,255})", re.DOTALL)
LAST, SURROGATES, AFTER_SURROGATES = 0x10FFFF, range(0xD800, 0xE000), "\ue000"

MOST_NUMBERS = 5  # that a phone number without its country may be
Reading = list[str]  # how terms of the person begin; all of these, the longest first


@dataclass(frozen=True)
class Found:
    """Some of those found; `older` is what to go on after, None at the end.

    `refused`: why nothing was looked for.
    """

    people: Sequence[Person] = ()
    older: str | None = None
    refused: str = ""


@dataclass(frozen=True)
class _Place:
    """In which reading, after which term of which person."""

    reading: int = 0
    term: str = ""
    person_id: int = 0


def search(typed: str, after: str | None, most: int) -> Found:
    """Up to `most` people for what was typed, going on `after` the place that was given before."""
    if len(typed) > LONGEST:
        words = _("Search with fewer words: at most %(longest)d characters.", longest=LONGEST)
        return Found(refused=words)
    text = _clean(typed)
    if not text.strip():
        return Found()
    place, exact = _place(after), _exact(directory.fold(text))
    found = [(_Place(), exact.id)] if exact and place == _Place() else []
    found += _listed(text, exact.id if exact else 0, place, most + 1 - len(found))
    shown = found[:most]
    return Found(_people([each for _at, each in shown]), _older(found, most))


def _older(found: list[tuple[_Place, int]], most: int) -> str | None:
    if len(found) <= most:
        return None
    at = found[most - 1][0]
    return f"{at.reading}.{at.person_id}.{at.term}"


def _clean(typed: str) -> str:
    """What no name has, and no database takes, counts as a space."""
    return "".join(char if texts.is_clean(char) else " " for char in typed)


def _place(after: str | None) -> _Place:
    parts = PLACE.fullmatch(after or "")
    if parts is None or not texts.is_clean(parts[3]):
        return _Place()
    return _Place(int(parts[1]), parts[3], int(parts[2]))


def _exact(text: str) -> Person | None:
    """Whoever has this number or name for links: "48", "No. 48", "6f1c..."."""
    number = NUMBER.fullmatch(text)
    if number:
        return people.get(int(number[1]))
    try:
        return people.of_uuid(UUID(text))
    except ValueError:
        return None


def _listed(text: str, but: int, place: _Place, most: int) -> list[tuple[_Place, int]]:
    """From each reading those whom no earlier one finds, in the order of terms."""
    readings, found = _readings(text), list[tuple[_Place, int]]()
    for number, reading in enumerate(readings):
        if number < place.reading or len(found) >= most:
            continue
        start = place if number == place.reading else _Place()
        others = [SearchTerm.person_id != but, *map(_misses, readings[:number])]
        rows = _rows(reading, others, start, most - len(found))
        found += [(_Place(number, term, person_id), person_id) for term, person_id in rows]
    return found


def _readings(text: str) -> list[Reading]:
    """As a phone number, by the words as they are, by the words between the signs."""
    pieces = text.split()
    parts = [part for piece in pieces for part in _parts(piece)]
    ways = [[number] for number in _numbers(text)] + [[_whole(each) for each in pieces], parts]
    readings: list[Reading] = []
    for way in ways:
        kept = sorted(set(filter(None, way)), key=lambda each: (-len(each), each))[:MOST_WORDS]
        readings += [kept] if kept and kept not in readings else []
    return readings


def _numbers(text: str) -> list[str]:
    """Of all the phone numbers that may be meant those that somebody has, in one question."""
    begun = [
        select(literal(start)).where(exists().where(_begins(SearchTerm.term, start)))
        for start in phones.meant(text)
    ]
    return sorted(db.session.scalars(union_all(*begun)))[:MOST_NUMBERS] if begun else []


def _whole(piece: str) -> str:
    """A whole address in the form in which addresses are compared."""
    return people.key_of_address(piece) or directory.fold(piece)


def _parts(piece: str) -> list[str]:
    """Of an address its signs are part: nobody is meant who merely has such names."""
    return [_whole(piece)] if "@" in piece else SIGNS.split(directory.fold(piece))


def _rows(
    reading: Reading, others: list[ColumnElement[bool]], place: _Place, most: int
) -> Sequence[tuple[str, int]]:
    """The longest word is the rarest, most likely: its part of the index is walked through."""
    longest, *further = reading
    lower = aliased(SearchTerm)
    mine = (lower.person_id == SearchTerm.person_id, _begins(lower.term, longest))
    named_before = exists().where(*mine, lower.term < SearchTerm.term)
    wanted = select(SearchTerm.term, SearchTerm.person_id).where(
        _begins(SearchTerm.term, longest, place.term),
        or_(SearchTerm.term > place.term, SearchTerm.person_id > place.person_id),
        ~named_before,
        *map(_has, further),
        *others,
    )
    in_order = wanted.order_by(SearchTerm.term, SearchTerm.person_id).limit(most)
    return [(term, person_id) for term, person_id in db.session.execute(in_order)]


def _has(word: str) -> ColumnElement[bool]:
    other = aliased(SearchTerm)
    return exists().where(other.person_id == SearchTerm.person_id, _begins(other.term, word))


def _misses(reading: Reading) -> ColumnElement[bool]:
    return ~and_(*map(_has, reading))


def _begins(term: InstrumentedAttribute[str], start: str, place: str = "") -> ColumnElement[bool]:
    """A part of the index from `place` on, and no pattern: no sign means anything but itself.

    What begins so ends before what begins with the next character.
    """
    end = start.rstrip(chr(LAST))
    below = [term < end[:-1] + _next(end[-1])] if end else []
    return and_(term >= max(start, place), *below)


def _next(char: str) -> str:
    code = ord(char) + 1
    return AFTER_SURROGATES if code in SURROGATES else chr(code)


def _people(ids: list[int]) -> list[Person]:
    """In this order; read in one go."""
    wanted = select(Person).where(Person.id.in_(ids)).execution_options(populate_existing=True)
    found = {each.id: each for each in db.session.scalars(wanted)}
    return [found[each] for each in ids if each in found]
