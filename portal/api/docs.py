"""What there is, for those who write programs: the document, and the same as a page."""

from collections.abc import Sequence

from flask import Blueprint, Flask, Response, current_app, jsonify, request

from portal.api import openapi, reference
from portal.api.families import Family
from portal.core import phrases, shapes, web
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
    return _public(jsonify(openapi.document(current_app.extensions["api_families"])))


@bp.get("/api/docs")
def page():
    """Rendered without what every other page has: that comes from cookies, and nothing here may."""
    told = openapi.document(current_app.extensions["api_families"])
    values = {
        "theme": "",
        "asset": web.asset,
        "setting": setting,
        "duration": phrases.duration,
        "portal_name": setting("PORTAL_NAME"),
        "help_phone": setting("HELP_PHONE"),
        "help_email": setting("HELP_EMAIL"),
        "site": setting("PUBLIC_URL"),
        "families": reference.families(told),
    }
    template = current_app.jinja_env.get_template("api/docs.html")
    return _public(Response(template.render(values), mimetype="text/html"))


def _public(answer: Response) -> Response:
    answer.headers.update(KEPT)
    answer.add_etag()
    answer.make_conditional(request)
    return answer
