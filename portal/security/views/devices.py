"""The page of where one is signed in."""

from flask import Blueprint, flash, redirect
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from portal.accounts import guards
from portal.core.forms import PortalForm
from portal.security.service import devices as sign_ins

bp = Blueprint("devices", __name__, url_prefix="/security/devices")
PAGE = "/security/devices"
bp.before_request(guards.signed_in)


@bp.get("")
def show():
    return _page(PortalForm.empty())


@bp.post("/<uuid:sid>/sign-out")
def sign_out(sid):
    form = PortalForm.read()
    if not form.validate_on_submit():
        return _page(form)
    if stopped := guards.unconfirmed(PAGE):
        return stopped
    device = sign_ins.end(current_user.session, sid, guards.by())
    words = _("%(device)s is signed out.", device=device)
    flash(words[:1].upper() + words[1:], "ok")
    return redirect(PAGE, 303)


@bp.post("/sign-out-others")
def sign_out_others():
    form = PortalForm.read()
    if not form.validate_on_submit():
        return _page(form)
    if stopped := guards.unconfirmed(PAGE):
        return stopped
    flash(_ended(sign_ins.end_others(current_user.session, guards.by())), "ok")
    return redirect(PAGE, 303)


def _page(form):
    found = sign_ins.sign_ins(current_user.person)
    mine = current_user.session.id
    return form.page("security/devices.html", found=found, mine=mine)


def _ended(count):
    if not count:
        return _("You were signed in on no other device.")
    return ngettext(
        "Signed out on %(num)d other device.", "Signed out on %(num)d other devices.", count
    )
