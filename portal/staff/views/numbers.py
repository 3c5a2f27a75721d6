"""How the portal is doing."""

from flask import Blueprint

from portal.accounts import guards

bp = Blueprint("desk_numbers", __name__, url_prefix="/admin")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("numbers:read"))
