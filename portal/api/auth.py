"""Signing up and signing in, for programs."""

from flask_babel import gettext as _

from portal.accounts import proof
from portal.accounts.programs import Program
from portal.accounts.service import joining, sign_up
from portal.accounts.service import tokens as stories
from portal.accounts.service.credentials import Typed
from portal.accounts.service.tokens import Manner
from portal.accounts.service.wishes import Wish
from portal.api import bearer, entering, tokens
from portal.api.bodies import of_json
from portal.api.canonical import V1
from portal.api.families import Answer, Operation
from portal.api.schemas import closed, fields, number, text
from portal.codes import terms
from portal.core.settings import setting

EMAIL = text("ann@example.org", longest="EMAIL_MAX_LENGTH", format="email")
PASSWORD = text("copper lantern tuesday", longest="PASSWORD_MAX_LENGTH", format="password")
NAME = text("Ann Miller", longest="FULL_NAME_MAX_LENGTH")
SENT = text("123456", "As it stands in the message.")
REFRESH = text("V1StGXR8Z5jdHi6BmyT0p3Qw7nLk2sUeYcA9fOxHrNg", "Good once.")
TOKENS = Answer(
    200,
    fields(
        access_token=text("eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl"),
        refresh_token=REFRESH,
        token_type=text("Bearer"),
        expires_in=number(1800, "Seconds that the access token lives."),
    ),
)
AGAIN = "If somebody signed up with this address, we have sent a new email."
NEUTRAL = "The same for every address: only who reads its mail learns more."


@V1.offers(
    Operation(
        "POST",
        "/auth/register",
        "Sign up",
        Answer(202, fields(message=text("We have sent an email to this address."))),
        of_json(closed(fields(email=EMAIL, password=PASSWORD, full_name=NAME))),
        refuses=(429,),
        about=NEUTRAL,
    )
)
def register(body):
    wish = Wish(body["full_name"], body["email"], body["password"])
    sign_up.sign_up(wish, terms.proof(proof.LINK).by_program(), bearer.by())
    return {"message": _("We have sent an email to this address.")}


@V1.offers(
    Operation(
        "POST",
        "/auth/verify-email",
        "Prove your email address",
        Answer(200, fields(message=text("Your address is confirmed. Sign in now."))),
        of_json(closed(fields(email=EMAIL, code=SENT))),
        refuses=(429,),
        about="Nobody is signed in by it, and whoever was before is not any more.  When several"
        " signed up with the address, a new password has to be chosen, as if it were forgotten.",
    )
)
def verify_email(body):
    if joining.verify(body["email"], body["code"], bearer.by()):
        return {"message": _("Your address is confirmed. Sign in now.")}
    words = _("Your address is confirmed. Others signed up with it, too: choose a new password.")
    return {"message": words}


@V1.offers(
    Operation(
        "POST",
        "/auth/resend-verification",
        "Have the code sent once more",
        Answer(
            200,
            fields(
                message=text("If somebody signed up with this address, we have sent a new email.")
            ),
        ),
        of_json(closed(fields(email=EMAIL))),
        refuses=(429,),
        about=NEUTRAL,
    )
)
def resend_verification(body):
    joining.resend(body["email"], terms.proof(proof.LINK).by_program(), bearer.by())
    return {"message": _("If somebody signed up with this address, we have sent a new email.")}


@V1.offers(
    Operation(
        "POST",
        "/auth/token",
        "Sign in with a password",
        TOKENS,
        of_json(closed(fields({"code": entering.CODE}, email=EMAIL, password=PASSWORD))),
        refuses=(401, 403, 429),
        statuses=entering.STATUSES,
        about=entering.ABOUT,
    )
)
def token(body):
    manner = Manner(terms.proof(proof.LINK).by_program())
    return _pair(entering.enter(Typed(body["email"], body["password"]), body.get("code"), manner))


@V1.offers(
    Operation(
        "POST",
        "/auth/refresh",
        "Turn the refresh token",
        TOKENS,
        of_json(closed(fields(refresh_token=REFRESH))),
        refuses=(401,),
        about="The token given is dead afterwards; whoever uses it once more ends the sign-in.",
    )
)
def refresh(body):
    return _pair(stories.refresh(body["refresh_token"], bearer.by()))


@V1.offers(
    Operation(
        "POST",
        "/auth/revoke",
        "Sign out",
        Answer(),
        of_json(closed(fields(refresh_token=REFRESH))),
        about="Ends the sign-in that the token belongs to; one that is nobody's ends nothing.",
    )
)
def revoke(body):
    stories.revoke(body["refresh_token"], bearer.by())


def _pair(program: Program):
    return {
        "access_token": tokens.access(program.session),
        "refresh_token": program.refresh,
        "token_type": "Bearer",
        "expires_in": setting("ACCESS_TOKEN_SECONDS"),
    }
