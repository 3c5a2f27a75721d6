"""Pages of signing up, signing in and signing out."""

from flask import Blueprint, flash, redirect, request, session
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import cookies, guards, proof
from portal.accounts.entry import Half
from portal.accounts.forms import CodeForm, SignInForm, SignUpForm
from portal.accounts.service import invited
from portal.accounts.service import sign_in as signing_in
from portal.accounts.service import sign_up as signing_up
from portal.codes import terms
from portal.core import entrances
from portal.core.errors import NotProven
from portal.core.forms import PortalForm

bp = Blueprint("accounts", __name__)
LONGEST_KEPT = 254  # of what was typed: the cookie has to stay small


@bp.get("/")
def home():
    return redirect("/profile" if current_user.is_authenticated else "/sign-in", 303)


@bp.route("/sign-up", methods=["GET", "POST"])
def sign_up():
    form = SignUpForm.read()
    if form.validate_on_submit():
        typed = form.email.data, form.password.data, form.confirm_password.data
        with form.reporting():
            wish = signing_up.Wish(form.full_name.data or "", *typed)
            how = terms.proof(proof.LINK)
            return _to_proof(signing_up.sign_up(wish, how, guards.by()), form.email.data)
    return entrances.page(form, "accounts/sign_up.html")


@bp.route("/sign-up/code", methods=["GET", "POST"])
def sign_up_code():
    form, flow = CodeForm.read(), signing_up.flow(session.get("sign-up"))
    if form.validate_on_submit():
        with form.reporting():
            signed = signing_up.confirm_code(
                flow.id, form.code.data, cookies.known_device(), guards.by()
            )
            return _enter(_proven(), signed)
    return _code_page(form, flow)


@bp.post("/sign-up/resend")
def sign_up_resend():
    form, flow = CodeForm.read(), signing_up.flow(session.get("sign-up"))
    if form.validate_on_submit():
        with form.reporting():
            address = session.get("sign-up-address")
            fresh = signing_up.resend(address, flow.id, guards.by())
            flash(_("We have sent a new email. Use the newest one."), "ok")
            return _to_proof(fresh, address)
    return _code_page(form, flow)


@bp.route("/sign-up/link/<string:token>", methods=["GET", "POST"])
def sign_up_link(token):
    form, address = PortalForm.read(), signing_up.of_link(token)
    if form.validate_on_submit():
        return _followed(
            signing_up.follow_link(
                token, session.get("sign-up"), cookies.known_device(), guards.by()
            )
        )
    return form.page("accounts/sign_up_link.html", address=address, path=request.path)


@bp.route("/sign-up/invitation/<string:token>", methods=["GET", "POST"])
def invitation(token):
    form, asked = PortalForm.read(), invited.of_link(token)
    if form.validate_on_submit():
        joined = invited.accept(token, guards.by())
        if joined.grant:
            session["grant"] = joined.grant
            return redirect("/auth/password-reset", 303)
        flash(_("You are %(role)s now. Sign in to begin.", role=joined.role), "ok")
        return redirect("/sign-in?next=/admin", 303)
    return form.page("accounts/invitation.html", asked=asked, path=request.path)


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in():
    form, target = SignInForm.read(), cookies.local(request.args.get("next", ""))
    if form.validate_on_submit():
        typed = form.email.data or "", form.password.data or "", form.remember.data
        session["address"] = typed[0].strip()[
            :LONGEST_KEPT
        ]  # to be there when it is asked for to get back in
        with form.reporting():
            signed = signing_in.sign_in(*typed, cookies.known_device(), guards.by())
            return _enter(redirect(target, 303), signed, target)
    return entrances.page(form, "accounts/sign_in.html", failed=form.refusal == 422)


@bp.errorhandler(NotProven)
def prove_first(err):
    return _to_proof(err.flow, request.form.get("email", ""))


@bp.post("/sign-out")
def sign_out():
    form = PortalForm.read()
    if not form.validate_on_submit():
        return form.page("accounts/sign_out.html")
    if current_user.is_authenticated:
        signing_in.sign_out(current_user.session, guards.by())
    flash(_("You are signed out."), "ok")
    return cookies.let_out(redirect("/sign-in", 303))


def _enter(answer, signed, target="/profile"):
    """Whoever was signed in here before is not any more; who needs a second step goes there."""
    if isinstance(signed, Half):
        return cookies.let_half_in(signed, target)
    if current_user.is_authenticated:
        signing_in.sign_out(current_user.session, guards.by())
    return cookies.let_in(answer, signed)


def _code_page(form, flow):
    address = session.get("sign-up-address", "")
    return form.page("accounts/sign_up_code.html", flow=flow, address=address)


def _to_proof(flow_id, address):
    session["sign-up"], session["sign-up-address"] = flow_id, (address or "").strip()
    return redirect("/sign-up/code", 303)


def _followed(result):
    if isinstance(result, str):
        session["grant"] = result
        return redirect("/auth/password-reset", 303)
    return _enter(_proven(), result)


def _proven():
    flash(_("Your address is confirmed. Welcome."), "ok")
    return redirect("/profile", 303)
