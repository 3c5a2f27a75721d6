"""Everything that speaks JSON, in one list."""

from flask import Blueprint, Flask, jsonify

from portal.api import auth, cors, docs, profile, sessions
from portal.api.canonical import V1
from portal.api.dialects import (
    bare,
    enveloped,
    enveloped_recovery,
    slashed,
    slashed_auth,
    slashed_profile,
    slashed_recovery,
    timestamped,
)
from portal.api.families import Family
from portal.core import signing
from portal.core.settings import Refused, setting

MODULES = (
    auth,
    profile,
    sessions,
    enveloped_recovery,
    slashed_auth,
    slashed_recovery,
    slashed_profile,
)  # what they offer is opened with their family: importing them is all that it takes
DIALECTS: dict[str, Family] = {
    each.FAMILY.key: each.FAMILY for each in (timestamped, enveloped, slashed, bare)
}
NONE = "none"  # an empty setting is no setting
bp = Blueprint("api_public", __name__)


def init_app(app: Flask) -> None:
    """Opens the API's doors in `app`: the canonical one, and the families of API_FAMILIES."""
    with app.app_context():
        wanted = setting("API_FAMILIES")
    if unknown := set(wanted) - {*DIALECTS, NONE}:
        known = f"{','.join(DIALECTS)}, or {NONE}"
        raise Refused(f"API_FAMILIES: {min(unknown)} is no family. Use {known}.")
    opened = [V1, *(family for key, family in DIALECTS.items() if key in wanted)]
    for family in opened:
        family.register(app)
    docs.init_app(app, opened)
    app.register_blueprint(bp)
    cors.init_app(app)


@bp.get("/.well-known/jwks.json")
def jwks():
    """The keys by which others can verify our access tokens (RFC 7517)."""
    answer = jsonify(signing.public_keys())
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
