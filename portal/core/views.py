"""The few pages that belong to no feature."""

from datetime import timedelta

from flask import Blueprint, Response, redirect, render_template

from portal.core import clock
from portal.core.settings import setting

bp = Blueprint("core", __name__)


@bp.get("/healthz")
def healthz():
    return Response("ok\n", mimetype="text/plain")


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
