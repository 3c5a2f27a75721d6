"""The few pages that belong to no feature."""

from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request

from portal.core import clock, crypto, readiness, web
from portal.core import metrics as counted
from portal.core.safety import is_loopback
from portal.core.settings import setting

bp = Blueprint("core", __name__)


@bp.get("/healthz")
def healthz():
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
def readyz():
    """For balancers; a word for each part, and nothing that a stranger could use."""
    told = readiness.report(current_app)
    return told, 503 if told["status"] == readiness.NOT_READY else 200


@bp.get("/metrics")
def metrics():
    """For Prometheus; for everybody else it is not there."""
    if not _may_watch():
        abort(404)
    return Response(counted.text(current_app), content_type=counted.CONTENT_TYPE)


def _may_watch():
    """Who shows the token; of a portal that is for this machine alone, this machine as well.

    Elsewhere a proxy may pass everybody's requests on, and who came through it cannot be told.
    """
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    if setting("METRICS_TOKEN") and kind.lower() == "bearer":
        return crypto.same(token, setting("METRICS_TOKEN"))
    alone = is_loopback(setting("PUBLIC_URL")) and not setting("TRUSTED_PROXIES")
    return alone and web.is_from_here()


@bp.get("/privacy")
def privacy():
    return render_template("core/privacy.html")


@bp.get("/help")
def help():  # noqa: A001 - the page's name
    return render_template("core/help.html")


@bp.get("/.well-known/change-password")
def change_password():
    """For password managers (W3C, A Well-Known URL for Changing Passwords)."""
    return redirect("/security/password", 302)


@bp.get("/.well-known/security.txt")
def security_txt():
    """Whom to tell about a weakness (RFC 9116)."""
    contact = setting("HELP_EMAIL") or setting("EMAIL_FROM")
    expires = (clock.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    lines = f"Contact: mailto:{contact}", f"Expires: {expires}", "Preferred-Languages: en"
    return Response("\n".join(lines) + "\n", mimetype="text/plain")
