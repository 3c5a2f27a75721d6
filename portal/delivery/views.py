"""The mailbox of a try-out, for people (HTML) and tests (JSON)."""

from ipaddress import ip_address

from flask import Blueprint, Response, abort, jsonify, render_template, request

from portal.core.safety import is_loopback
from portal.core.settings import setting
from portal.delivery import mailbox as caught

bp = Blueprint("delivery", __name__, url_prefix="/dev")


@bp.before_request
def only_here():
    """Nobody but this machine, and nobody who came through a proxy, sees other people's mail."""
    forwarded = any(
        name == "Forwarded" or name.startswith("X-Forwarded-") for name, _value in request.headers
    )
    local = ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104 - no address is no loopback
    if (
        setting("EMAIL_BACKEND") != "mailbox"
        or not is_loopback(setting("PUBLIC_URL"))
        or forwarded
        or not local
    ):
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
