"""Pages of getting back in."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import guards
from portal.accounts.service import sign_in
from portal.codes import terms
from portal.recovery import service
from portal.recovery.forms import CodeForm, LinkForm, NewPasswordForm, StartForm

bp = Blueprint("recovery", __name__)
LINK = "/recover/link/{token}"


@bp.route("/recover", methods=["GET", "POST"])
def start():
    form = StartForm()
    if form.validate_on_submit():
        with form.reporting():
            return _to_code(form.identifier.data)
    if not form.is_submitted():
        form.identifier.data = session.get("address", "")
    return form.page("recovery/start.html")


@bp.route("/recover/code", methods=["GET", "POST"])
def code():
    form, flow = CodeForm(), service.flow(session.get("recovery"))
    if form.validate_on_submit():
        with form.reporting():
            session["grant"] = service.confirm_code(flow.id, form.code.data, guards.by())
            return redirect("/auth/password-reset", 303)
    return form.page("recovery/code.html", flow=flow, address=session.get("recovery-address", ""))


@bp.post("/recover/resend")
def resend():
    form, flow = CodeForm(), service.flow(session.get("recovery"))
    if form.validate_on_submit():
        with form.reporting():
            answer = _to_code(session.get("recovery-address", ""))
            flash(_("We have sent a new email. Use the newest one."), "ok")
            return answer
    return form.page("recovery/code.html", flow=flow, address=session.get("recovery-address", ""))


@bp.get("/recover/status")
def status():
    flow = service.flow(session.get("recovery"))
    shown = "state", "seconds_left", "total", "resend_in"
    return jsonify({name: getattr(flow, name) for name in shown})


@bp.route("/recover/link/<string:token>", methods=["GET", "POST"])
def link(token):
    form, address = LinkForm(), service.of_link(token)
    if not form.validate_on_submit():
        return form.page("recovery/link.html", address=address, path=request.path)
    if form.action.data == "show-code":
        shown = service.show_code(token, guards.by())
        return render_template("recovery/shown_code.html", shown=shown, address=address)
    session["grant"] = service.follow_link(token, guards.by())
    return redirect("/auth/password-reset", 303)


@bp.route("/auth/password-reset", methods=["GET", "POST"])
def new_password():
    form, address = NewPasswordForm(), service.granted_to(session.get("grant"))
    if form.validate_on_submit():
        typed = form.password.data, form.confirm_password.data
        with form.reporting():
            service.set_password(session["grant"], *typed, guards.by())
            flash(
                _("Your password is changed. We signed you out everywhere and sent you an email."),
                "ok",
            )
            return _out(redirect("/sign-in", 303))
    return form.page("recovery/new_password.html", address=address)


def _out(answer):
    """Whoever was signed in here, with this account or another, is not any more."""
    if current_user.is_authenticated:
        sign_in.sign_out(current_user.session, guards.by())
    return guards.let_out(answer)


def _to_code(identifier):
    flow_id = service.start(identifier, guards.known_device(), terms.page(LINK), guards.by())
    session["recovery"] = flow_id
    session["recovery-address"] = session["address"] = (identifier or "").strip()
    return redirect("/recover/code", 303)
