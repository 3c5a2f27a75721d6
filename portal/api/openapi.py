"""The document from which programs learn the API (OpenAPI 3.1), made of its operations alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from portal.api import schemas, words
from portal.api.bearer import Reach
from portal.api.bodies import JSON
from portal.api.families import Family, No, Operation
from portal.api.schemas import Limit
from portal.core.errors import PortalError
from portal.core.settings import setting

Part = dict[str, Any]
VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")
KINDS: dict[str, Part] = {
    "uuid": {"type": "string", "format": "uuid"},
    "string": {"type": "string", "pattern": "^[^/]+$"},
}
UUID = "6f1d0f5e-54a4-4ee5-9c86-0f4e8a1f6b2d"
SHOWN = {
    "role": "user",
    "sid": UUID,
    "uid": UUID,
    "token": "V1StGXR8Z5jdHi6BmyT0p3Qw7nLk2sUeYcA9fOxHrNg",
}
STEADY = "date-time", "uri-reference"  # formats of what a refusal says of its moment and place
SECONDS = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
CHALLENGE = {"description": "RFC 6750, 3.", "schema": {"type": "string"}}
HEADERS = {
    401: {"WWW-Authenticate": CHALLENGE | {"required": True}},
    403: {"WWW-Authenticate": CHALLENGE},
    429: {"Retry-After": SECONDS | {"required": True}},
    503: {"Retry-After": SECONDS},
}


def document(families: Sequence[Family]) -> Part:
    """All operations of these families, each under the first of its family's prefixes."""
    paths: dict[str, Part] = {}
    for family in families:
        for path, method, told in _operations(family):
            paths.setdefault(path, {})[method] = told
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": setting("PUBLIC_URL")}],
        "tags": [{"name": family.title} for family in families],
        "paths": paths,
        "components": _components(families),
    }


def _info() -> Part:
    about = _(
        "The account portal for programs. Answers are JSON; a refusal says what is wrong in words, "
        "and where. No cookie is ever read here: who acts is told by the access token alone."
    )
    return {"title": setting("PORTAL_NAME"), "version": "1", "description": about}


def _operations(family: Family) -> Iterator[tuple[str, str, Part]]:
    """Path, method and what is told of it; an operation of two methods is told twice."""
    key = "" if family.key == "v1" else f"{family.key}_"
    for name, operation in family.operations.items():
        path = VARIABLE.sub(r"{\2}", family.prefixes[0] + operation.path)
        methods = operation.method.lower().split()
        for method in methods:
            called = f"{key}{name}" + (f"_{method}" if len(methods) > 1 else "")
            yield path, method, {"operationId": called, **_operation(family, operation)}


def _operation(family: Family, operation: Operation) -> Part:
    told: Part = {
        "summary": operation.summary,
        "description": _about(operation),
        "tags": [family.title],
        "parameters": [_parameter(*found) for found in VARIABLE.findall(operation.path)],
        "requestBody": _body(operation),
        "responses": {str(operation.answer.status): _answer(operation), **_no(family, operation)},
        "security": [] if operation.reach is Reach.EVERYBODY else [{"bearer": []}],
    }
    return {name: each for name, each in told.items() if each or name == "security"}


def _no(family: Family, operation: Operation) -> Part:
    found = refusals(family, operation)
    if operation.envelope:
        own = replace(family, envelope=operation.envelope)
        return {str(each): _refusal(own, each) for each in found}
    return {str(each): {"$ref": f"#/components/responses/{family.key}-{each}"} for each in found}


def _about(operation: Operation) -> str:
    reaches = operation.reach is Reach.ANY_TOKEN
    more = _("The token of an address that is not proven yet will do.") if reaches else ""
    return f"{operation.about} {more}".strip()


def _parameter(kind: str, name: str) -> Part:
    schema = KINDS[kind or "string"]
    shown = schema | {"examples": [SHOWN[name]]}
    return {"name": name, "in": "path", "required": True, "schema": shown}


def _body(operation: Operation) -> Part | None:
    if operation.body is None:
        return None
    media, schema = operation.body.media, operation.body.schema
    return {"required": True, "content": {media: _content(schema)}}


def _answer(operation: Operation) -> Part:
    schema = operation.answer.schema
    if schema is None:
        return {"description": _("It is done.")}
    return {"description": _("It is done."), "content": {JSON: _content(schema)}}


def _content(schema: Part) -> Part:
    return {"schema": _in_force(schema), "example": schemas.example(schema)}


def _in_force(schema: Any) -> Any:
    """The same with the settings' numbers in place of their names."""
    if isinstance(schema, Limit):
        return setting(schema)
    if isinstance(schema, dict):
        return {name: _in_force(each) for name, each in schema.items() if each != ""}
    return [_in_force(each) for each in schema] if isinstance(schema, list) else schema


def refusals(family: Family, operation: Operation) -> list[int]:
    """Every status that says no: those that are declared, and those that the machinery has."""
    own = {**family.statuses, **operation.statuses}
    found = {503, *operation.refuses, *operation.statuses.values()}
    if operation.body:
        found |= {400, 413, 415, own.get("*", 422)}
    if operation.reach is not Reach.EVERYBODY:
        found |= {401, own.get("blocked", 401)}
    if operation.reach is Reach.PERSON:
        found.add(own.get("unproven", 401))
    if VARIABLE.search(operation.path):
        found.add(404)
    return sorted(found - {operation.answer.status})


def _components(families: Sequence[Family]) -> Part:
    told = {f"{family.key}-refusal": _in_force(family.refusal) for family in families}
    responses = {
        f"{family.key}-{status}": _refusal(family, status)
        for family in families
        for status in sorted(
            {each for one in family.operations.values() for each in refusals(family, one)}
        )
    }
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return {"schemas": told, "responses": responses, "securitySchemes": {"bearer": bearer}}


def _refusal(family: Family, status: int) -> Part:
    content = {
        "schema": {"$ref": f"#/components/schemas/{family.key}-refusal"},
        "example": _told(family, status),
    }
    headers = {"headers": HEADERS[status]} if status in HEADERS else {}
    description = str(words.of_status(status))
    return {"description": description, "content": {family.media: content}, **headers}


def _told(family: Family, status: int) -> Part:
    """As the family would tell it."""
    wrong = {400: _("This is missing."), 422: _("This has to be of another type.")}.get(status)
    errors = {"email": [wrong]} if wrong else {}
    code = "unproven" if status == 403 else ""
    no = No(status, wrong or words.of_status(status), errors, code, PortalError())
    parts = family.refusal.get("properties", {})
    steady = {name for name, part in parts.items() if part.get("format") in STEADY}
    kept = {name: schemas.example(parts[name]) for name in steady}
    return {**family.envelope(no), **kept}
