"""Pages of getting back in."""

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import cookies, guards, phones
from portal.accounts.service import sign_in
from portal.codes import terms
from portal.core import entrances
from portal.core.forms import PortalForm
from portal.delivery.parcels import SMS
from portal.recovery import service
from portal.recovery.forms import CodeForm, EitherForm, LinkForm, NewPasswordForm, StartForm
from portal.recovery.service import keeping, links, moving
from portal.recovery.service import not_you as noticed

bp = Blueprint("recovery", __name__)


@bp.route("/recover", methods=["GET", "POST"])
def start():
    sms = phones.offered()
    form = EitherForm.read() if sms else StartForm.read()
    if form.validate_on_submit():
        with form.reporting():
            return _to_code(form.identifier.data)
    if not form.is_submitted():
        form.identifier.data = session.get("address", "")
    return entrances.page(form, "recovery/start.html", sms=sms)


@bp.route("/recover/code", methods=["GET", "POST"])
def code():
    form, flow = CodeForm.read(), service.flow(session.get("recovery"))
    if form.validate_on_submit():
        with form.reporting():
            session["grant"] = service.confirm_code(flow.id, form.code.data, guards.by())
            return redirect("/auth/password-reset", 303)
    return _code_page(form, flow)


@bp.post("/recover/resend")
def resend():
    form, flow = CodeForm.read(), service.flow(session.get("recovery"))
    if form.validate_on_submit():
        with form.reporting():
            answer = _to_code(session.get("recovery-address", ""))
            flash(_sent_again(flow), "ok")
            return answer
    return _code_page(form, flow)


@bp.get("/recover/status")
def status():
    flow = service.flow(session.get("recovery"))
    shown = "state", "seconds_left", "total", "resend_in"
    return jsonify({name: getattr(flow, name) for name in shown})


@bp.route("/recover/link/<string:token>", methods=["GET", "POST"])
def link(token):
    form, address = LinkForm.read(), service.of_link(token)
    if not form.validate_on_submit():
        return form.page("recovery/link.html", address=address, path=request.path)
    if form.action.data == "show-code":
        shown = service.show_code(token, guards.by())
        return render_template("recovery/shown_code.html", shown=shown, address=address)
    session["grant"] = service.follow_link(token, guards.by())
    return redirect("/auth/password-reset", 303)


@bp.route("/recover/not-you/<string:token>", methods=["GET", "POST"])
def not_you(token):
    form, account = PortalForm.read(), noticed.of_notice(token)
    if not form.validate_on_submit():
        return form.page("recovery/not_you.html", account=account, path=request.path)
    noticed.press(token, guards.by())
    session["held"] = {"address": account.address, "has_phone": account.has_phone}
    return redirect("/recover/held", 303)


@bp.route("/recover/email/<string:token>", methods=["GET", "POST"])
def email(token):
    form, wish = PortalForm.read(), moving.of_link(token)
    if not form.validate_on_submit():
        return form.page("recovery/email.html", wish=wish, path=request.path)
    mine = current_user.session.id if current_user.is_authenticated else None
    moving.confirm(token, mine, guards.by())
    flash(_("Your email address is changed. Sign in with the new one from now on."), "ok")
    return redirect("/security" if mine else "/sign-in", 303)


@bp.route("/recover/keep-email/<string:token>", methods=["GET", "POST"])
def keep_email(token):
    form, change = PortalForm.read(), keeping.of_link(token)
    if not form.validate_on_submit():
        return form.page("recovery/keep_email.html", change=change, path=request.path)
    if keeping.stop(token, guards.by()):
        flash(_("Your email address is the old one again."), "ok")
        session["held"] = {"address": change.account, "has_phone": change.has_phone}
        return redirect("/recover/held", 303)
    flash(_("The change is stopped. Was it not you? Choose a new password now."), "ok")
    return redirect("/recover", 303)


@bp.get("/recover/held")
def held():
    if "held" not in session:
        return redirect("/recover", 303)
    return render_template("recovery/held.html", account=session["held"])


@bp.route("/auth/password-reset", methods=["GET", "POST"])
def new_password():
    form, address = NewPasswordForm.read(), service.granted_to(session.get("grant"))
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


def _code_page(form, flow):
    page = "recovery/code_sms.html" if flow.channel == SMS else "recovery/code.html"
    return form.page(page, flow=flow, address=session.get("recovery-address", ""))


def _sent_again(flow):
    if flow.channel == SMS:
        return _("We have sent a new message. Use the newest one.")
    return _("We have sent a new email. Use the newest one.")


def _out(answer):
    """Whoever was signed in here, with this account or another, is not any more."""
    if current_user.is_authenticated:
        sign_in.sign_out(current_user.session, guards.by())
    return cookies.let_out(answer)


def _to_code(identifier):
    flow_id = service.start(identifier, cookies.known_device(), terms.page(links.PATH), guards.by())
    session["recovery"] = flow_id
    session["recovery-address"] = session["address"] = (identifier or "").strip()
    return redirect("/recover/code", 303)
