"""Who is staff, and what each role may do."""

from flask import Blueprint

from portal.accounts import guards

bp = Blueprint("desk_team", __name__, url_prefix="/admin/staff")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("staff:read"))
