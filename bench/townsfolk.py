"""What the people of an invented town are called, and how they are reached.

Names are as uneven as real ones: one in fifty has the most common first name, and most surnames
are rare.  The same number is the same person in every town.
"""

from functools import lru_cache

FIRST = (
    "Maria", "Anna", "José", "Mohammed", "Sofia", "Ruth", "Chen", "Olga", "Peter", "Inês",
    "Zoë", "Björn", "Amal", "Kofi", "Priya", "Łukasz", "Noah", "Freya", "Tunde", "Mei",
)  # fmt: skip
SYLLABLES = (
    "ba", "dor", "el", "fin", "gar", "hol", "ik", "jan", "ka", "lu", "mir", "nes", "or", "pa",
    "ros", "sen", "tal", "ul", "vin", "wes",
)  # fmt: skip
FIRST_NAMES, SURNAMES = len(SYLLABLES) ** 2, len(SYLLABLES) ** 4
DOMAINS = "gmail.com", "outlook.com", "example.org", "yahoo.com", "northfold.example", "gmx.net"
GOLDEN, PLASTIC = 0.6180339887498949, 0.7548776662466927  # spread evenly, and not together
BEGIN = 1_000  # the ids before are those of whoever runs the benchmark
BUSY = 1  # this person has had a thousandth of all events


def first_name(number: int) -> str:
    """The first name of person `number`, from 1."""
    rank = int(FIRST_NAMES * (number * GOLDEN % 1) ** 1.5)
    return FIRST[rank] if rank < len(FIRST) else _word(rank, 2)


@lru_cache(1)  # it is asked for several times in a row
def surname(number: int) -> str:
    """The surname of person `number`: four syllables, the last of which are common."""
    return _word(int(SURNAMES * (number * PLASTIC % 1) ** 2), 4)


def address(number: int) -> str:
    """The address of person `number`."""
    domain = DOMAINS[int(len(DOMAINS) * (number * GOLDEN % 1) ** 2)]
    return f"{surname(number)}.{number}@{domain}".lower()


def phone(number: int) -> str | None:
    """The number of every third person."""
    return f"+447{400_000_000 + number * 7}" if number % 3 == 0 else None


def username(number: int) -> str | None:
    """The username of every second person."""
    return f"{surname(number)}{number}" if number % 2 else None


def whom(number: int, ids: range) -> int:
    """Whose event this is: one in a thousand is the busiest person's."""
    if number % 1000 == 0:
        return ids[BUSY]
    return ids[int(len(ids) * (number * GOLDEN % 1))]


def _word(rank: int, syllables: int) -> str:
    parts = []
    for _part in range(syllables):
        rank, part = divmod(rank, len(SYLLABLES))
        parts.append(SYLLABLES[part])
    return "".join(parts).title()
