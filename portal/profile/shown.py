"""The page on which people say who they are: drawn once, with gaps for what each of them said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import session

from portal.core import choices, web
from portal.core.forms import PortalForm
from portal.core.moulds import TOKEN, gap, pour
from portal.core.stamps import csrf_token
from portal.core.unsent import Unsent, pattern
from portal.profile import forms
from portal.profile.links import PLATFORMS

if TYPE_CHECKING:
    from portal.accounts.models import Person
    from portal.profile.models import Profile

TEMPLATE = "profile/show.html"
FORMS = {
    "name_form": forms.NameForm,
    "work_form": forms.WorkForm,
    "location_form": forms.LocationForm,
    "links_form": forms.SocialLinksForm,
    "bio_form": forms.BioForm,
    "picture_form": forms.PictureForm,
}
SIZES = 256, 96  # of the picture, where this page shows it
Page = str | tuple[str, int, dict[str, str]]


class _Anybody:
    """Who stands on the page while it is drawn."""

    full_name, initials = gap("called"), gap("initials")

    def __init__(self, pictured: bool) -> None:
        self.picture = self if pictured else None

    def url(self, size: int) -> str:
        """Where the picture is."""
        return gap(f"picture_{size}")


def page(sent: PortalForm | Unsent, person: Person, profile: Profile) -> Page:
    """What was sent as it was typed, every other section as it is kept."""
    said = _said(person, profile)
    if not isinstance(sent, Unsent) or "_flashes" in session:
        kept = {name: kind.empty(**said) for name, kind in FORMS.items()}
        own = {name: sent for name, kind in FORMS.items() if isinstance(sent, kind)}
        faces = {"profile": person, "initials": person.initials}
        return sent.page(TEMPLATE, **faces, **kept | own)
    pictured = person.picture is not None
    key = TEMPLATE, web.theme(), pictured
    return pour(key, lambda: _drawn(_Anybody(pictured)), said | _shown(person, profile))


def _said(person: Person, profile: Profile) -> dict[str, str | None]:
    """By the names of the fields."""
    columns = "job_title", "organisation", "city", "country", "bio"
    own = {"full_name": person.full_name, "username": person.username or ""}
    links = {name: profile.links.get(name, "") for name in PLATFORMS}
    return own | {name: getattr(profile, name) for name in columns} | links


def _shown(person: Person, profile: Profile) -> dict[str, object]:
    """What else stands in gaps; the country is one of a list."""
    (countries,) = (each for each in pattern(forms.LocationForm, ()) if each.choices)
    shown: dict[str, object] = {
        TOKEN: csrf_token(),
        "called": person.full_name or person.email,
        "initials": person.initials,
        countries.name: choices.options(countries.choices, profile.country),
    }
    picture = person.picture
    return shown | {f"picture_{size}": picture.url(size) for size in SIZES if picture}


def _drawn(anybody: _Anybody) -> str:
    gaps = {
        name: kind.empty(**{field.name: gap(field.name) for field in pattern(kind, ())})
        for name, kind in FORMS.items()
    }
    faces = {"me": anybody, "profile": anybody, "initials": anybody.initials}
    text, _status, _headers = PortalForm.empty().page(TEMPLATE, **faces, **gaps)
    return text
