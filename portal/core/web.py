"""How the portal answers: headers on everything, words on every page; and who asks, from where."""

from ipaddress import ip_network
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface
from flask.templating import Environment
from flask_babel import Babel
from flask_wtf.csrf import generate_csrf
from itsdangerous import URLSafeTimedSerializer
from werkzeug.routing import RequestRedirect

from portal.core import access, assets, choices, phrases
from portal.core.folding import Folding
from portal.core.settings import setting

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
    "Cache-Control": "no-store",
}


class Pages(Folding, Environment):
    """Templates as Flask makes them."""


class Cookies(SecureCookieSessionInterface):
    """What the browser keeps for us, signed by Flask, with one signer for all requests."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The key is read at start, and stays."""
        if "signer" not in app.extensions:
            app.extensions["signer"] = super().get_signing_serializer(app)
        return app.extensions["signer"]


def init_app(app: Flask) -> None:
    """Gives `app` its languages and headers."""
    app.jinja_environment = Pages
    app.session_interface = Cookies()
    Babel(app)
    app.jinja_env.globals.update(
        asset=assets.asset,
        csrf_token=csrf_token,
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


def _finish(answer: Response) -> Response:
    own = {name.lower() for name, _value in answer.headers}
    answer.headers.extend([each for each in HEADERS.items() if each[0].lower() not in own])
    if isinstance(request.routing_exception, RequestRedirect):
        answer.location = _path_of(request.routing_exception.new_url)
    secret_path = "token" in (request.view_args or {})
    answer.headers["Referrer-Policy"] = "no-referrer" if secret_path else "same-origin"
    if setting("PUBLIC_URL").startswith("https://"):
        answer.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    return answer


def _path_of(url: str) -> str:
    """Without scheme and host: behind a proxy ours is http, and a body must not go that way."""
    return urlsplit(url)._replace(scheme="", netloc="").geturl()


def csrf_token() -> str:
    """One a page, however many forms stand on it."""
    return str(g.get("csrf_token") or generate_csrf())


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
