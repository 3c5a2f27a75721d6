"""Family E: accounts and pictures at the top of the site."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect
from flask_babel import gettext as _

from portal.accounts import people, proof
from portal.accounts.service import open_sign_up
from portal.accounts.service.credentials import Typed
from portal.accounts.service.tokens import Manner
from portal.accounts.service.wishes import Wish
from portal.api import bearer, entering, portrait, tokens
from portal.api.bearer import Reach
from portal.api.bodies import of_form, of_json
from portal.api.canonical import ASKS
from portal.api.families import Answer, Family, No, Operation
from portal.api.portrait import FULL_NAME, PICTURE
from portal.api.schemas import Limit, Schema, fields, file, text
from portal.codes import terms
from portal.core.errors import Rejected, SecondStepNeeded
from portal.profile import service as profile
from portal.profile.service import Upload
from portal.recovery.service import asking, links, resetting
from portal.recovery.service.choice import Choice
from portal.recovery.service.resetting import Identity

WHY = {"type": "object", "description": "Each field that was refused, and why."}
REFUSAL: Schema = fields(
    {"errors": WHY, **ASKS},
    status=text("error"),
    message=text("That code is not right."),
)
EMAIL = text("ann@example.org", longest="EMAIL_MAX_LENGTH", format="email")
PASSWORD = text("copper lantern tuesday", longest="PASSWORD_MAX_LENGTH", format="password")
ROLE = text("user", "One of those that people may choose; without it, user, if that is one.")
OWN_EMAIL = EMAIL | {"description": "The account's own: it cannot be changed here."}
IMAGE = file("A PNG, JPEG or WebP.") | {"maxLength": Limit("PICTURE_MAX_BYTES")}
CODE = text("123456", "That of the message.")
WHO = {
    "id": text("6f1f9c1e-5a0e-4d0b-9a53-0c2f5a3f7c11", format="uuid"),
    "full_name": FULL_NAME,
    "email": EMAIL,
    "avatar": PICTURE["properties"]["picture"],
}
SAID = {"status": text("success"), "message": text("Done.", "What happened, for people.")}
ENTERED = fields(
    **SAID,
    access_token=text("eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl"),
    user=fields(**WHO, role=ROLE),
)


def envelope(no: No) -> Mapping[str, Any]:
    """That it went wrong, and how; who may not come in learns of no field."""
    errors = {"errors": no.errors} if no.errors and no.status not in (401, 403) else {}
    more = {"second_factor_required": True} if no.code == SecondStepNeeded.code else {}
    return {"status": "error", "message": no.message, **errors, **more}


FAMILY = Family(
    key="e",
    title="E: accounts and pictures",
    blueprint=Blueprint("bare", __name__),
    prefixes=("",),
    envelope=envelope,
    refusal=REFUSAL,
    statuses={"*": 400, "unproven": 403},
)


@FAMILY.blueprint.get("/login", defaults={"there": "/sign-in"})
@FAMILY.blueprint.get("/register", defaults={"there": "/sign-up"})
@FAMILY.blueprint.get("/forgot-password", defaults={"there": "/recover"})
@FAMILY.blueprint.get("/reset-password", defaults={"there": "/auth/password-reset"})
def page(there):
    """Somebody opened the path in a browser."""
    return redirect(there, 302)


@FAMILY.offers(
    Operation(
        "POST",
        "/register",
        "Sign up and sign in",
        Answer(201, ENTERED),
        of_json(fields({"role": ROLE}, full_name=FULL_NAME, email=EMAIL, password=PASSWORD)),
        refuses=(429,),
        about="The address gets a message with a code and a link. Until one of them is used, the "
        "access token reads the own profile and changes name and picture, nothing else; then it "
        "is dead. An address that somebody has is told: this is the only operation that does.",
    )
)
def register(body):
    wish = Wish(body["full_name"], body["email"], body["password"], role=body.get("role", ""))
    how = terms.proof(proof.LINK).by_program()
    program = open_sign_up.register(wish, how, bearer.by())
    words = _("Your account is there. Confirm your email address: we have sent you a message.")
    return _entered(program, words)


@FAMILY.offers(
    Operation(
        "POST",
        "/login",
        "Sign in",
        Answer(200, ENTERED),
        of_json(fields({"code": entering.CODE}, email=EMAIL, password=PASSWORD)),
        refuses=(401, 403, 429),
        statuses=entering.STATUSES,
        about="While the address is not confirmed, the access token reaches what that of "
        f"/register does. {entering.ABOUT}",
    )
)
def login(body):
    manner = Manner(proof=None, refreshing=False)
    program = entering.enter(Typed(body["email"], body["password"]), body.get("code"), manner)
    return _entered(program, _("You are signed in."))


@FAMILY.offers(
    Operation(
        "POST",
        "/forgot-password",
        "Ask for a code to choose a new password",
        Answer(200, fields(**SAID)),
        of_json(fields(email=EMAIL)),
        refuses=(429,),
        about="The answer is the same whether somebody has the address or not.",
    )
)
def forgot_password(body):
    asking.start_by_email(body["email"], terms.api(links.PATH), bearer.by())
    return _done(_("If there is an account with this address, we have sent it a code."))


@FAMILY.offers(
    Operation(
        "POST",
        "/reset-password",
        "Choose a new password with the code",
        Answer(200, fields(**SAID)),
        of_json(fields(email=EMAIL, otp=CODE, new_password=PASSWORD)),
        refuses=(401, 429),
        statuses={"code": 401},
        names={"password": "new_password", "code": "otp"},
        about="Every sign-in of the account ends. A code that was never asked for: 400.",
    )
)
def reset_password(body):
    identity, choice = Identity(email=body["email"]), Choice(body["new_password"])
    resetting.reset_by_code(identity, body["otp"], choice, bearer.by())
    return _done(_("Your password is changed. Sign in with the new one."))


@FAMILY.offers(
    Operation(
        "POST",
        "/update-profile",
        "Change name and picture",
        Answer(200, fields(**SAID, user=fields(**WHO))),
        of_form(fields({"full_name": FULL_NAME, "avatar": IMAGE, "email": OWN_EMAIL})),
        reach=Reach.ANY_TOKEN,
        refuses=(401,),
        about="What is left out stays. Either all of it is accepted or nothing is changed.",
    )
)
def update_profile(body):
    person = bearer.person()
    _check_own(person, body)
    picture = Upload(body["avatar"], field="avatar") if "avatar" in body else None
    name = {"full_name": body["full_name"]} if "full_name" in body else {}
    profile.change(person, name, bearer.by(), picture)
    return _done(_("Your profile is changed.")) | {"user": _who(person)}


def _check_own(person, body):
    """Nobody changes an address here, nor learns of another's."""
    if "email" in body and people.key(body["email"]) != person.email_key:
        raise Rejected("email", "other", _("This is not the address of your account."))


def _entered(program, words):
    person = program.session.person
    user = _who(person) | {"role": person.role}
    return _done(words) | {"access_token": tokens.access(program.session), "user": user}


def _who(person):
    return {
        "id": str(person.uuid),
        "full_name": person.full_name,
        "email": person.email,
        "avatar": portrait.picture(person),
    }


def _done(words):
    return {"status": "success", "message": words}
