"""Family C: passwords, every answer with a status in words."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from flask_babel import gettext as _

from portal.api import bearer
from portal.api.bearer import Reach
from portal.api.bodies import of_json
from portal.api.families import Answer, Family, No, Operation
from portal.api.schemas import Schema, fields, text, yes
from portal.core import clock
from portal.core.errors import CodeNeeded, LinkDead
from portal.security.service import confirm, password
from portal.security.service.password import Change

OLD = text("copper lantern tuesday", "The one in use.", format="password")
NEW = text("wooden planet friday", longest="PASSWORD_MAX_LENGTH", format="password")
SENT = text("123456", "Of the newest message, where the settings ask for one.")
AGAIN = {"confirm_password": NEW | {"description": "The new one again, where it is typed twice."}}
REFUSAL: Schema = fields(
    {
        "errors": {"type": "object", "description": "Each field that was refused, and why."},
        "valid": yes("Of a code or link that is asked about.", example=False),
        "code_required": yes("A code is needed as well; it was sent."),
        "reason": text("expired", "expired, used, replaced, too-many-tries, or else invalid."),
    },
    status=text("error"),
    message=text("That code is not right."),
)
SAID = {"status": text("success"), "message": text("Done.", "What happened, for people.")}
UNTIL = text("2026-11-21T09:40:00Z", format="date-time")
DONE = Answer(200, fields(**SAID))


def envelope(no: No) -> Mapping[str, Any]:
    """That it went wrong, and how."""
    errors = {"errors": no.errors} if no.errors else {}
    needed = {"code_required": True} if isinstance(no.cause, CodeNeeded) else {}
    return {"status": "error", "message": _words(no), **errors, **needed}


def _words(no: No) -> str:
    if not isinstance(no.cause, LinkDead):
        return no.message
    words = _("This link no longer works. %(why)s", why=no.message)
    return words if no.code == "unknown" else _("%(words)s Ask for a new one.", words=words)


FAMILY = Family(
    key="c",
    title="C: passwords",
    blueprint=Blueprint("enveloped", __name__),
    prefixes=("/api/v1/auth", "/api/auth"),
    envelope=envelope,
    refusal=REFUSAL,
    statuses={"missing": 400, "type": 400, "unproven": 403},
)


@FAMILY.offers(
    Operation(
        "POST",
        "/change-password",
        "Change the password",
        DONE,
        of_json(fields({**AGAIN, "code": SENT}, old_password=OLD, new_password=NEW)),
        Reach.PERSON,
        refuses=(403, 429),
        names={"password": "new_password"},
        about="Every other sign-in of the account ends; this one goes on.  Where the settings ask "
        "for a code as well, the first call without it sends one and answers 403 with "
        "`code_required`; the repeat carries `code`.",
    )
)
def change_password(body):
    typed = body["old_password"], body["new_password"], body.get("confirm_password")
    change = Change(*typed, code=body.get("code"))
    password.change_password(bearer.session(), change, bearer.by())
    return said(_("Your password is changed. Every other sign-in has ended."))


@FAMILY.offers(
    Operation(
        "POST",
        "/confirm-password",
        "Confirm who you are",
        Answer(200, fields(**SAID, confirmed=yes("Always."), confirmed_until=UNTIL)),
        of_json(fields(password=OLD)),
        Reach.PERSON,
        refuses=(429,),
        about="Before what is sensitive; good for some minutes. Wrong passwords count like those "
        "of signing in.",
    )
)
def confirm_password(body):
    until = confirm.confirm(bearer.session(), body["password"], None, bearer.by())
    words = _("You have confirmed who you are.")
    return {**said(words), "confirmed": True, "confirmed_until": clock.stamp(until)}


def said(message: str) -> dict[str, Any]:
    """That it is done, and what happened."""
    return {"status": "success", "message": message}
