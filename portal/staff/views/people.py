"""Finding people, and what happened to their accounts."""

from flask import Blueprint

from portal.accounts import guards

bp = Blueprint("desk_people", __name__, url_prefix="/admin/people")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("people:read"))
