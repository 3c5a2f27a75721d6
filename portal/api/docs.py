"""What there is, for those who write programs: the document, and the same as a page."""

from collections.abc import Callable, Sequence

from flask import Blueprint, Flask, Response, current_app, jsonify, request

from portal.api import openapi, reference
from portal.api.families import Family
from portal.core import assets, phrases, shapes
from portal.core.settings import setting

bp = Blueprint("api_docs", __name__)
KEPT = {"Cache-Control": "public, max-age=300"}


def init_app(app: Flask, families: Sequence[Family]) -> None:
    """Opens the two doors in `app`, which speak like the first of these families."""
    app.extensions["api_families"] = families
    app.register_blueprint(bp)
    shapes.speak(app, bp.name, families[0].refuse)


@bp.get("/api/v1/openapi.json")
def document():
    return _public("application/json", _document)


@bp.get("/api/docs")
def page():
    return _public("text/html", _page)


def _document() -> bytes:
    return jsonify(openapi.document(current_app.extensions["api_families"])).data


def _page() -> bytes:
    """Rendered without what every other page has: that comes from cookies, and nothing here may."""
    told = openapi.document(current_app.extensions["api_families"])
    values = {
        "theme": "",
        "asset": assets.asset,
        "setting": setting,
        "duration": phrases.duration,
        "portal_name": setting("PORTAL_NAME"),
        "help_phone": setting("HELP_PHONE"),
        "help_email": setting("HELP_EMAIL"),
        "site": setting("PUBLIC_URL"),
        "families": reference.families(told),
    }
    template = current_app.jinja_env.get_template("api/docs.html")
    return bytes(template.render(values), "utf-8")


def _public(kind: str, make: Callable[[], bytes]) -> Response:
    """Made once: it depends on the settings alone, and costs as much as ten other pages."""
    made = current_app.extensions.setdefault("api_told", {})
    if kind not in made:
        made[kind] = make()
    answer = Response(made[kind], mimetype=kind)
    answer.headers.update(KEPT)
    answer.add_etag()
    answer.make_conditional(request)
    return answer
