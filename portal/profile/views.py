"""The page on which people say who they are, one form a section."""

from flask import Blueprint, Response, abort, flash, redirect
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import guards
from portal.core import web
from portal.core.forms import PortalForm
from portal.profile import service, stores
from portal.profile.forms import (
    BioForm,
    LocationForm,
    NameForm,
    PictureForm,
    SocialLinksForm,
    WorkForm,
)

bp = Blueprint("profile", __name__, url_prefix="/profile")
bp.before_request(guards.signed_in)
pictures = Blueprint("pictures", __name__, url_prefix="/pictures")


@bp.get("")
def show():
    return _page(PortalForm(formdata=None))


@bp.post("/name")
def name():
    return _saving(NameForm())


@bp.post("/work")
def work():
    return _saving(WorkForm())


@bp.post("/location")
def location():
    return _saving(LocationForm())


@bp.post("/social-links")
def social_links():
    return _saving(SocialLinksForm())


@bp.post("/bio")
def bio():
    return _saving(BioForm())


@bp.post("/picture")
def picture():
    form = PictureForm()
    if form.validate_on_submit():
        upload = service.Upload(form.sent(), form.crop.data)
        with form.reporting():
            service.change(current_user.person, {}, guards.by(), upload)
            return _saved(
                _("Your picture is saved. It can take a few minutes to change everywhere.")
            )
    return _page(form)


@bp.post("/picture/remove")
def remove_picture():
    form = PortalForm()
    if form.validate_on_submit():
        service.remove_picture(current_user.person, guards.by())
        return _saved(_("Your picture is removed."))
    return _page(form)


@pictures.get("/<string:name>/<int:size>")
def file(name, size):
    """A picture's name is random and its content never changes, so that caches may keep it."""
    found = stores.read(name, size) or abort(404)
    answer = Response(found, mimetype="image/webp")
    answer.headers["Cache-Control"] = f"public, max-age={web.YEAR}, immutable"
    return answer


def _saving(form):
    if form.validate_on_submit():
        with form.reporting():
            service.change(current_user.person, form.typed(), guards.by())
            return _saved(_("Your profile is saved."))
    return _page(form)


def _saved(words):
    flash(words, "ok")
    return redirect("/profile", 303)


def _page(sent):
    """The whole page: what was sent as it was typed, every other section as it is kept."""
    person, profile = current_user.person, service.read(current_user.person)
    kept = {
        "name_form": (NameForm, {"full_name": person.full_name, "username": person.username or ""}),
        "work_form": (
            WorkForm,
            {"job_title": profile.job_title, "organisation": profile.organisation},
        ),
        "location_form": (LocationForm, {"city": profile.city, "country": profile.country}),
        "links_form": (SocialLinksForm, profile.links),
        "bio_form": (BioForm, {"bio": profile.bio}),
        "picture_form": (PictureForm, {}),
    }
    forms = {
        key: sent if isinstance(sent, kind) else kind(formdata=None, **values)
        for key, (kind, values) in kept.items()
    }
    return sent.page("profile/show.html", profile=person, initials=person.initials, **forms)
