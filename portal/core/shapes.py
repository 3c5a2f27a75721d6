"""In which shape a refusal is given: as a page, unless the door of the path speaks otherwise.

A door hands over its shape when it registers.  It is found by the rules of the path, whatever the
method: a 405 has no endpoint, and speaks it too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from portal.core import clock
from portal.core.errors import (
    CodeNeeded,
    Forbidden,
    NotAllowed,
    NotKept,
    NotProven,
    Overloaded,
    PortalError,
    Rejected,
    SecondStepNeeded,
    Several,
    TooLarge,
    TooSoon,
    Unauthenticated,
    Vanished,
    WrongKind,
)

STATUS: dict[type[PortalError], int] = {
    TooLarge: 413,
    WrongKind: 415,
    Rejected: 422,
    Several: 422,
    Forbidden: 403,
    NotAllowed: 404,
    SecondStepNeeded: 403,
    CodeNeeded: 403,
    NotProven: 403,
    Unauthenticated: 401,
    NotKept: 503,
    Overloaded: 503,
    TooSoon: 429,
    Vanished: 503,
}


@dataclass(frozen=True)
class Refusal:
    """What was refused, before it has a shape: a status of HTTP, words, headers, and the cause."""

    status: int
    message: str
    cause: Exception
    headers: Mapping[str, str] = field(default_factory=dict)


Shape = Callable[[Refusal], ResponseReturnValue | None]


def init_app(app: Flask) -> None:
    """No door speaks otherwise yet."""
    app.extensions["shapes"] = {}


def speak(app: Flask, blueprint: str, shape: Shape, under: str = "") -> None:
    """Refusals on the paths of a blueprint have this shape; `under`: unknown paths there too."""
    app.extensions["shapes"][blueprint] = shape, under


def doors(app: Flask) -> set[str]:
    """The blueprints whose refusals have a shape of their own."""
    return set(app.extensions["shapes"])


def status_of(err: PortalError) -> int:
    """What HTTP calls it."""
    return next((STATUS[kind] for kind in type(err).__mro__ if kind in STATUS), 400)


def answer(err: Exception, status: int, message: str = "") -> ResponseReturnValue | None:
    """The refusal in the shape of its path's door; None where that is a page."""
    shape = _of_path()
    if shape is None:
        return None
    words = message or (err.message if isinstance(err, PortalError) else "")
    return shape(Refusal(status, words, err, _headers(err)))


def _headers(err: Exception) -> dict[str, str]:
    if isinstance(err, TooSoon):
        return {"Retry-After": str(max(1, clock.seconds_until(err.retry_at)))}
    if isinstance(err, HTTPException):
        return {name: value for name, value in err.get_headers() if name == "Allow"}
    return {"Retry-After": "1"} if isinstance(err, Vanished) else {}


def _of_path() -> Shape | None:
    shapes: dict[str, tuple[Shape, str]] = current_app.extensions["shapes"]
    for blueprint in _blueprints(request.path):
        return shapes[blueprint][0] if blueprint in shapes else None
    near = ((shape, under) for shape, under in shapes.values() if under)
    return next((shape for shape, under in near if request.path.startswith(under)), None)


def _blueprints(path: str) -> list[str]:
    """Of this request's rule, or of any rule on its path."""
    if request.url_rule is not None:
        return [request.url_rule.endpoint.rpartition(".")[0]]
    adapter = current_app.url_map.bind("")
    found = (_endpoint(adapter, path, method) for method in adapter.allowed_methods(path))
    return [endpoint.rpartition(".")[0] for endpoint in found if endpoint]


def _endpoint(adapter: MapAdapter, path: str, method: str) -> str:
    try:
        return str(adapter.match(path, method)[0])
    except HTTPException:
        return ""
