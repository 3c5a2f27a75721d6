"""Family D: signing up, proving the address, signing in."""

from flask_babel import gettext as _

from portal.accounts import roles
from portal.accounts.service import joining, sign_up
from portal.accounts.service import tokens as stories
from portal.accounts.service.credentials import Typed
from portal.accounts.service.tokens import Manner
from portal.accounts.service.wishes import Wish
from portal.api import bearer, entering, tokens
from portal.api.bodies import of_json
from portal.api.dialects.slashed import (
    ACCESS,
    AGAIN,
    EMAIL,
    FAMILY,
    PASSWORD,
    PROOF_LINK,
    REFRESH,
    ROLE,
    USERNAME,
    page,
    pair,
    prefers_page,
    said,
)
from portal.api.families import Answer, Operation
from portal.api.schemas import fields, maybe, one_of, text
from portal.codes import terms
from portal.core.forms import PortalForm

NAME = text("Ann Miller", longest="FULL_NAME_MAX_LENGTH")
OTP = text("123456", "As it stands in the newest message.")
LINK = "/auth/verify-otp/<string:uid>/<string:token>/"
TOKENS = fields(role=ROLE, refresh=REFRESH, access=ACCESS)
PROVEN = fields(message=text("Your address is confirmed."), **TOKENS["properties"])
TYPED = fields(
    {"username": USERNAME, "email": EMAIL, "code": entering.CODE},
    password=PASSWORD,
)


@FAMILY.offers(
    Operation(
        "POST",
        "/auth/sign-up/<string:role>/",
        "Sign up",
        said("We have sent an email to this address.", 201),
        of_json(
            fields(
                {"username": maybe(USERNAME), "full_name": maybe(NAME)},
                email=EMAIL,
                password=PASSWORD,
                confirm_password=AGAIN,
            )
        ),
        refuses=(404, 429),
        leads=roles.is_offered,
        about="A role that nobody can choose is no path.  The same for every address: only who"
        " reads its mail learns more.",
    )
)
def sign_up_with_role(role, body):
    typed = body["email"], body["password"], body["confirm_password"]
    wish = Wish(body.get("full_name") or None, *typed, body.get("username"), role)
    sign_up.sign_up(wish, _terms(), bearer.by())
    return {"message": _("We have sent an email to this address.")}


@FAMILY.offers(
    Operation(
        "GET",
        LINK,
        "See whether the link of a sign-up is good",
        said("The link is good. Send the code."),
        refuses=(400,),
        about="Changes nothing.  A browser is shown a page.",
    )
)
def proof_link(uid, token):
    joining.check_link(uid, token)
    if prefers_page():
        address, path = sign_up.of_link(token), f"/sign-up/link/{token}"
        form = PortalForm.read()
        return page(form.page("accounts/sign_up_link.html", address=address, path=path))
    return {"message": _("The link is good. Send the code.")}


@FAMILY.offers(
    Operation(
        "POST",
        LINK,
        "Prove the address and sign in",
        Answer(200, PROVEN),
        of_json(fields(otp=OTP)),
        refuses=(429,),
        names={"code": "otp"},
        about="An older link of the same sign-up is good with the newest code.",
    )
)
def proof(uid, token, body):
    program = joining.verify_by_link(uid, token, body["otp"], bearer.by())
    return {"message": _("Your address is confirmed."), **pair(program)}


@FAMILY.offers(
    Operation(
        "POST",
        "/auth/resend-otp/<string:uid>/<string:token>/",
        "Have the code sent once more",
        said("We have sent a new email. Use the newest one."),
        refuses=(400, 429),
    )
)
def proof_again(uid, token):
    joining.resend_by_link(uid, token, _terms(), bearer.by())
    return {"message": _("We have sent a new email. Use the newest one.")}


@FAMILY.offers(
    Operation(
        "POST",
        "/auth/sign-in/<string:role>/",
        "Sign in",
        Answer(200, TOKENS),
        of_json(one_of(TYPED, "username", "email")),
        refuses=(401, 403, 429),
        statuses=entering.STATUSES | {"role": 403},
        about="Why an account is not entered (another role, not proven, blocked) is told after the"
        " right password only.  Who has not proven the address gets a fresh message.  "
        + entering.ABOUT,
    )
)
def sign_in(role, body):
    typed = Typed(body.get("email"), body["password"], body.get("username"))
    return pair(entering.enter(typed, body.get("code"), Manner(_terms(), role)))


@FAMILY.offers(
    Operation(
        "POST",
        "/auth/refresh/",
        "Turn the refresh token",
        Answer(200, fields(access=ACCESS, refresh=REFRESH)),
        of_json(fields(refresh=REFRESH)),
        refuses=(401,),
        about="The token given is dead afterwards; whoever uses it once more ends the sign-in.",
    )
)
def refresh(body):
    program = stories.refresh(body["refresh"], bearer.by())
    return {"access": tokens.access(program.session), "refresh": program.refresh}


def _terms():
    return terms.proof(PROOF_LINK).by_program()
