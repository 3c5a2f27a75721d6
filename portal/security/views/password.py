"""The page of changing one's password."""

from flask import Blueprint, flash, redirect, session
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from portal.accounts import cookies, guards
from portal.core.errors import CodeNeeded, Rejected
from portal.core.settings import setting
from portal.security.forms import CodedPasswordForm, PasswordForm
from portal.security.service import password as passwords

bp = Blueprint("password", __name__, url_prefix="/security/password")
PAGE = "/security/password"
bp.before_request(guards.signed_in)


@bp.route("", methods=["GET", "POST"])
def change():
    form = _form()
    if form.validate_on_submit():
        with form.reporting():
            mine = current_user.session
            secret, ended = passwords.change_password(mine, _typed(form), guards.by())
            flash(_changed(ended), "ok")
            return cookies.renew(redirect(PAGE, 303), secret, mine.kept)
    return _page(form)


@bp.post("/code")
def send_code():
    form = _form()
    if form.validate_on_submit():
        with form.reporting():
            device = cookies.known_device()
            session["step-up"] = passwords.send_code(current_user.session, device, guards.by())
            flash(_("We have sent a new email. Use the newest one."), "ok")
            return redirect(PAGE, 303)
    return _page(form)


@bp.errorhandler(CodeNeeded)
def type_the_code(err):
    """All that was typed is right, and the code is on its way: it is typed on the same page."""
    session["step-up"] = err.flow
    form = _form()
    form.refuse(Rejected("code", err.code, err.message))
    return _page(form)


def _form():
    return (
        CodedPasswordForm.read()
        if setting("REQUIRE_CODE_FOR_PASSWORD_CHANGE")
        else PasswordForm.read()
    )


def _typed(form):
    three = form.old_password.data, form.password.data, form.confirm_password.data
    code = form.code.data if "code" in form else None
    return passwords.Change(*three, cookies.known_device(), code, session.get("step-up"))


def _page(form):
    person = current_user.person
    flow = passwords.code_flow(current_user.session, session.get("step-up"))
    return form.page(
        "security/password.html",
        address=person.email,
        changed_at=person.password_changed_at,
        flow=flow,
    )


def _changed(ended):
    if not ended:
        return _("Your password is changed.")
    words = "Your password is changed. We signed you out on %(num)d other device."
    return ngettext(
        words, "Your password is changed. We signed you out on %(num)d other devices.", ended
    )
