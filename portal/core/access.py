"""Every request: under which id it is known, how long it took, and one line about it in the log."""

import logging
import re
import secrets
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from time import perf_counter

from flask import Flask, Response, g, request

from portal.core import logs, metrics
from portal.core.settings import setting

log = logging.getLogger("latchkey")
REQUEST_BYTES = 8
HEADER = "X-Request-ID"
GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")


def init_app(app: Flask) -> None:
    """Gives `app` its access log.  Comes before other parts, so that its clock starts first."""
    app.before_request(_start)
    app.after_request(_finish)
    app.teardown_request(_end)


def request_id() -> str:
    """Under which this request stands in the log, and what it does among the events."""
    return str(g.get("request_id", ""))


@lru_cache(1024)
def is_proxy(peer: str, proxies: tuple[str, ...]) -> bool:
    """Whether what connected from this address is one of these networks' proxies."""
    found = address(peer)
    return found is not None and any(found in ip_network(each) for each in proxies)


def address(text: str) -> IPv4Address | IPv6Address | None:
    """An address; a server that listens on both kinds tells IPv4 as IPv6, and it is told apart."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _start() -> None:
    g.started = perf_counter()
    g.request_id = _given() or secrets.token_hex(REQUEST_BYTES)
    logs.ABOUT.set(g.request_id)
    metrics.begun()


def _given() -> str:
    """The id by which a proxy of ours knows the request; nobody else's is taken over."""
    given = request.headers.get(HEADER, "")
    known = given and is_proxy(request.remote_addr or "", setting("TRUSTED_PROXIES"))
    return given if known and GIVEN.fullmatch(given) else ""


def _finish(answer: Response) -> Response:
    spent, number = perf_counter() - g.get("started", perf_counter()), request_id()
    route = request.url_rule.rule if request.url_rule else "-"
    answer.headers[HEADER] = number
    logs.request(log, request.method, route, answer.status_code, spent * 1000, number)
    metrics.served(route, request.method, answer.status_code, spent)
    return answer


def _end(_err: BaseException | None) -> None:
    if g.pop("started", None) is not None:
        logs.ABOUT.set("")
        metrics.ended()
