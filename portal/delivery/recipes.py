"""How features tell delivery what to say: @recipe("name") on a function about -> Letter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal.delivery.parcels import EMAIL

CODE, NOTICE = 0, 1  # ranks: whoever waits for a code waits now


@dataclass(frozen=True)
class Letter:
    """Who gets it (None: nobody, the same way is walked) and the template's values.

    `over`: nobody can see any more what becomes of it, so that no way is walked at all.

    `keep()` ends the transaction in which the recipe ran.  `walked(now)` runs once the part of the
    way that needs no recipient was walked, and says one statement at most; `accepted(now)` once the
    transport took the message, walked or not; `refused()` when it did not; each in a transaction.
    `keep` and `accepted` ask nothing: what they say is sent without a wait.
    """

    to: str | None
    values: Mapping[str, object] = field(default_factory=dict)
    keep: Callable[[], None] = lambda: None
    walked: Callable[[datetime], None] | None = None
    accepted: Callable[[datetime], None] = lambda now: None
    refused: Callable[[], None] = lambda: None
    over: bool = False


@dataclass(frozen=True)
class Recipe:
    """A kind of message; `title` is what its owner and support read of it.

    Its name is data: rows that wait carry it, and its template folder is called so.
    """

    name: str
    title: str
    rank: int
    channel: str
    write: Callable[[str], Letter]


RECIPES: dict[str, Recipe] = {}


def recipe(
    name: str, title: str, rank: int = NOTICE, channel: str = EMAIL
) -> Callable[[Callable[[str], Letter]], Recipe]:
    """Declares a recipe; `title` is a lazy translation.

    It runs in the worker's transaction at the moment of sending, perhaps repeatedly.
    """

    def declare(write: Callable[[str], Letter]) -> Recipe:
        if name in RECIPES:
            raise ValueError(f"Two recipes are called {name}.")
        RECIPES[name] = Recipe(name, title, rank, channel, write)
        return RECIPES[name]

    return declare
