"""Family B: recovery in two calls, every answer with its time."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from flask_babel import gettext as _

from portal.api import bearer
from portal.api.bodies import of_json
from portal.api.families import Answer, Family, No, Operation
from portal.api.schemas import Schema, fields, maybe, number, text
from portal.codes import terms
from portal.core import clock
from portal.core.settings import setting
from portal.recovery.service import asking, links, resetting
from portal.recovery.service.resetting import Choice, Identity

EMAIL = text("ann@example.org", longest="EMAIL_MAX_LENGTH", format="email")
CODE = text("123456", "That of the newest message.")
PASSWORD = text("copper lantern tuesday", longest="PASSWORD_MAX_LENGTH", format="password")
TIME = text("2026-11-21T09:30:00Z", format="date-time")
REFUSAL: Schema = fields(
    {"errors": {"type": "object", "description": "Each field that was refused, and why."}},
    timestamp=TIME,
    status=number(400),
    error=text("That code is not right."),
    path=text("/api/v1/auth/verify-otp", format="uri-reference"),
)
SAID = {"timestamp": TIME, "status": number(200), "message": text("Done.", "For people.")}
LIFE = fields(expires_in=number(600, "Seconds that the code lives, once it is sent."))
NOTHING: Schema = maybe(fields()) | {"examples": [None]}


def envelope(no: No) -> Mapping[str, Any]:
    """When, what and where."""
    errors = {"errors": {name: " ".join(words) for name, words in no.errors.items()}}
    said = {"status": no.status, "error": no.message, "path": request.path}
    return {"timestamp": clock.stamp(clock.now()), **said, **(errors if no.errors else {})}


FAMILY = Family(
    key="b",
    title="B: recovery in two calls",
    blueprint=Blueprint("timestamped", __name__),
    prefixes=("/api/v1/auth",),
    envelope=envelope,
    refusal=REFUSAL,
    statuses={"*": 400, "unproven": 403},
)


@FAMILY.offers(
    Operation(
        "POST",
        "/forget-password",
        "Ask for a code",
        Answer(200, fields(**SAID, payload=LIFE)),
        of_json(fields(email=EMAIL)),
        refuses=(429,),
        about="Sends a code of six digits by email. The answer is the same for every address, "
        "whether somebody has it or not; a newer code ends the older one.",
    )
)
def forget_password(body):
    asking.start_by_email(body["email"], terms.api(links.PATH), bearer.by())
    life = {"expires_in": setting("API_CODE_LIFETIME_SECONDS")}
    return _said(_("If this address has an account, an email with a code is on its way."), life)


@FAMILY.offers(
    Operation(
        "POST",
        "/verify-otp",
        "Set a new password with the code",
        Answer(200, fields(**SAID, payload=NOTHING)),
        of_json(fields(email=EMAIL, otp_code=CODE, new_password=PASSWORD)),
        refuses=(429,),
        names={"code": "otp_code", "password": "new_password"},
        about="The code is good once. A password that is refused leaves it good; a wrong code "
        "counts as a try, and after the last one nothing is accepted but a newer code. "
        "Afterwards every sign-in of the account has ended.",
    )
)
def verify_otp(body):
    who, choice = Identity(body["email"]), Choice(body["new_password"])
    resetting.reset_by_code(who, body["otp_code"], choice, bearer.by())
    return _said(_("Your password is changed. Sign in with the new one."), None)


def _said(message: str, payload: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "timestamp": clock.stamp(clock.now()),
        "status": 200,
        "message": message,
        "payload": payload,
    }
