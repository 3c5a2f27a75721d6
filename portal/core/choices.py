"""The choices of a list, as a page shows them."""

from collections.abc import Iterable
from functools import lru_cache

from flask import get_template_attribute
from markupsafe import Markup

from portal.core.moulds import Gap

KEPT = 512  # lists of choices that were drawn, each for one that is chosen


def options(choices: Iterable[tuple[str, str]], chosen: str | None) -> Markup:
    """One line each, in their order.  A long list is not drawn anew for every page."""
    return chosen if isinstance(chosen, Gap) else _drawn(named(choices), chosen)


def named(choices: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Their values and words as they can be kept; without the one that stands for no choice."""
    if isinstance(choices, tuple):
        return choices
    return tuple((value, str(name)) for value, name in choices if value)


@lru_cache(KEPT)
def _drawn(choices: tuple[tuple[str, str], ...], chosen: str | None) -> Markup:
    option = get_template_attribute("elements/option.html", "option")
    return Markup("\n").join(option(value, name, value == chosen) for value, name in choices)
