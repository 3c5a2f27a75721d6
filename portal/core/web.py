"""How the portal answers: headers on everything, words on every page; and who asks, from where."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask.templating import Environment
from flask_babel import Babel
from werkzeug.routing import RequestRedirect

from portal.core import access, assets, choices, phrases, stamps
from portal.core.folding import Folding
from portal.core.settings import setting

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

YEAR = 31_536_000
THEME = "theme"  # the cookie, set by the page's own script
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
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Pages(Folding, Environment):
    """Templates as Flask makes them."""


class Portal(Flask):
    """A Flask application whose views are plain functions."""

    jinja_environment = Pages

    def ensure_sync(self, func: Any) -> Any:
        """None is a coroutine: to look at each of them takes as long as most of them run."""
        return func


def init_app(app: Flask) -> None:
    """Gives `app` its languages and headers."""
    app.session_interface = stamps.Cookies()
    Babel(app)
    app.jinja_env.globals.update(
        asset=assets.asset,
        csrf_token=stamps.csrf_token,
        day=phrases.day,
        duration=phrases.duration,
        hour=phrases.hour,
        moment=phrases.moment,
        options=choices.options,
        setting=setting,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.after_request(_finish)
    app.context_processor(_on_every_page)
    with app.app_context():
        told = _with_headers(app.wsgi_app, setting("PUBLIC_URL"))
    app.wsgi_app = told  # type: ignore[method-assign,assignment]


def _with_headers(answers: WSGIApplication, url: str) -> WSGIApplication:
    """Adds what every answer says, where it does not say something else itself."""
    secure = {"Strict-Transport-Security": f"max-age={YEAR}; includeSubDomains"}
    ours = HEADERS | (secure if url.startswith("https://") else {})
    every = [(name, value, name.lower()) for name, value in ours.items()]

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *err: Any) -> Any:
            own = {name.lower() for name, _value in headers}
            more = [(name, value) for name, value, lower in every if lower not in own]
            return start(status, headers + more, *err)

        return answers(environ, begin)

    return answer


def _finish(answer: Response) -> Response:
    if isinstance(request.routing_exception, RequestRedirect):
        answer.location = _path_of(request.routing_exception.new_url)
    if request.view_args and "token" in request.view_args:
        answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _path_of(url: str) -> str:
    """Without scheme and host: behind a proxy ours is http, and a body must not go that way."""
    return urlsplit(url)._replace(scheme="", netloc="").geturl()


def theme() -> str:
    """The one that was chosen in this browser; "": its own."""
    chosen = request.cookies.get(THEME, "")
    return chosen if chosen in ("light", "dark") else ""


def _on_every_page() -> dict[str, str]:
    return {
        "portal_name": setting("PORTAL_NAME"),
        "help_phone": setting("HELP_PHONE"),
        "help_email": setting("HELP_EMAIL"),
        "theme": theme(),
    }


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
    address = access.address(client_address())
    if address is None:
        return "unknown"
    return str(ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False))


def client_address() -> str:
    """The nearest address that is no trusted proxy's; claims further left are ignored."""
    claimed = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    hop, proxies = request.remote_addr or "", setting("TRUSTED_PROXIES")
    for before in reversed(claimed):
        if not access.is_proxy(hop, proxies) or not before:
            return hop
        hop = before
    return hop


def is_from_here() -> bool:
    """Asked by this machine itself, and not through a proxy on it."""
    names = [name for name, _value in request.headers]
    forwarded = any(name == "Forwarded" or name.startswith("X-Forwarded-") for name in names)
    address = access.address(request.remote_addr or "")
    return address is not None and address.is_loopback and not forwarded
