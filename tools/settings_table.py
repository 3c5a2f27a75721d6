"""Writes docs/settings.md and .env.example from the table in config.py.

A test fails when they are not what this would write.
"""

from pathlib import Path

import config
from config import Setting, Value

ROOT = config.ROOT
HERE = "<project>"  # stands in the documents for the folder that the project is in

GROUPS = {
    "General": config.GENERAL,
    "Mail": config.MAIL,
    "Policy": config.POLICY,
}
TABLE_HEAD = """\
# Settings

Each is read from the environment, beneath it from `.env`; an empty value counts as unset. Lists are
comma-separated, switches are 1 or 0. A number out of its bounds is refused at the start, in words.
`flask --app wsgi check` names every setting that would be unsafe in production, with its cure.

This page is made by `make settings` from `config.py`.
"""
EXAMPLE_HEAD = """\
# Copy to .env and fill in what you need; `make run` writes one with fresh secrets by itself.
# The environment overrides .env; an empty value counts as unset; "#NAME=value" shows a default.
# Made by `make settings` from config.py.
"""


def table() -> str:
    """docs/settings.md as it should be."""
    return TABLE_HEAD + "".join(_section(title, group) for title, group in GROUPS.items())


def example() -> str:
    """.env.example as it should be."""
    return EXAMPLE_HEAD + "".join(_block(title, group) for title, group in GROUPS.items())


FILES = {ROOT / "docs" / "settings.md": table, ROOT / ".env.example": example}


def _section(title: str, group: tuple[Setting, ...]) -> str:
    head = f"\n## {title}\n\n| setting | default | bounds | meaning |\n|---|---|---|---|\n"
    return head + "".join(map(_row, group))


def _block(title: str, group: tuple[Setting, ...]) -> str:
    return f"\n# ---- {title}\n" + "".join(map(_lines, group))


def _row(each: Setting) -> str:
    default = f"`{_shown(each.default)}`" if _shown(each.default) else ""
    return f"| `{each.name}` | {default} | {_bounds(each)} | {each.meaning} |\n"


def _bounds(each: Setting) -> str:
    low, high = each.low, each.high
    words = {
        (True, True): f"{low} to {high}",
        (True, False): f"{low} or more",
        (False, True): f"up to {high}",
    }
    span = words.get((low is not None, high is not None), "")
    return f"{span} {each.unit}".strip()


def _lines(each: Setting) -> str:
    bounds = _bounds(each)
    shown = _shown(each.default)
    value = f"#{each.name}={shown}" if shown else f"{each.name}="
    return f"# {each.meaning}{f' ({bounds})' if bounds else ''}\n{value}\n"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).replace(str(ROOT), HERE)


def write(files: dict[Path, str]) -> None:
    """Puts each text into its file."""
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")
        print(f"{file.relative_to(ROOT)}: written.")


if __name__ == "__main__":
    write({file: made() for file, made in FILES.items()})
