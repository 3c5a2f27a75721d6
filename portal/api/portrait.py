"""How a profile is written for programs: unset is null, and pictures have whole addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.api.schemas import Schema, fields, maybe, text
from portal.core.settings import setting
from portal.profile import service
from portal.profile.links import PLATFORMS
from portal.profile.pictures import SIZES

if TYPE_CHECKING:
    from portal.accounts.models import Person

URL = "https://accounts.example.org/pictures/5f0c9a7e41d2b8836c1f7d20ae94b365"
LINK = {
    "website": "https://ann.example.org/",
    "github": "https://github.com/ann",
    "mastodon": "https://fosstodon.org/@ann",
}
SECTIONS: dict[str, Schema] = {
    "full_name": text("Ann Miller", longest="FULL_NAME_MAX_LENGTH"),
    "username": maybe(text("ann.miller", "Nobody else's.", longest="USERNAME_MAX_LENGTH")),
    "job_title": maybe(text("Baker", longest="LINE_MAX_LENGTH")),
    "organisation": maybe(text("Loaf & Sons", longest="LINE_MAX_LENGTH")),
    "city": maybe(text("Zürich", longest="LINE_MAX_LENGTH")),
    "country": maybe(text("CH", "An ISO 3166-1 alpha-2 code.")),
    "bio": maybe(text("I bake.\nAnd I run.", "Plain text.", longest="BIO_MAX_LENGTH")),
}
