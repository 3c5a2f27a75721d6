"""What people may say of themselves: one rule for each attribute, whichever door it comes through.

None and "" stand for nothing said.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _

from portal.accounts import names
from portal.core import texts
from portal.core.errors import Gather, Rejected, TooLong
from portal.core.settings import setting
from portal.profile import countries, links

LINKS = "social_links"


def tidied(typed: Mapping[str, Any], take: Gather) -> dict[str, Any]:
    """Each of these attributes as it is kept; `take` gathers what is refused."""
    single = {name: take(RULES[name], value) for name, value in typed.items() if name != LINKS}
    return single | ({LINKS: _links(typed[LINKS], take)} if LINKS in typed else {})


def _links(typed: Mapping[str, str | None] | None, take: Gather) -> dict[str, str]:
    """All there are: what is not among them is none any more."""
    found = {platform: take(_link, platform, each) for platform, each in (typed or {}).items()}
    return {platform: url for platform, url in found.items() if url}


def _link(platform: str, typed: str | None) -> str | None:
    field = f"{LINKS}.{platform}"
    if platform not in links.PLATFORMS:
        raise Rejected(field, "unknown", _("There is no such platform here."))
    try:
        return links.tidy(platform, typed or "")
    except Rejected as refused:
        raise Rejected(field, refused.code, refused.message) from None


def _line(field: str) -> Callable[[str | None], str]:
    return lambda typed: texts.line(field, typed, setting("LINE_MAX_LENGTH"))


def _country(typed: str | None) -> str:
    """An ISO 3166-1 alpha-2 code."""
    code = (typed or "").strip().upper()
    if code and not countries.is_code(code):
        raise Rejected("country", "no_country", _("Choose a country from the list"))
    return code


def _bio(typed: str | None) -> str:
    """Plain text, line breaks kept."""
    longest = setting("BIO_MAX_LENGTH")
    try:
        return texts.block("bio", typed, longest)
    except TooLong as refused:
        words = _(
            "Shorten your biography to %(longest)d characters. It has %(length)d.",
            longest=longest,
            length=refused.length,
        )
        raise Rejected("bio", refused.code, words) from None


RULES: dict[str, Callable[[Any], object]] = {
    "full_name": names.full_name,
    "username": names.username,
    "job_title": _line("job_title"),
    "organisation": _line("organisation"),
    "city": _line("city"),
    "country": _country,
    "bio": _bio,
}
