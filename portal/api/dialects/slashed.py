"""Family D: sign-up, sign-in and profiles, every path with a slash at its end."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, request
from flask.typing import ResponseReturnValue

from portal.accounts.programs import Program
from portal.api import tokens
from portal.api.canonical import ASKS
from portal.api.families import Answer, Family, No
from portal.api.schemas import Schema, fields, text, yes
from portal.core.errors import Unauthenticated

PROOF_LINK = "/auth/verify-otp/{uid}/{token}/"
RESET_LINK = "/auth/reset-password/{uid}/{token}/"
LINKS = tuple(link.partition("{")[0] for link in (PROOF_LINK, RESET_LINK))
REFUSAL: Schema = fields(
    {
        "message": text("Check what was sent.", "What went wrong, where no field is to blame."),
        "detail": text("This access token has expired.", "The same, of a token."),
        "code": text("token_not_valid", "Of a token: token_not_valid or not_authenticated.")
        | {"type": ["string", "array"]},  # the reasons, where the field of this name is refused
        "pos": yes("False: the account has another role.", example=False),
        "not_verified": yes("True: the address is not proven yet; a message was sent."),
        "is_blocked": yes("True: the account is blocked."),
        **ASKS,
        "code_required": yes("True: a code is needed as well; it was sent."),
    }
) | {"description": "A message, or else each field that was refused with a list of reasons."}
FACTS = {
    "role": {"pos": False},
    "unproven": {"not_verified": True},
    "blocked": {"is_blocked": True},
    "second-step": {"second_factor_required": True},
    "code-needed": {"code_required": True},
}
EMAIL = text("ann@example.org", longest="EMAIL_MAX_LENGTH", format="email")
PASSWORD = text("copper lantern tuesday", longest="PASSWORD_MAX_LENGTH", format="password")
AGAIN = PASSWORD | {"description": "The same once more."}
USERNAME = text("ann.miller", longest="USERNAME_MAX_LENGTH")
REFRESH = text("V1StGXR8Z5jdHi6BmyT0p3Qw7nLk2sUeYcA9fOxHrNg", "Good once.")
ACCESS = text("eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl")
ROLE = text("user")
bp = Blueprint("slashed", __name__)


def envelope(no: No) -> Mapping[str, Any]:
    """The fields alone where fields are wrong, else a message and what a program may act upon."""
    if isinstance(no.cause, Unauthenticated) and no.status == 401:
        code = "not_authenticated" if no.code == "no-token" else "token_not_valid"
        return {"detail": no.message, "code": code, "message": no.message}
    if no.errors and no.status not in (401, 403):
        return no.errors
    return {"message": no.message, **FACTS.get(no.code, {})}


def prefers_page() -> bool:
    """Whether somebody has opened a message's link in a browser."""
    looking = request.method in ("GET", "HEAD") and request.path.startswith(LINKS)
    kinds = ["application/json", "text/html"]
    return looking and request.accept_mimetypes.best_match(kinds) == "text/html"


def page(shown: ResponseReturnValue) -> Response:
    """The portal's own page in the place of an answer."""
    return make_response(shown)


def said(sample: str, status: int = 200) -> Answer:
    """An answer with a message alone."""
    return Answer(status, fields(message=text(sample)))


def pair(program: Program) -> dict[str, str]:
    """The tokens of a sign-in, and whose role it is."""
    session = program.session
    return {
        "role": session.person.role,
        "refresh": program.refresh,
        "access": tokens.access(session),
    }


@bp.after_request
def tell_caches(answer: Response) -> Response:
    """One link, two faces."""
    if request.path.startswith(LINKS):
        answer.vary.add("Accept")
    return answer


FAMILY = Family(
    key="d",
    title="D: sign-up, sign-in and profiles",
    blueprint=bp,
    prefixes=("",),
    envelope=envelope,
    refusal=REFUSAL,
    statuses={"*": 400, "unproven": 403, "blocked": 403},
    under="/user-profile/",
    prefers_page=prefers_page,
)
