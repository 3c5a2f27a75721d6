"""Writing a letter down: subject, text and HTML from templates; of an SMS the text alone."""

from collections.abc import Mapping
from functools import cache

from flask_babel import get_locale, gettext, ngettext
from jinja2 import PackageLoader, StrictUndefined, select_autoescape

from portal.core import phrases, texts
from portal.core.folding import Folding
from portal.core.settings import setting
from portal.delivery.parcels import SMS, Parcel
from portal.delivery.recipes import Letter, Recipe


def compose(recipe: Recipe, letter: Letter, parcel_id: str) -> Parcel:
    """The message as its recipient gets it."""

    def part(file: str) -> str:
        return _render(f"{recipe.name}/{file}", letter.values).strip()

    to, text = letter.to or "", part("body.txt")
    if recipe.channel == SMS:
        return Parcel(parcel_id, SMS, to, "", text, None)
    subject = texts.led(" ".join(part("subject.txt").split()), get_locale().text_direction)
    return Parcel(parcel_id, recipe.channel, to, subject, text + "\n", part("body.html") + "\n")


def _render(file: str, values: Mapping[str, object]) -> str:
    every = {
        "locale": get_locale(),
        "portal_name": texts.apart(setting("PORTAL_NAME")),
        "public_url": setting("PUBLIC_URL"),
        "help_phone": setting("HELP_PHONE"),
        "help_email": setting("HELP_EMAIL"),
        "setting": setting,
        "moment": phrases.moment,
        "hour": phrases.hour,
        "duration": phrases.duration,
    }
    return _templates().get_template(file).render(every | dict(values))


@cache
def _templates() -> Folding:
    environment = Folding(
        loader=PackageLoader("portal", "templates/mail"),
        autoescape=select_autoescape(["html"]),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    return environment
