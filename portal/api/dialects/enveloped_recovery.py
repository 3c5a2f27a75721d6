"""Family C: getting back in by link or code."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from portal.api import bearer
from portal.api.bodies import Body, of_json
from portal.api.dialects.enveloped import AGAIN, DONE, FAMILY, NEW, SAID, envelope, said
from portal.api.families import Answer, No, Operation
from portal.api.schemas import fields, number, one_of, text, yes
from portal.codes import terms
from portal.recovery.service import asking, links, resetting
from portal.recovery.service.resetting import Choice, Identity

EMAIL = text("ann@example.org", longest="EMAIL_MAX_LENGTH", format="email")
PHONE = text("+44 7400 218305", "Of a mobile phone, with its country code.")
TOKEN = text("V1StGXR8Z5jdHi6BmyT0p3Qw7nLk2sUeYcA9fOxHrNg", "The end of the message's link.")
CODE = text("123456", "That of the newest message.")
WHO = {"email": EMAIL, "phone": PHONE}
PROOF = "token", ("email", "otp"), ("phone", "otp")
PROVEN = {"token": TOKEN, **WHO, "otp": CODE}
REASONS = {"run-out": "expired", "expired": "expired", "used": "used", "replaced": "replaced"}
NEUTRAL = "The answer is the same for every address and number, whether somebody has it or not."


def invalid(no: No) -> Mapping[str, Any]:
    """The same of a code or link that somebody asks about, with the reason in one word."""
    if no.status not in (400, 429):
        return envelope(no)  # nothing is known of it
    reason = "too-many-tries" if no.status == 429 else REASONS.get(no.code, "invalid")
    return {**envelope(no), "valid": False, "reason": reason}


@FAMILY.offers(
    Operation(
        "POST",
        "/forgot-password",
        "Ask for a link or a code",
        DONE,
        of_json(one_of(fields(WHO), "email", "phone")),
        refuses=(429,),
        about=f"An address gets a link and a code by email, a number a code by SMS. {NEUTRAL}",
    )
)
def forgot_password(body):
    _ask(body)
    return said(_("If there is such an account, a message is on its way."))


@FAMILY.offers(
    Operation(
        "POST",
        "/resend-password-reset",
        "Ask for a link or a code once more",
        DONE,
        of_json(one_of(fields(WHO), "email", "phone")),
        refuses=(429,),
        about=f"The one before is dead; the limits stay as they are. {NEUTRAL}",
    )
)
def resend_password_reset(body):
    _ask(body)
    return said(_("If there is such an account, a new message is on its way."))


@FAMILY.offers(
    Operation(
        "POST",
        "/validate-password-reset",
        "Check a link or a code",
        Answer(200, fields(**SAID, valid=yes("Always."), expires_in=number(540, "Seconds left."))),
        of_json(one_of(fields(PROVEN), *PROOF)),
        refuses=(429,),
        statuses={"*": 400},
        names={"code": "otp"},
        about="It stays good. A wrong code counts as a try. A refusal has `valid` and `reason`.",
        envelope=invalid,
    )
)
def validate_password_reset(body):
    if "token" in body:
        left = resetting.check_link(body["token"])
    else:
        left = resetting.check_code(_who(body), body["otp"])
    return {**said(_("It is good. Choose a new password.")), "valid": True, "expires_in": left}


@FAMILY.offers(
    Operation(
        "POST",
        "/reset-password",
        "Set a new password with the link or the code",
        DONE,
        of_json(one_of(fields({**PROVEN, **AGAIN}, new_password=NEW), *PROOF)),
        refuses=(429,),
        statuses={"*": 400},
        names={"code": "otp", "password": "new_password"},
        about="Link and code are good once. A password that is refused leaves them good; a wrong "
        "code counts as a try. Afterwards every sign-in of the account has ended.",
    )
)
def reset_password(body):
    choice = Choice(body["new_password"], body.get("confirm_password"))
    if "token" in body:
        resetting.reset_by_link(body["token"], choice, bearer.by())
    else:
        resetting.reset_by_code(_who(body), body["otp"], choice, bearer.by())
    return said(_("Your password is changed. Sign in with the new one."))


def _ask(body: Body) -> None:
    how, by = terms.api(links.PATH), bearer.by()
    if "email" in body:
        asking.start_by_email(body["email"], how, by)
    else:
        asking.start_by_phone(body["phone"], how, by)


def _who(body: Body) -> Identity:
    return Identity(body.get("email"), body.get("phone"))
