"""Finding people, and what happened to their accounts."""

from flask import Blueprint, render_template, request
from flask_login import current_user

from portal.accounts import guards
from portal.accounts.service import looking
from portal.staff import person as persons
from portal.staff import search
from portal.staff.forms import act_forms

bp = Blueprint("desk_people", __name__, url_prefix="/admin/people")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("people:read"))


@bp.get("")
def people():
    typed, after = request.args.get("q", ""), request.args.get("after")
    found = search.results(typed, after)
    return render_template("staff/people.html", q=typed, after=after, found=found)


@bp.get("/<uuid:uuid>")
def person(uuid):
    found = persons.of(uuid)
    looking.opened(found, current_user.person, guards.by_desk("", "", ""))
    show, before = request.args.get("show", ""), request.args.get("before", type=int)
    page = request.args.get("page", 1, type=int)
    facts = persons.facts(found, current_user.person, show, before, page)
    return render_template("staff/person.html", forms=act_forms(facts["offered"]), **facts)
