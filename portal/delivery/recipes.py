"""How features tell delivery what to say: @recipe("name") on a function about -> Letter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Letter:
    """Who gets it (None: nobody, the same way is walked) and the template's values.

    `accepted(now)` runs in a transaction once the transport took it, `refused()` when it did not.
    """

    to: str | None
    values: Mapping[str, object] = field(default_factory=dict)
    accepted: Callable[[datetime], None] = lambda now: None
    refused: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Recipe:
    """A kind of message.

    Its name is data: rows that wait carry it, and its template folder is called so.
    """

    name: str
    write: Callable[[str], Letter]


RECIPES: dict[str, Recipe] = {}


def recipe(name: str) -> Callable[[Callable[[str], Letter]], Recipe]:
    """Declares a recipe.

    It runs in the worker's transaction at the moment of sending, perhaps repeatedly.
    """

    def declare(write: Callable[[str], Letter]) -> Recipe:
        if name in RECIPES:
            raise ValueError(f"Two recipes are called {name}.")
        RECIPES[name] = Recipe(name, write)
        return RECIPES[name]

    return declare
