"""The mailbox of a try-out, for people (HTML) and tests (JSON)."""

from flask import Blueprint, Response, abort, jsonify, render_template

from portal.core import web
from portal.core.safety import is_loopback
from portal.core.settings import setting
from portal.delivery import mailbox as caught

bp = Blueprint("delivery", __name__, url_prefix="/dev")


@bp.before_request
def only_here():
    """Nobody but this machine, and nobody who came through a proxy, sees other people's mail."""
    shown = setting("EMAIL_BACKEND") == "mailbox" and is_loopback(setting("PUBLIC_URL"))
    if not shown or not web.is_from_here():
        abort(404)


@bp.get("/mailbox")
def mailbox():
    return render_template("delivery/mailbox.html", messages=caught.newest())


@bp.get("/mailbox.json")
def mailbox_json():
    return jsonify([_shown(each) for each in caught.newest()])


@bp.get("/mailbox/<int:caught_id>")
def message(caught_id):
    """The HTML part as a mail program would show it: its own inline styles, and nothing else."""
    mail = caught.get(caught_id) or abort(404)
    answer = Response(mail.html or abort(404), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    return answer


def _shown(mail):
    fields = "to", "channel", "subject", "text", "html"
    return {name: getattr(mail, name) for name in fields} | {"sent_at": mail.sent_at.isoformat()}
