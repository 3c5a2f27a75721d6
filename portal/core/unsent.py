"""Forms that nobody has sent yet: what a page shows of them, without what reads and judges.

To make WTForms' own fields for each page takes longer than to write the page.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import render_template
from wtforms import Field

from portal.core.choices import named


@dataclass(frozen=True, slots=True)
class Label:
    """What a field is called."""

    text: str


@dataclass(slots=True)
class Shown:
    """A field as a page shows it."""

    id: str
    name: str
    label: Label
    choices: Any
    data: Any
    errors: tuple[str, ...] = ()


class Unsent:
    """A form as it is shown for the first time."""

    refusal = 0
    problems: tuple[tuple[str, str], ...] = ()

    def __init__(self, pattern: tuple[Shown, ...], values: dict[str, Any]) -> None:
        own = vars(self)
        for each in pattern:
            said = values.get(each.name, each.data)
            own[each.name] = Shown(each.id, each.name, each.label, each.choices, said)

    def is_submitted(self) -> bool:
        """Never."""
        return False

    validate_on_submit = is_submitted

    def page(self, template: str, **values: Any) -> tuple[str, int, dict[str, str]]:
        """This form's page, for the first time."""
        return render_template(template, form=self, **values), 200, {}


@cache
def pattern(kind: Any, args: tuple[str, ...]) -> tuple[Shown, ...]:
    """The fields of this kind of form; their words are looked up once."""
    fields = kind(*args, formdata=None)
    return tuple(_shown(field) for field in fields if field.name != "csrf_token")


def _shown(field: Field) -> Shown:
    choices = named(getattr(field, "choices", None) or ())
    label = Label(str(field.label.text))
    return Shown(field.id, field.name, label, choices, field.data)
