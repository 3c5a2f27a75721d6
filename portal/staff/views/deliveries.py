"""How messages are getting on."""

from flask import Blueprint

from portal.accounts import guards

bp = Blueprint("desk_deliveries", __name__, url_prefix="/admin/deliveries")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("deliveries:read"))
