"""Family D: sign-up, sign-in and profiles, every path with a slash at its end."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from portal.api.families import Family, No
from portal.api.schemas import Schema

REFUSAL: Schema = {
    "type": "object",
    "description": "Each field that was refused and why, or a message.",
    "additionalProperties": True,
}


def envelope(no: No) -> Mapping[str, Any]:
    """The fields alone where fields are wrong, else a message."""
    return no.errors or {"message": no.message}


FAMILY = Family(
    key="d",
    title="D: sign-up, sign-in and profiles",
    blueprint=Blueprint("slashed", __name__),
    prefixes=("",),
    envelope=envelope,
    refusal=REFUSAL,
    statuses={"*": 400, "unproven": 403, "blocked": 403},
    under="/user-profile/",
)
