"""Pages between password and being signed in: half a sign-in opens them, and nothing else."""

from flask import Blueprint, flash, redirect
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from portal.accounts import cookies, guards
from portal.accounts.service import sign_in as signing_in
from portal.security.forms import BackupForm, CodeForm
from portal.security.service import second_step as stories

bp = Blueprint("second_step", __name__, url_prefix="/sign-in")


@bp.route("/second-step", methods=["GET", "POST"])
def app():
    form, half = CodeForm.read(), cookies.half()
    if half is None:
        return redirect("/sign-in", 303)
    if form.validate_on_submit():
        typed = form.code.data, cookies.known_device()
        with form.reporting():
            return _enter(stories.by_app(half, *typed, guards.by()))
    return form.page("security/second_step.html")


@bp.route("/backup", methods=["GET", "POST"])
def backup():
    form, half = BackupForm.read(), cookies.half()
    if half is None:
        return redirect("/sign-in", 303)
    if form.validate_on_submit():
        typed = form.code.data, cookies.known_device()
        with form.reporting():
            signed = stories.by_backup_code(half, *typed, guards.by())
            _warn(stories.left(half.person))
            return _enter(signed)
    return form.page("security/backup.html", left=stories.left(half.person))


def _enter(signed):
    """Whoever was signed in here before is not any more."""
    target = cookies.half_target()
    if current_user.is_authenticated:
        signing_in.sign_out(current_user.session, guards.by())
    return cookies.let_in(redirect(target, 303), signed)


def _warn(left):
    if left > stories.few():
        return
    words = ngettext(
        "You have %(num)d backup code left.", "You have %(num)d backup codes left.", left
    )
    flash(f"{words} {_('Make new ones under Two-step sign-in.')}", "warn")
