"""Pages that are drawn once: what is somebody's own goes into their gaps.

To fill the gaps of one that was drawn costs little beside drawing it.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from secrets import token_hex

from flask import current_app, g
from markupsafe import Markup, escape

DRAWN = "latchkey-moulds"  # kept by application: its settings stand in them
TOKEN = "csrf_token"  # noqa: S105 - the gap of every page with a form
_END = token_hex(8)  # no word of a page ends so
_GAP = re.compile(rf"gap-(\w+)-{_END}")


class Gap(Markup):
    """What a template writes in the place of somebody's own words."""

    __slots__ = ()


def gap(name: str) -> Gap:
    """The place of what is called `name`: letters, digits and underscores."""
    return Gap(f"gap-{name}-{_END}")


def pour(key: Hashable, draw: Callable[[], str], own: Mapping[str, object]) -> str:
    """The page that `draw` makes with gaps in it, which `own` fills, escaped, by their names.

    `key`: all that the page depends on but `own` and the settings, of which its language is one.
    """
    drawn = current_app.extensions.setdefault(DRAWN, {})
    parts = drawn.get(key)
    if parts is None:
        parts = _GAP.split(_with_gap_for_token(draw))
        if not current_app.debug:  # whoever changes templates sees the change
            drawn[key] = parts
    page = parts.copy()
    page[1::2] = [escape(own[name]) for name in parts[1::2]]
    return "".join(page)


def _with_gap_for_token(draw: Callable[[], str]) -> str:
    g.csrf_token = gap(TOKEN)
    try:
        return draw()
    finally:
        del g.csrf_token
