"""What colleagues did."""

from flask import Blueprint

from portal.accounts import guards

bp = Blueprint("desk_log", __name__, url_prefix="/admin/log")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("log:read"))
