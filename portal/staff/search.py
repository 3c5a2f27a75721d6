"""What the page of people lists."""

from dataclasses import dataclass

from portal.accounts import search
from portal.accounts.models import Person
from portal.core import phrases
from portal.staff import standing, traces
from portal.staff.standing import Tag

MOST = 20  # on one page


@dataclass(frozen=True)
class Line:
    """One of those found."""

    person: Person
    tags: list[Tag]
    last: str


@dataclass(frozen=True)
class Results:
    """Those found; `asked`: something was searched, `refused`: why it was not looked for."""

    lines: list[Line]
    older: str | None
    asked: bool
    refused: str


def results(typed: str, after: str | None) -> Results:
    """One page of whoever is found by this; nobody when nothing was typed."""
    found = search.search(typed, after, MOST)
    last = traces.last_sign_ins(each.id for each in found.people)
    lines = []
    for each in found.people:
        at = last.get(each.id)
        told = traces.last_told(each, at, phrases.day(at) if at else "")
        lines.append(Line(each, standing.tags(each), told))
    return Results(lines, found.older, bool(typed.strip()), found.refused)
