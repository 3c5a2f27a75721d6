"""How a profile is written for programs: what is unset is null, pictures have whole addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.api.schemas import Schema, fields, maybe, text
from portal.core.settings import setting
from portal.profile import service
from portal.profile.links import PLATFORMS
from portal.profile.pictures import SIZES

if TYPE_CHECKING:
    from portal.accounts.models import Person

LINKS = {
    "website": "https://ann.example.org/",
    "github": "https://github.com/ann",
    "gitlab": "https://gitlab.com/ann",
    "linkedin": "https://linkedin.com/in/ann",
    "x": "https://x.com/ann",
    "mastodon": "https://fosstodon.org/@ann",
    "instagram": "https://instagram.com/ann",
    "youtube": "https://youtube.com/@ann",
}
FULL_NAME = text("Ann Miller", longest="FULL_NAME_MAX_LENGTH")
USERNAME = maybe(text("ann.miller", "Nobody else has it.", longest="USERNAME_MAX_LENGTH"))
JOB_TITLE = maybe(text("Baker", longest="LINE_MAX_LENGTH"))
ORGANISATION = maybe(text("Loaf & Sons", longest="LINE_MAX_LENGTH"))
CITY = maybe(text("Bath", longest="LINE_MAX_LENGTH"))
COUNTRY = maybe(text("GB", "A code of ISO 3166-1 alpha-2."))
SOCIAL_LINKS = fields(
    {name: maybe(text(LINKS[name], longest="LINK_MAX_LENGTH")) for name in PLATFORMS}
)
BIO = maybe(text("I bake.\nOn Sundays I run.", "Plain text.", longest="BIO_MAX_LENGTH"))
PICTURE = fields(
    picture=maybe(_url := text("https://accounts.example.org/pictures/5f0c9a7e/512", format="uri")),
    picture_sizes=maybe(
        fields(**{str(side): _url | {"description": f"{side} pixels a side."} for side in SIZES})
    ),
)
WHOLE = fields(
    email=text("ann@example.org", format="email"),
    full_name=maybe(FULL_NAME),
    username=USERNAME,
    job_title=JOB_TITLE,
    organisation=ORGANISATION,
    city=CITY,
    country=COUNTRY,
    social_links=SOCIAL_LINKS,
    bio=BIO,
    **PICTURE["properties"],
)


def whole(person: Person) -> dict[str, Any]:
    """All that GET /api/v1/profile tells."""
    profile = service.read(person)
    columns = "job_title", "organisation", "city", "country", "bio"
    return {
        "email": person.email,
        "full_name": person.full_name or None,
        "username": person.username,
        **{name: getattr(profile, name) or None for name in columns},
        "social_links": {name: profile.links.get(name) for name in PLATFORMS},
        **pictures(person),
    }


def part(person: Person, schema: Schema) -> dict[str, Any]:
    """Of all this what `schema` names."""
    return {name: told for name, told in whole(person).items() if name in schema["properties"]}


def pictures(person: Person) -> dict[str, Any]:
    """The picture's address, and those of all its sizes."""
    sizes = {str(side): picture(person, side) for side in SIZES} if person.picture else None
    return {"picture": picture(person), "picture_sizes": sizes}


def picture(person: Person, size: int = SIZES[0]) -> str | None:
    """The whole address of the square of `size` pixels a side; None without a picture."""
    return f"{setting('PUBLIC_URL')}{person.picture.url(size)}" if person.picture else None
