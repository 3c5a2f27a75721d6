"""What the portal wrote to somebody, and what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.accounts.models import Person
from portal.core import clock
from portal.core.settings import setting
from portal.delivery import history, states
from portal.delivery.models import Outgoing
from portal.delivery.recipes import RECIPES
from portal.delivery.states import State


@dataclass(frozen=True)
class Line:
    """One message; `title` is "" for a kind that is not written any more."""

    title: str
    channel: str
    asked_at: datetime
    state: State


@dataclass(frozen=True)
class Messages:
    """One of `pages` pages of them: number `first` and the following of `total`."""

    lines: list[Line]
    page: int
    pages: int
    first: int
    total: int


def to_person(person: Person, page: int, most: int) -> Messages:
    """The person's messages of the last CODE_RETENTION_DAYS, newest first, `most` on a page.

    Neither address nor code is among what is told.
    """
    since = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    leaf = history.of_person(person.id, since, page, most)
    lines = [_line(row) for row in leaf.rows]
    return Messages(lines, leaf.page, leaf.pages, (leaf.page - 1) * most + 1, leaf.total)


def _line(row: Outgoing) -> Line:
    kind = RECIPES.get(row.recipe)
    state = states.of(row, clock.now())
    return Line(str(kind.title) if kind else "", row.channel, row.created_at, state)
