"""The page of deleting one's account."""

from flask import Blueprint, flash, redirect
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import cookies, guards
from portal.core import phrases
from portal.security.forms import DeleteForm
from portal.security.service import leaving

bp = Blueprint("leaving", __name__, url_prefix="/security")
bp.before_request(guards.signed_in)


@bp.route("/delete", methods=["GET", "POST"])
def delete():
    form = DeleteForm.read()
    if form.validate_on_submit():
        typed = form.password.data, cookies.known_device()
        with form.reporting():
            until = leaving.delete(current_user.session, *typed, guards.by())
            day = phrases.day(until)
            flash(_("Your account is deleted. Sign in before %(day)s to keep it.", day=day), "ok")
            return cookies.let_out(redirect("/sign-in", 303))
    return form.page("security/delete.html", address=current_user.person.email)
