"""Pages on which people guard their account."""

from flask import Blueprint, flash, redirect, render_template
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from portal.accounts import guards
from portal.security import service
from portal.security.forms import PasswordForm

bp = Blueprint("security", __name__, url_prefix="/security")
bp.before_request(guards.signed_in)


@bp.get("")
def overview():
    person = current_user.person
    devices = service.live_sign_ins(person)
    return render_template(
        "security/overview.html", changed_at=person.password_changed_at, devices=devices
    )


@bp.route("/password", methods=["GET", "POST"])
def password():
    form, person = PasswordForm(), current_user.person
    if form.validate_on_submit():
        typed = form.old_password.data, form.password.data, form.confirm_password.data
        change = service.Change(*typed, guards.known_device())
        with form.reporting():
            secret, ended = service.change_password(current_user.session, change, guards.by())
            flash(_changed(ended), "ok")
            return guards.renew(
                redirect("/security/password", 303), secret, current_user.session.kept
            )
    return form.page(
        "security/password.html", address=person.email, changed_at=person.password_changed_at
    )


def _changed(ended):
    if not ended:
        return _("Your password is changed.")
    words = "Your password is changed. We signed you out on %(num)d other device."
    return ngettext(
        words, "Your password is changed. We signed you out on %(num)d other devices.", ended
    )
