"""Family D: reading and changing one's own profile."""

from flask_babel import gettext as _

from portal.api import bearer, portrait
from portal.api.bearer import Reach
from portal.api.bodies import of_form, of_json
from portal.api.dialects.slashed import AGAIN, FAMILY, PASSWORD, said
from portal.api.families import Answer, Operation
from portal.api.schemas import Limit, fields, file, text
from portal.profile import service
from portal.profile.service import Upload
from portal.security.service import password
from portal.security.service.password import Change

PICTURE = "profile_picture"
CHANGED = {
    name: schema
    for name, schema in portrait.WHOLE["properties"].items()
    if name not in ("email", *portrait.PICTURE["properties"])
}
TOLD = dict(portrait.WHOLE["properties"])
PROFILE = Answer(200, fields(**{PICTURE: TOLD.pop("picture")}, **TOLD))
FILE = file("A PNG, JPEG or WebP.") | {"maxLength": Limit("PICTURE_MAX_BYTES")}
SENT = text("123456", "Of the newest message, where the settings ask for one.")
OLD = PASSWORD | {"description": "The current one; not needed for some minutes after confirming."}
PROOFS = {"old_password": OLD, "code": SENT}


@FAMILY.offers(
    Operation(
        "GET",
        "/user-profile/",
        "Read your profile",
        PROFILE,
        reach=Reach.ANY_TOKEN,
        refuses=(401, 403),
        about="What is unset is null.",
        also=service.ALSO,
    )
)
def profile():
    return _whole()


@FAMILY.offers(
    Operation(
        "PUT",
        "/user-profile/update/",
        "Change some of your profile",
        PROFILE,
        of_json(fields(CHANGED)),
        Reach.PERSON,
        (401, 403),
        about="What is left out stays as it is; null or an empty text clears a member, social links"
        " are replaced all together.",
    )
)
def profile_update(body):
    typed = {name: value for name, value in body.items() if name in CHANGED}
    if "social_links" in typed:  # of other platforms this family says nothing, as of other keys
        known = portrait.SOCIAL_LINKS["properties"]
        typed["social_links"] = {k: v for k, v in body["social_links"].items() if k in known}
    service.change(bearer.person(), typed, bearer.by())
    return _whole()


@FAMILY.offers(
    Operation(
        "PUT",
        "/user-profile/change-picture/",
        "Change your picture",
        PROFILE,
        of_form(fields(profile_picture=FILE)),
        Reach.PERSON,
        (401, 403),
    )
)
def profile_picture(body):
    service.change(bearer.person(), {}, bearer.by(), Upload(body[PICTURE], field=PICTURE))
    return _whole()


@FAMILY.offers(
    Operation(
        "PUT",
        "/user-profile/update-password/",
        "Change your password",
        said("Your password is changed."),
        of_json(
            fields({"old_password": OLD, "code": SENT}, password=PASSWORD, confirm_password=AGAIN)
        ),
        Reach.PERSON,
        (401, 403, 429),
        statuses={"unconfirmed": 403, "mismatch": 403},
        about="Every other sign-in ends.  Where the settings ask for a code as well, the first call"
        " without it sends one and answers 403 with `code_required`; the repeat carries `code`.",
    )
)
def profile_password(body):
    typed = body.get("old_password"), body["password"], body["confirm_password"]
    change = Change(*typed, code=body.get("code"))
    password.change_confirmed(bearer.session(), change, bearer.by())
    return {"message": _("Your password is changed.")}


def _whole():
    told = portrait.whole(bearer.person())
    return {PICTURE: told.pop("picture"), **told}
