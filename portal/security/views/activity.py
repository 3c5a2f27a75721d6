"""The page of what happened to one's account."""

from flask import Blueprint, render_template, request
from flask_login import current_user

from portal.accounts import guards
from portal.security import activity

bp = Blueprint("activity", __name__, url_prefix="/security")
MOST = 50  # on one page
bp.before_request(guards.signed_in)


@bp.get("/activity")
def show():
    group, before = request.args.get("show", ""), request.args.get("before", type=int)
    leaf = activity.of_person(current_user.person.id, group, before, MOST)
    return render_template("security/activity.html", leaf=leaf, groups=activity.GROUPS)
