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

MOST = 50  # on one page


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


def messages(person: Person, page: int) -> Messages:
    """The person's own messages of the last CODE_RETENTION_DAYS, newest first.

    Neither address nor code is among what is told.
    """
    since = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    leaf = history.of_person(person.id, since, page, MOST)
    lines = [_line(row) for row in leaf.rows]
    return Messages(lines, leaf.page, leaf.pages, (leaf.page - 1) * MOST + 1, leaf.total)


def _line(row: Outgoing) -> Line:
    kind = RECIPES.get(row.recipe)
    state = states.of(row, clock.now())
    return Line(str(kind.title) if kind else "", row.channel, row.created_at, state)
