"""The page on which people say who they are, one form a section."""

from flask import Blueprint, Response, abort, flash, g, redirect, request
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import guards
from portal.core import web
from portal.core.forms import PortalForm
from portal.profile import service, shown, stores
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


@bp.url_value_preprocessor
def _also(_endpoint, _values):
    """The page shows all of it: read when the guard asks who comes, not after that."""
    if request.method == "GET":
        g.also = service.ALSO


@bp.get("")
def show():
    return _page(PortalForm.empty())


@bp.post("/name")
def name():
    return _saving(NameForm.read())


@bp.post("/work")
def work():
    return _saving(WorkForm.read())


@bp.post("/location")
def location():
    return _saving(LocationForm.read())


@bp.post("/social-links")
def social_links():
    return _saving(SocialLinksForm.read())


@bp.post("/bio")
def bio():
    return _saving(BioForm.read())


@bp.post("/picture")
def picture():
    form = PictureForm.read()
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
    form = PortalForm.read()
    if form.validate_on_submit():
        service.remove_picture(current_user.person, guards.by())
        return _saved(_("Your picture is removed."))
    return _page(form)


@pictures.get("/<string:name>/<int:size>")
def file(name, size):
    """A picture's name is random and its content never changes, so that caches may keep it."""
    try:
        answer = _unchanged(name, size) or _whole(name, size)
    except OSError:
        later = {"Retry-After": str(service.AWAY_SECONDS)}
        return Response(status=503, headers=later, mimetype="text/plain")
    answer.headers["Cache-Control"] = f"public, max-age={web.YEAR}, immutable"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _unchanged(name, size):
    """Whoever has it already is told so, without a byte of it being read."""
    tag = _tag(name, size)
    if not request.if_none_match.contains_weak(tag) or not stores.exists(name, size):
        return None
    answer = Response(status=304)
    answer.set_etag(tag)
    return answer


def _whole(name, size):
    found = stores.read(name, size) or abort(404)
    answer = Response(found, mimetype="image/webp")
    answer.set_etag(_tag(name, size))
    return answer.make_conditional(request, accept_ranges=True, complete_length=len(found))


def _tag(name, size):
    return f"{name}-{size}"


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
    person = current_user.person
    return shown.page(sent, person, service.read(person))
