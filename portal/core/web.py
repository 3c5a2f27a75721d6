"""How the portal answers: headers on everything, words on every page; and who asks, from where."""

import hashlib
import logging
import secrets
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_babel import Babel
from werkzeug.routing import RequestRedirect

from portal.core import phrases
from portal.core.settings import setting

log = logging.getLogger("latchkey")
YEAR = 31_536_000
REQUEST_BYTES = 8
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


def init_app(app: Flask) -> None:
    """Gives `app` its languages, headers and access log."""
    Babel(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.get_send_file_max_age = _static_age  # type: ignore[assignment, method-assign]
    app.before_request(_start)
    app.after_request(_finish)
    app.context_processor(_on_every_page)
    logging.getLogger("werkzeug").addFilter(lambda record: " - - [" not in record.getMessage())


def _static_age(path: str | None) -> int:
    """A year for what changes its URL with its content, and for fonts, which never change."""
    return YEAR if "v" in request.args or (path or "").startswith(("fonts/", "uploads/")) else 0


def _start() -> None:
    g.started = perf_counter()
    g.request_id = secrets.token_hex(REQUEST_BYTES)


def _finish(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if isinstance(request.routing_exception, RequestRedirect):
        answer.location = _path_of(request.routing_exception.new_url)
    secret_path = "token" in (request.view_args or {})
    answer.headers["Referrer-Policy"] = "no-referrer" if secret_path else "same-origin"
    if setting("PUBLIC_URL").startswith("https://"):
        answer.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    spent = (perf_counter() - g.get("started", perf_counter())) * 1000
    route = request.url_rule.rule if request.url_rule else "-"
    told = request.method, route, answer.status_code, spent, request_id()
    log.info("%s %s %s %.0f ms %s", *told)
    return answer


def request_id() -> str:
    """Under which this request stands in the log, and what it does among the events."""
    return str(g.get("request_id", ""))


def _path_of(url: str) -> str:
    """Without scheme and host: behind a proxy ours is http, and a body must not go that way."""
    return urlsplit(url)._replace(scheme="", netloc="").geturl()


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
        "hour": phrases.hour,
    }


def asset(path: str) -> str:
    """The URL of a static file; it changes with the content and may be cached for a year."""
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
    return origin == setting("PUBLIC_URL") or origin.partition("://")[2] == request.host


def network() -> str:
    """Where the request comes from, as a network: /24 (IPv4) or /64 (IPv6)."""
    address = _address(client_address())
    if address is None:
        return "unknown"
    return str(ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False))


def client_address() -> str:
    """The nearest address that is no trusted proxy's; claims further left are ignored."""
    claimed = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    hop = request.remote_addr or ""
    for before in reversed(claimed):
        if not _is_proxy(hop) or not before:
            return hop
        hop = before
    return hop


def is_from_here() -> bool:
    """Asked by this machine itself, and not through a proxy on it."""
    names = [name for name, _value in request.headers]
    forwarded = any(name == "Forwarded" or name.startswith("X-Forwarded-") for name in names)
    address = _address(request.remote_addr or "")
    return address is not None and address.is_loopback and not forwarded


def _is_proxy(text: str) -> bool:
    address = _address(text)
    return address is not None and any(
        address in ip_network(each) for each in setting("TRUSTED_PROXIES")
    )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address; a server that listens on both kinds tells IPv4 as IPv6, and it is told apart."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
