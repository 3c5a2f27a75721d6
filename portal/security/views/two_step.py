"""Pages on which people turn their two-step sign-in on and off."""

from flask import Blueprint, flash, make_response, redirect, render_template, session
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import cookies, guards, roles
from portal.core import clock, phrases
from portal.security.forms import CodeForm, KeptForm, ProofForm
from portal.security.service import set_up as setting_up
from portal.security.service import two_step as stories
from portal.security.service.showing import Proof

bp = Blueprint("two_step", __name__, url_prefix="/security/two-step")
HERE = "/security/two-step"
SET_UP, CODES = f"{HERE}/set-up", f"{HERE}/codes"
bp.before_request(guards.signed_in)


@bp.get("")
def overview():
    return render_template("security/two_step.html", now=stories.standing(current_user.person))


@bp.route("/set-up", methods=["GET", "POST"])
def set_up():
    if stopped := guards.unconfirmed(SET_UP):
        return stopped
    form, shown = CodeForm.read(), setting_up.shown(current_user.session, guards.by())
    if form.validate_on_submit():
        with form.reporting():
            turned = setting_up.confirm(current_user.session, form.code.data, guards.by())
            return _to_codes(turned, shown.replacing)
    needed = roles.is_staff(current_user.person)
    return form.page("security/two_step_set_up.html", shown=shown, needed=needed)


@bp.route("/codes", methods=["GET", "POST"])
def codes():
    form, kept = KeptForm.read(), _kept()
    if not kept:
        return redirect(HERE, 303)
    if form.validate_on_submit():
        with form.reporting():
            stories.put_away(form.kept.data)
            session.pop("backup-codes")
            return redirect(session.pop("after-codes", HERE), 303)
    return form.page("security/two_step_codes.html", codes=kept, today=clock.now())


@bp.get("/codes.txt")
def codes_txt():
    kept = _kept()
    if not kept:
        return redirect(HERE, 303)
    whose = _("Backup codes for %(address)s", address=current_user.person.email)
    answer = make_response("\n".join([whose, phrases.day(clock.now()), "", *kept, ""]))
    answer.mimetype = "text/plain"
    answer.headers["Content-Disposition"] = 'attachment; filename="backup-codes.txt"'
    return answer


@bp.route("/replace", methods=["GET", "POST"])
def replace():
    def act(proof):
        stories.replace(current_user.session, proof, guards.by())
        return redirect(SET_UP, 303)

    return _with_proof("security/two_step_replace.html", act)


@bp.route("/new-codes", methods=["GET", "POST"])
def new_codes():
    def act(proof):
        _keep(stories.new_codes(current_user.session, proof, guards.by()), HERE)
        return redirect(CODES, 303)

    return _with_proof("security/two_step_new_codes.html", act)


@bp.route("/off", methods=["GET", "POST"])
def off():
    def act(proof):
        stories.off(current_user.session, proof, guards.by())
        flash(_("Two-step sign-in is off."), "ok")
        return redirect(HERE, 303)

    return _with_proof("security/two_step_off.html", act)


def _with_proof(template, act):
    """A page that wants password and second factor; there for those who have one."""
    form, person = ProofForm.read(), current_user.person
    if person.two_step_at is None:
        return redirect(HERE, 303)
    if form.validate_on_submit():
        with form.reporting():
            return act(Proof(form.password.data, form.code.data, cookies.known_device()))
    return form.page(template, address=person.email, needed=roles.is_staff(person))


def _to_codes(turned, replaced):
    answer = cookies.renew(redirect(CODES, 303), turned.secret, current_user.session.kept)
    starts_work = roles.is_staff(current_user.person) and not replaced
    _keep(turned.codes, "/admin" if starts_work else HERE)
    flash(_("The app is replaced.") if replaced else _("Two-step sign-in is on."), "ok")
    return answer


def _keep(codes, after):
    """`after`: where whoever has put them away goes on."""
    session["backup-codes"] = stories.sealed(codes, current_user.session)
    session["after-codes"] = after


def _kept():
    return stories.opened(session.get("backup-codes", ""), current_user.session)
