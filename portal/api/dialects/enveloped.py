"""Family C: passwords, every answer with a status in words."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from portal.api.families import Family, No
from portal.api.schemas import Schema, fields, text

REFUSAL: Schema = fields(
    {"errors": {"type": "object", "description": "Each field that was refused, and why."}},
    status=text("error"),
    message=text("That code is not right."),
)


def envelope(no: No) -> Mapping[str, Any]:
    """That it went wrong, and how."""
    errors = {"errors": no.errors} if no.errors else {}
    return {"status": "error", "message": no.message, **errors}


FAMILY = Family(
    key="c",
    title="C: passwords",
    blueprint=Blueprint("enveloped", __name__),
    prefixes=("/api/v1/auth", "/api/auth"),
    envelope=envelope,
    refusal=REFUSAL,
    statuses={"missing": 400, "type": 400, "unproven": 403},
    under="/api/auth/",
)
