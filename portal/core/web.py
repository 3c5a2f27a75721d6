"""How the portal answers: headers, refusals as pages, who is asking from where."""

import hashlib
import logging
import secrets
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, render_template, request
from flask_babel import Babel
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from portal.core import clock, phrases
from portal.core.errors import KeptOut, LinkDead, NoFlow, NotAllowed, PortalError, Rejected, TooSoon
from portal.core.settings import setting

log = logging.getLogger("latchkey")
YEAR = 31_536_000
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
STATUS = {Rejected: 422, NotAllowed: 404, TooSoon: 429, LinkDead: 410, PortalError: 400}
STARTS = {"recovery": "/recover", "sign-up": "/sign-up"}


def init_app(app: Flask) -> None:
    """Gives `app` its languages, headers, access log and the pages of what went wrong."""
    Babel(app)
    app.jinja_env.add_extension("jinja2.ext.do")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(_start)
    app.after_request(_finish)
    app.context_processor(_on_every_page)
    app.register_error_handler(PortalError, on_portal_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_defect)
    logging.getLogger("werkzeug").addFilter(lambda record: " - - [" not in record.getMessage())


def _start() -> None:
    g.started = perf_counter()


def _finish(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    secret_path = "token" in (request.view_args or {})
    answer.headers["Referrer-Policy"] = "no-referrer" if secret_path else "same-origin"
    if setting("PUBLIC_URL").startswith("https://"):
        answer.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    spent = (perf_counter() - g.get("started", perf_counter())) * 1000
    route = request.url_rule.rule if request.url_rule else "-"
    log.info("%s %s %s %.0f ms", request.method, route, answer.status_code, spent)
    return answer


def _on_every_page() -> dict[str, object]:
    theme = request.cookies.get("theme", "")
    return {
        "portal_name": setting("PORTAL_NAME"),
        "help_phone": setting("HELP_PHONE"),
        "help_email": setting("HELP_EMAIL"),
        "theme": theme if theme in ("light", "dark") else "",
        "setting": setting,
        "asset": asset,
        "duration": phrases.duration,
        "day": phrases.day,
        "moment": phrases.moment,
    }


def asset(path: str) -> str:
    """The URL of a static file; it changes with the content, so that it may be cached for a year."""
    return f"/static/{path}?v={_version(Path(current_app.static_folder or '') / path)}"


@cache
def _version(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]


def same_origin() -> bool:
    """False when a browser says that the form stands on another site (Origin, RFC 6454).

    A page without referrer sends "null"; then Sec-Fetch-Site has to vouch for it.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    if origin == "null":
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    return origin == setting("PUBLIC_URL") or urlsplit(origin).netloc == request.host


def network() -> str:
    """Where the request comes from, as a network: /24 (IPv4) or /64 (IPv6)."""
    try:
        address = ip_address(client_address())
    except ValueError:
        return "unknown"
    return str(ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False))


def client_address() -> str:
    """The nearest address that is not a trusted proxy's: what clients claim further left is ignored."""
    claimed = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    hop = request.remote_addr or ""
    for before in reversed(claimed):
        if not _is_proxy(hop) or not before:
            return hop
        hop = before
    return hop


def _is_proxy(address: str) -> bool:
    try:
        asked = ip_address(address)
    except ValueError:
        return False
    return any(asked in ip_network(each) for each in setting("TRUSTED_PROXIES"))


def on_portal_error(err: PortalError) -> object:
    """The page for a story's refusal that no form reported."""
    if isinstance(err, NoFlow):
        return redirect(STARTS[err.message], 303)
    if isinstance(err, KeptOut):
        return _kept_out(err)
    if isinstance(err, LinkDead):
        page = _("This link no longer works"), err.message, STARTS[err.start], _("Send a new email")
        return render_template("errors/link_dead.html", **_named(*page)), 410
    status = next(STATUS[kind] for kind in type(err).__mro__ if kind in STATUS)
    return error_page(status)


def _kept_out(err: KeptOut) -> object:
    seconds = max(1, clock.seconds_until(err.retry_at))
    page = render_template("accounts/wait.html", message=err.message, seconds=seconds)
    return page, 429, {"Retry-After": str(seconds)}


def on_http_error(err: HTTPException) -> object:
    """The portal's own look for what Flask refuses."""
    if isinstance(err, RequestRedirect):
        return err
    kept = {name: value for name, value in err.get_headers() if name == "Allow"}
    return *error_page(err.code or 500), kept


def on_defect(err: Exception) -> object:
    """Something nobody foresaw: a reference for the person, the trace for the log."""
    reference = secrets.token_hex(4)
    log.error("defect %s on %s", reference, request.url_rule, exc_info=err)
    return error_page(500, reference)


def error_page(status: int, reference: str | None = None) -> tuple[str, int]:
    """One sentence on what happened, one on what to do, one link."""
    title, text = _words(status)
    page = _named(title, text, "/", _("Go to the start page"))
    return render_template("errors/error.html", status=status, reference=reference, **page), status


def _named(title: str, text: str, url: str, label: str) -> dict[str, str]:
    return {"title": title, "text": text, "action_url": url, "action_text": label}


def _words(status: int) -> tuple[str, str]:
    known = {
        403: (_("You may not open this page"), _("It belongs to somebody else, or needs other rights.")),
        404: (_("There is no such page"), _("Check the address, or start again from the start page.")),
        405: (_("This page cannot be used like that"), _("Open it from the start page and use its buttons.")),
        413: (_("That is too big"), _("Nothing was changed. Send less and try again.")),
        429: (_("Wait a little"), _("There were many requests from you. Try again in a few minutes.")),
        500: (_("Something went wrong here"), _("Nothing you typed was kept. Try again in a minute.")),
        503: (_("We cannot do this at the moment"), _("Nothing was changed. Try again in a minute.")),
    }
    return known.get(status, (_("We did not understand that"), _("Nothing was changed. Start again.")))
