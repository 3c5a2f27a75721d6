"""The ways of speaking JSON: what every operation needs, and how each family says no.

An operation is written down once: the words in this list read the request, judge it, and make the
document from which people learn it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from portal.api import bearer, bodies, words
from portal.api.bearer import Reach
from portal.api.bodies import Kind
from portal.api.schemas import Schema
from portal.core import shapes
from portal.core.errors import NotAllowed, PortalError, Rejected, Several, Unauthenticated
from portal.core.shapes import Refusal

if TYPE_CHECKING:
    from portal.accounts.glances import Along

REALM = 'Bearer realm="api"'  # always in quotes (RFC 9110, 11.5)
PROBLEM = "application/problem+json"
View = Callable[..., Any]


@dataclass(frozen=True)
class Answer:
    """What an operation says when it did what was asked; no `schema`: nothing at all."""

    status: int = 204
    schema: Schema | None = None


@dataclass(frozen=True)
class No:
    """A refusal as a family tells it: its status, words, fields with theirs, code and cause."""

    status: int
    message: str
    errors: Mapping[str, list[str]]
    code: str
    cause: Exception


Envelope = Callable[[No], Mapping[str, Any]]


@dataclass(frozen=True)
class Operation:
    """One thing that a program can do.

    `refuses` lists the statuses of its refusals, beside those that every operation has.  `statuses`
    gives a refusal another status, by its code or its field; `names` says what a story's fields are
    called here; `envelope` is its own, where its refusals say more than the family's.  `leads`
    judges the path's variables: one that leads nowhere is 404.  `also` is read with
    the sign-in, which it only looks at.
    """

    method: str
    path: str
    summary: str
    answer: Answer
    body: Kind | None = None
    reach: Reach = Reach.EVERYBODY
    refuses: tuple[int, ...] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    about: str = ""
    leads: Callable[..., bool] = lambda **_path: True
    envelope: Envelope | None = None
    also: Along | None = None


@dataclass(frozen=True)
class Family:
    """Programs that speak alike: under which paths, and in which envelope they are told no.

    `statuses` is as of an operation, with "*" for every refusal of what was typed.  Paths `under`
    which nothing is are told so in its envelope too; `prefers_page` sees a person in a browser.
    """

    key: str
    title: str
    blueprint: Blueprint
    prefixes: tuple[str, ...]
    envelope: Envelope
    refusal: Schema
    media: str = "application/json"
    statuses: Mapping[str, int] = field(default_factory=dict)
    under: str = ""
    prefers_page: Callable[[], bool] = lambda: False
    operations: dict[str, Operation] = field(default_factory=dict)

    def offers(self, operation: Operation) -> Callable[[View], View]:
        """The view answers this operation, under its own name."""

        def given(view: View) -> View:
            name = view.__name__
            self.operations[name] = operation
            run, methods = _run(operation, view), operation.method.split()
            self.blueprint.add_url_rule(operation.path, name, run, methods=methods)
            return view

        return given

    def register(self, app: Flask) -> None:
        """Opens its doors in `app`, and gives their refusals its shape."""
        for number, prefix in enumerate(self.prefixes):
            name = self.blueprint.name + str(number or "")
            app.register_blueprint(self.blueprint, name=name, url_prefix=prefix or None)
            shapes.speak(app, name, self.refuse, self.under)

    def refuse(self, refusal: Refusal) -> ResponseReturnValue | None:
        """The refusal in this family's envelope; None where its reader wants a page."""
        if self.prefers_page():
            return None
        no, operation = self._no(refusal), self._operation()
        told = operation.envelope if operation and operation.envelope else self.envelope
        answer = make_response(jsonify(told(no)), no.status, dict(refusal.headers))
        answer.mimetype = self.media
        if no.status == 401 or isinstance(refusal.cause, Unauthenticated):
            answer.headers["WWW-Authenticate"] = _challenge(no)
        return answer

    def _no(self, refusal: Refusal) -> No:
        operation = self._operation()
        found = _each(refusal.cause)
        errors: dict[str, list[str]] = {}
        for each in found:
            if each.field is not None:
                name = each.field
                name = operation.names.get(name, name) if operation else name
                errors.setdefault(name, []).append(each.message)
        message = refusal.message or words.several(found) or words.of_status(refusal.status)
        code = getattr(refusal.cause, "code", "") if isinstance(refusal.cause, PortalError) else ""
        return No(self._status(operation, refusal), message, errors, code, refusal.cause)

    def _operation(self) -> Operation | None:
        return self.operations.get((request.endpoint or "").rpartition(".")[2])

    def _status(self, operation: Operation | None, refusal: Refusal) -> int:
        own = {**self.statuses, **(operation.statuses if operation else {})}
        found: Sequence[Exception] = _each(refusal.cause) or [refusal.cause]
        return min(_status(own, each, refusal.status) for each in found)


def _each(cause: Exception) -> list[Rejected]:
    if isinstance(cause, Several):
        return cause.all
    return [cause] if isinstance(cause, Rejected) else []


def _status(own: Mapping[str, int], cause: Exception, usual: int) -> int:
    """By code, then by field; then what was typed has the status of all that was typed wrong."""
    if not isinstance(cause, PortalError):
        return usual
    named = [getattr(cause, name, None) or "" for name in ("code", "field")]
    for name in filter(None, named):
        if name in own:
            return own[name]
    status = shapes.status_of(cause)
    return own.get("*", status) if status == 422 else status


def _challenge(no: No) -> str:
    """RFC 6750, 3; a wrong password is told of no token (RFC 9110, 15.5.2)."""
    if no.code == "no-token" or not isinstance(no.cause, Unauthenticated):
        return REALM
    error = "insufficient_scope" if no.status == 403 else "invalid_token"
    return f'{REALM}, error="{error}"'


def _nothing(status: int) -> Response:
    """No body, and so no kind of one."""
    answer = Response(status=status)
    del answer.headers["Content-Type"]
    return answer


def _run(operation: Operation, view: View) -> View:
    @wraps(view)
    def run(**path: Any) -> ResponseReturnValue:
        if not operation.leads(**path):
            raise NotAllowed
        bearer.check(operation.reach, operation.also)
        more = {"body": bodies.read(operation.body)} if operation.body else {}
        said = view(**path, **more)
        if operation.answer.schema is None:
            return _nothing(operation.answer.status)
        return said if isinstance(said, Response) else (said, operation.answer.status)

    return run
