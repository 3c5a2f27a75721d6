"""Family B: recovery in two calls, every answer with its time."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request

from portal.api.families import Family, No
from portal.api.schemas import Schema, fields, number, text
from portal.core import clock

TIME = text("2026-11-21T09:30:00Z", format="date-time")
REFUSAL: Schema = fields(
    {"errors": {"type": "object", "description": "Each field that was refused, and why."}},
    timestamp=TIME,
    status=number(400),
    error=text("That code is not right."),
    path=text("/api/v1/auth/verify-otp"),
)


def envelope(no: No) -> Mapping[str, Any]:
    """When, what and where."""
    errors = {"errors": {name: " ".join(words) for name, words in no.errors.items()}}
    said = {"status": no.status, "error": no.message, "path": request.path}
    return {"timestamp": stamp(), **said, **(errors if no.errors else {})}


def stamp() -> str:
    """Now, in UTC (RFC 3339)."""
    return f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"


FAMILY = Family(
    key="b",
    title="B: recovery in two calls",
    blueprint=Blueprint("timestamped", __name__),
    prefixes=("/api/v1/auth",),
    envelope=envelope,
    refusal=REFUSAL,
    statuses={"*": 400, "unproven": 403},
)
