"""How the portal is doing."""

from flask import Blueprint, render_template, request

from portal.accounts import guards
from portal.staff import numbers as sums

bp = Blueprint("desk_numbers", __name__, url_prefix="/admin")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("numbers:read"))


@bp.get("")
def numbers():
    days, channel = request.args.get("days"), request.args.get("channel")
    return render_template("staff/numbers.html", **sums.page(days, channel))
