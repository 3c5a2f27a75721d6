"""Who is staff, and what each role may do."""

from flask import Blueprint, flash, redirect, request
from flask_babel import gettext as _
from flask_login import current_user

from portal.accounts import guards, roles
from portal.accounts.service import staffing
from portal.staff import team
from portal.staff.forms import InviteForm, RoleForm

PAGE = "/admin/staff"
CHANGE = "staff:change"

bp = Blueprint("desk_team", __name__, url_prefix=PAGE)
bp.before_request(guards.of_desk)
bp.before_request(guards.having("staff:read"))


@bp.before_request
def may_change():
    """Reading is for all staff, whatever is sent here for admins."""
    if request.method == "POST":
        roles.check(current_user.person, CHANGE)


@bp.get("")
def show():
    form = InviteForm.read()
    role, _space, form.email.data = guards.remembered(PAGE).partition(" ")
    form.role.data = role or None
    return _page(form)


@bp.post("")
def invite():
    form = InviteForm.read()
    if form.validate_on_submit():
        if stopped := guards.unconfirmed(PAGE, f"{form.role.data} {form.email.data}"):
            return stopped
        with form.reporting():
            typed = form.email.data, form.role.data
            email = staffing.invite(*typed, current_user.person, _by())
            flash(_("%(email)s is invited. The email is on its way.", email=email), "ok")
            return redirect(PAGE, 303)
    return _page(form)


@bp.post("/invitations/<int:invitation>/withdraw")
def withdraw(invitation):
    form = InviteForm.read()
    if form.validate_on_submit():
        with form.reporting():
            email = staffing.withdraw(invitation, current_user.person, _by())
            flash(_("The invitation of %(email)s is withdrawn.", email=email), "ok")
            return redirect(PAGE, 303)
    return _page(form)


@bp.route("/<uuid:uuid>/role", methods=["GET", "POST"])
def role(uuid):
    form, person = RoleForm.read(), team.colleague(current_user.person, uuid)
    if stopped := guards.interrupted(request.path):
        return stopped
    if form.validate_on_submit():
        with form.reporting():
            by = guards.by_desk("", form.reason.data or "", form.ticket.data or "")
            staffing.change_role(person, form.role.data, current_user.person, by)
            flash(_("The role is changed. The email about it is on its way."), "ok")
            return redirect(PAGE, 303)
    if not form.is_submitted():
        form.role.data = person.role
    return form.page("staff/role.html", person=person, path=request.path)


def _by():
    return guards.by_desk("", "", "")


def _page(form):
    return form.page("staff/team.html", **team.facts(current_user.person))
