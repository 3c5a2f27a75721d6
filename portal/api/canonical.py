"""The portal's own way of speaking JSON: /api/v1, refusals as problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint

from portal.api.families import PROBLEM, Family, No
from portal.api.schemas import fields, number, text, yes
from portal.core.errors import SecondStepNeeded

ASKS = {"second_factor_required": yes("True: send the same again with a code.")}
REFUSAL = fields(
    {
        "code": text("unproven", "The reason, where there are several."),
        "errors": {
            "type": "object",
            "description": "Each field that was refused, and why.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        **ASKS,
    },
    type=text("about:blank"),
    title=text("Unprocessable Content", "The name of the status."),
    status=number(422),
    detail=text("Some of what was sent cannot be accepted.", "What went wrong, for people."),
)


# As RFC 9110 has them; Python's own depend on its version.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


def problem(no: No) -> Mapping[str, Any]:
    """Problem details."""
    title = TITLES.get(no.status) or HTTPStatus(no.status).phrase
    body = {"type": "about:blank", "title": title, "status": no.status, "detail": no.message}
    needed = no.code == SecondStepNeeded.code
    more = {"code": no.code, "errors": no.errors, "second_factor_required": needed}
    return body | {name: value for name, value in more.items() if value}


V1 = Family(
    key="v1",
    title="Canonical: accounts and profiles",
    blueprint=Blueprint("api", __name__),
    prefixes=("/api/v1",),
    envelope=problem,
    refusal=REFUSAL,
    media=PROBLEM,
    statuses={"missing": 400, "unknown": 400, "unproven": 403},
    under="/api/",
)
