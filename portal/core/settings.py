"""The only place that reads configuration."""

import logging
from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app

import config
from portal.core import crypto, safety

CONNECT_SECONDS = 5  # to a database server
# All that a process opens it keeps: opened anew for each request beyond the fifth, as is usual,
# they cost more than the requests, and a queue that was there once did not end.
CONNECTIONS = {"pool_size": 15, "max_overflow": 0, "pool_use_lifo": True}  # the warmest first
SILENCE_MS = 2000 * CONNECT_SECONDS  # until a silent line to it is given up
IN_MEMORY = "sqlite://", "sqlite:///:memory:"
DRIVERS = {
    **dict.fromkeys(("postgres", "postgresql", "postgresql+psycopg2"), "postgresql+psycopg"),
    # One name for both: MariaDB's own would store ids in a type that MySQL does not have.
    **dict.fromkeys(("mysql", "mariadb", "mariadb+pymysql"), "mysql+pymysql"),
}
# Each connection of MariaDB: nothing is cut or guessed to fit, and its clock is in UTC.
STRICT = "SET sql_mode='TRADITIONAL,ANSI_QUOTES', time_zone='+00:00', innodb_lock_wait_timeout=15"
HAND_OVER_STEPS = 12  # connect, greet, encrypt, greet, sign in (3), from, to, data, end, quit
log = logging.getLogger("latchkey")
DJANGO = "django.core.mail.backends."
PARSER_READS = 64 * 1024  # bytes that Werkzeug takes at once; it counts them like a field's


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
    local = safety.is_loopback(str(values["PUBLIC_URL"]))
    refused = broken + [
        str(each) for each in safety.dangers(values) if each.always or not (local or each.advice)
    ]
    if refused:
        raise Refused("Latchkey does not start like this:\n  " + "\n  ".join(refused))
    if not values["THROTTLES"]:
        log.warning("THROTTLES are off: for benchmarks alone")


def _derive(values: dict[str, Any]) -> None:
    values["PUBLIC_URL"] = (values["PUBLIC_URL"] or f"http://127.0.0.1:{values['PORT']}").rstrip(
        "/"
    )
    if safety.is_loopback(values["PUBLIC_URL"]) and values["SECRET_KEY"]:
        values["DATA_KEY"] = values["DATA_KEY"] or crypto.keyed(values["SECRET_KEY"], "data")
    url = safety.split(values["PUBLIC_URL"])
    if url.hostname:
        values["PUBLIC_URL"] = url._replace(netloc=url.netloc.lower()).geturl()
    host = url.hostname or ""
    values["ALLOWED_HOSTS"] = values["ALLOWED_HOSTS"] or (host, "127.0.0.1", "localhost")
    backend = values["EMAIL_BACKEND"]
    if backend.startswith(DJANGO):  # its dotted names are understood: smtp.EmailBackend is smtp
        values["EMAIL_BACKEND"] = backend.removeprefix(DJANGO).partition(".")[0]
    values["EMAIL_USE_SSL"] = values["EMAIL_USE_SSL"] and not values["EMAIL_USE_TLS"]
    values["EMAIL_FROM"] = values["EMAIL_FROM"] or values["EMAIL_HOST_USER"] or f"no-reply@{host}"
    values["DATABASE_URL"] = _with_driver(values["DATABASE_URL"])


def _with_driver(url: str) -> str:
    """The address as SQLAlchemy wants it, whoever wrote it down."""
    scheme, there, rest = url.partition("://")
    return f"{DRIVERS.get(scheme, scheme)}{there}{rest}"


def _flask(values: dict[str, Any]) -> dict[str, Any]:
    https = values["PUBLIC_URL"].startswith("https://")
    return {
        "SQLALCHEMY_DATABASE_URI": values["DATABASE_URL"],
        "SQLALCHEMY_ENGINE_OPTIONS": _engine(values["DATABASE_URL"]),
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


def _engine(url: str) -> dict[str, Any]:
    """A server may have been restarted since a connection was used, and may not answer at all."""
    if url.startswith("sqlite"):
        return {} if url in IN_MEMORY else dict(CONNECTIONS)
    patience: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}
    options: dict[str, Any] = {"connect_args": patience, **CONNECTIONS}
    if url.startswith("postgresql"):
        patience["tcp_user_timeout"] = SILENCE_MS
        options["isolation_level"] = "AUTOCOMMIT"  # who writes says BEGIN: core/connections
    if url.startswith("mysql"):
        patience |= {"charset": "utf8mb4", "init_command": STRICT}
        options["isolation_level"] = "READ COMMITTED"  # who waited for a lock sees what was done
    return options


def hand_over_seconds() -> int:
    """How long handing one message over can take, every step at its limit."""
    return int(setting("EMAIL_TIMEOUT_SECONDS")) * HAND_OVER_STEPS


def every() -> Mapping[str, Any]:
    """All settings of config.py as they are in force."""
    return {each.name: current_app.config[each.name] for each in config.SETTINGS}
