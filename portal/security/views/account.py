"""Pages on which people guard their account."""

from flask import Blueprint, flash, redirect, render_template, request, session
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import cookies, guards, phones
from portal.security.forms import CodeForm, ConfirmForm, EmailForm, PhoneForm
from portal.security.service import confirm as confirming
from portal.security.service import email as addresses
from portal.security.service import history
from portal.security.service import password as passwords
from portal.security.service import phone as numbers
from portal.security.service.showing import Proof

bp = Blueprint("security", __name__, url_prefix="/security")
PHONE, EMAIL = "/security/phone", "/security/email"
bp.before_request(guards.signed_in)


@bp.get("")
def overview():
    person = current_user.person
    devices = passwords.live_sign_ins(person)
    number = person.phone and phones.shown(person.phone)
    return render_template(
        "security/overview.html",
        changed_at=person.password_changed_at,
        devices=devices,
        number=number,
    )


@bp.route("/confirm", methods=["GET", "POST"])
def confirm():
    form, target = ConfirmForm.read(), cookies.local(request.args.get("next", ""), "/security")
    if form.validate_on_submit():
        proof = Proof(form.password.data, form.code.data, cookies.known_device())
        with form.reporting():
            confirming.confirm_by_either(current_user.session, proof, guards.by())
            return redirect(target, 303)
    return form.page("security/confirm.html", target=target, address=current_user.person.email)


@bp.route("/phone", methods=["GET", "POST"])
def phone():
    form = PhoneForm.read()
    if form.validate_on_submit():
        if stopped := guards.unconfirmed(PHONE, form.phone.data):
            return stopped
        with form.reporting():
            asked = numbers.ask(current_user.person, form.phone.data, guards.by())
            return _to_phone_code(asked)
    if not form.is_submitted():
        form.phone.data = guards.remembered(PHONE)
    return _phone_page(form)


@bp.route("/phone/code", methods=["GET", "POST"])
def phone_code():
    form, flow = CodeForm.read(), numbers.flow(current_user.person, session.get("phone"))
    if form.validate_on_submit():
        with form.reporting():
            numbers.confirm_code(current_user.person, flow.id, form.code.data, guards.by())
            flash(_("Your phone number is confirmed."), "ok")
            return redirect(PHONE, 303)
    return _phone_code_page(form, flow)


@bp.post("/phone/resend")
def phone_resend():
    form, flow = CodeForm.read(), numbers.flow(current_user.person, session.get("phone"))
    if form.validate_on_submit():
        with form.reporting():
            asked = numbers.resend(current_user.person, flow.id, guards.by())
            flash(_("We have sent a new message. Use the newest one."), "ok")
            return _to_phone_code(asked)
    return _phone_code_page(form, flow)


@bp.post("/phone/remove")
def phone_remove():
    form = PhoneForm.read()
    if not form.validate_on_submit():
        return _phone_page(form)
    if stopped := guards.unconfirmed(PHONE):
        return stopped
    numbers.remove(current_user.person, guards.by())
    flash(_("Your phone number is removed."), "ok")
    return redirect(PHONE, 303)


@bp.route("/email", methods=["GET", "POST"])
def email():
    form, person = EmailForm.read(), current_user.person
    if form.validate_on_submit():
        if stopped := guards.unconfirmed(EMAIL, form.email.data):
            return stopped
        with form.reporting():
            addresses.ask(person, form.email.data, guards.by())
            flash(_("We have written to both addresses. The change waits for the new one."), "ok")
            return redirect(EMAIL, 303)
    if not form.is_submitted():
        form.email.data = guards.remembered(EMAIL)
    return form.page("security/email.html", address=person.email)


@bp.get("/messages")
def messages():
    page = request.args.get("page", 1, type=int)
    return render_template(
        "security/messages.html", found=history.messages(current_user.person, page)
    )


def _to_phone_code(flow_id):
    session["phone"] = flow_id
    return redirect("/security/phone/code", 303)


def _phone_page(form):
    kept = current_user.person.phone
    number = kept and phones.shown(kept)
    return form.page("security/phone.html", number=number, offered=phones.offered())


def _phone_code_page(form, flow):
    number = phones.shown(current_user.person.phone_wanted)
    return form.page("security/phone_code.html", flow=flow, number=number)
