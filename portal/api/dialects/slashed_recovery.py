"""Family D: getting back in by the link of a message."""

from flask_babel import gettext as _

from portal.api import bearer
from portal.api.bodies import of_json
from portal.api.dialects.slashed import (
    AGAIN,
    EMAIL,
    FAMILY,
    PASSWORD,
    RESET_LINK,
    page,
    prefers_page,
    said,
)
from portal.api.families import Operation
from portal.api.schemas import fields, one_of, text
from portal.codes import terms
from portal.recovery import service
from portal.recovery.forms import LinkForm
from portal.recovery.service import asking, resetting
from portal.recovery.service.resetting import Choice

LINK = "/auth/reset-password/<string:uid>/<string:token>/"
NAMED = text("ann.miller")  # one that nobody can have is answered like one that nobody has


@FAMILY.offers(
    Operation(
        "POST",
        "/auth/forgot-password/",
        "Ask for a way back in",
        said("If there is such an account, we have sent it an email."),
        of_json(one_of(fields({"email": EMAIL, "username": NAMED}), "email", "username")),
        refuses=(429,),
        about="The same for everyone: only who reads the account's mail learns more.",
    )
)
def forgot_password(body):
    by_email = "email" in body
    ask = asking.start_by_email if by_email else asking.start_by_username
    ask(body["email" if by_email else "username"], terms.api(RESET_LINK), bearer.by())
    return {"message": _("If there is such an account, we have sent it an email.")}


@FAMILY.offers(
    Operation(
        "GET",
        LINK,
        "See whether the link of a recovery is good",
        said("The link is good. Send the new password."),
        refuses=(400,),
        about="Changes nothing.  A browser is shown a page.",
    )
)
def reset_link(uid, token):
    resetting.check_link(token, uid)
    if prefers_page():
        address, path = service.of_link(token), f"/recover/link/{token}"
        return page(LinkForm.read().page("recovery/link.html", address=address, path=path))
    return {"message": _("The link is good. Send the new password.")}


@FAMILY.offers(
    Operation(
        "POST",
        LINK,
        "Choose a new password",
        said("Your password is changed. Sign in with it."),
        of_json(fields(password=PASSWORD, confirm_password=AGAIN)),
        about="Every sign-in of the account ends.",
    )
)
def reset_password(uid, token, body):
    choice = Choice(body["password"], body["confirm_password"])
    resetting.reset_by_link(token, choice, bearer.by(), uid)
    return {"message": _("Your password is changed. Sign in with it.")}
