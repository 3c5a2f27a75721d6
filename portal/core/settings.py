"""The only place that reads configuration, and the judge of whether it is safe to start with."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

from flask import Flask, current_app

import config

log = logging.getLogger("latchkey")
WEAK_SECRET_LENGTH = 32
SAFE_BCRYPT_COST = 10
DJANGO = "django.core.mail.backends."
PARSER_READS = 64 * 1024  # bytes that Werkzeug takes at once; it counts them like a field's


@dataclass(frozen=True)
class Danger:
    """A setting that is unsafe: why, and how to mend it."""

    name: str
    why: str
    cure: str
    always: bool = False  # refused everywhere; the others in production only

    def __str__(self) -> str:
        return f"{self.name}: {self.why} {self.cure}"


class Refused(SystemExit):
    """The portal does not start like this; each line names a setting and its cure."""


def setting(name: str) -> Any:
    """The typed value of a setting of config.py."""
    return current_app.config[name]


def init_app(app: Flask, source: Mapping[str, str] | None) -> None:
    """Reads every setting into `app`.  Raises Refused when the portal must not start with them."""
    values, broken = config.read(config.environment() if source is None else source)
    _derive(values)
    app.config.update(values)
    app.config.update(_flask(values))
    local = is_loopback(str(values["PUBLIC_URL"]))
    refused = broken + [str(each) for each in dangers(values) if each.always or not local]
    if refused:
        raise Refused("Latchkey does not start like this:\n  " + "\n  ".join(refused))
    if not values["THROTTLES"]:
        log.warning("THROTTLES are off: for benchmarks alone")


def _derive(values: dict[str, Any]) -> None:
    values["PUBLIC_URL"] = (values["PUBLIC_URL"] or f"http://127.0.0.1:{values['PORT']}").rstrip(
        "/"
    )
    url = _split(values["PUBLIC_URL"])
    if url.hostname:
        values["PUBLIC_URL"] = url._replace(netloc=url.netloc.lower()).geturl()
    host = url.hostname or ""
    values["ALLOWED_HOSTS"] = values["ALLOWED_HOSTS"] or (host, "127.0.0.1", "localhost")
    backend = values["EMAIL_BACKEND"]
    if backend.startswith(DJANGO):  # its dotted names are understood: smtp.EmailBackend is smtp
        values["EMAIL_BACKEND"] = backend.removeprefix(DJANGO).partition(".")[0]
    values["EMAIL_USE_SSL"] = values["EMAIL_USE_SSL"] and not values["EMAIL_USE_TLS"]
    values["EMAIL_FROM"] = values["EMAIL_FROM"] or values["EMAIL_HOST_USER"] or f"no-reply@{host}"
    if values["DATABASE_URL"].startswith(("postgres://", "postgresql://")):
        values["DATABASE_URL"] = (
            "postgresql+psycopg://" + values["DATABASE_URL"].partition("://")[2]
        )


def _flask(values: dict[str, Any]) -> dict[str, Any]:
    https = values["PUBLIC_URL"].startswith("https://")
    return {
        "SQLALCHEMY_DATABASE_URI": values["DATABASE_URL"],
        "TRUSTED_HOSTS": [] if "*" in values["ALLOWED_HOSTS"] else list(values["ALLOWED_HOSTS"]),
        "SESSION_COOKIE_NAME": "__Host-latchkey-form" if https else "latchkey-form",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "REMEMBER_COOKIE_NAME": "",  # none: one by this name would hide our own from Flask-Login
        "WTF_CSRF_TIME_LIMIT": values["CSRF_LIFETIME_SECONDS"],
        "MAX_CONTENT_LENGTH": values["BODY_MAX_BYTES"],
        "MAX_FORM_MEMORY_SIZE": values["BODY_MAX_BYTES"] + PARSER_READS,
        "MAX_FORM_PARTS": values["BODY_MAX_FIELDS"],
        "BABEL_DEFAULT_TIMEZONE": "UTC",
    }


def is_loopback(url: str) -> bool:
    """True for a site that only this machine can reach; any other is production."""
    host = _split(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def dangers(values: Mapping[str, Any]) -> list[Danger]:
    """What is unsafe in these settings, whether it is refused here or not."""
    return [*_secrets(values), *_addresses(values), *_modes(values)]


def _secrets(values: Mapping[str, Any]) -> list[Danger]:
    cure = "Set it to 32 random bytes or more; `python tools/write_env.py` writes such a .env."
    found = []
    for name in "SECRET_KEY", "PASSWORD_PEPPER":
        value = values[name]
        if not value:
            found.append(Danger(name, "is missing.", cure, always=True))
        elif len(value) < WEAK_SECRET_LENGTH or len(set(value)) < 12:
            found.append(Danger(name, "is too weak: short, or made of few characters.", cure))
    if values["SECRET_KEY"] and values["SECRET_KEY"] == values["PASSWORD_PEPPER"]:
        found.append(Danger("PASSWORD_PEPPER", "is the same as SECRET_KEY.", cure))
    return found


def _addresses(values: Mapping[str, Any]) -> list[Danger]:
    url = _split(values["PUBLIC_URL"])
    whole = "Give it like https://account.example.org, without a path."
    proxies = "Give networks like 10.0.0.0/8."
    is_site = url.hostname and values["PUBLIC_URL"] == f"{url.scheme}://{url.netloc}"
    is_site = is_site and url.scheme in ("http", "https") and "@" not in url.netloc
    wild = any("*" in host for host in values["ALLOWED_HOSTS"])
    found = [
        (is_site, Danger("PUBLIC_URL", "is no address of a site.", whole, always=True)),
        (url.scheme != "http", Danger("PUBLIC_URL", "is plain http.", "Serve it over https.")),
        (not wild, Danger("ALLOWED_HOSTS", "has a wildcard.", "List the host names you serve.")),
        (
            all(_is_network(each) for each in values["TRUSTED_PROXIES"]),
            Danger("TRUSTED_PROXIES", "has what is no network.", proxies, always=True),
        ),
    ]
    return [danger for fine, danger in found if not fine]


def _split(url: str) -> SplitResult:
    """The parts of an address, its scheme in small letters; of no address at all, none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _modes(values: Mapping[str, Any]) -> list[Danger]:
    mail = values["EMAIL_BACKEND"] in ("smtp", "mailbox")
    found = [
        (mail, Danger("EMAIL_BACKEND", "is not known.", "Use smtp or mailbox.", always=True)),
        (
            not values["DEBUG"],
            Danger("DEBUG", "shows the portal's inside to strangers.", "Set DEBUG=0."),
        ),
        (
            values["EMAIL_BACKEND"] != "mailbox",
            Danger("EMAIL_BACKEND", "is the mailbox: nobody gets mail.", "Set EMAIL_BACKEND=smtp."),
        ),
        (values["THROTTLES"], Danger("THROTTLES", "are off.", "Unset THROTTLES.")),
        (
            values["BCRYPT_COST"] >= SAFE_BCRYPT_COST,
            Danger(
                "BCRYPT_COST", "is too low.", f"Use {SAFE_BCRYPT_COST} or more; 12 is the default."
            ),
        ),
    ]
    return [danger for fine, danger in found if not fine]


def every() -> Mapping[str, Any]:
    """All settings of config.py as they are in force."""
    return {each.name: current_app.config[each.name] for each in config.SETTINGS}
