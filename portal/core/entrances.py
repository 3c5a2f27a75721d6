"""Pages by which people come in: drawn once for all who bring nothing but the token of their form.

To whoever sends no cookie but a theme, and asks for the page alone, it says nothing of their own.
"""

from flask import render_template, request

from portal.core.forms import PortalForm
from portal.core.moulds import TOKEN, pour
from portal.core.stamps import csrf_token
from portal.core.unsent import Unsent
from portal.core.web import THEME, theme

Page = str | tuple[str, int, dict[str, str]]


def page(form: PortalForm | Unsent, template: str, **values: object) -> Page:
    """`form.page`, for a stranger from what was drawn for the first one.

    `values`: settings and what is said again after a mistake; nothing of a person.
    """
    nothing_own = not request.query_string and request.cookies.keys() <= {THEME}
    if not isinstance(form, Unsent) or not nothing_own:
        return form.page(template, **values)
    key = template, theme(), *sorted(values.items())
    return pour(key, lambda: render_template(template, form=form, **values), {TOKEN: csrf_token()})
