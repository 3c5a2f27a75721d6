"""How messages are getting on."""

from flask import Blueprint, render_template, request

from portal.accounts import guards
from portal.staff import post

bp = Blueprint("desk_deliveries", __name__, url_prefix="/admin/deliveries")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("deliveries:read"))


@bp.get("")
def deliveries():
    state, channel = request.args.get("state", ""), request.args.get("channel", "")
    leaf = post.troubled(state, channel, request.args.get("before", type=int))
    return render_template(
        "staff/deliveries.html", roads=post.roads(), many=post.MANY, states=post.STATES, leaf=leaf
    )
