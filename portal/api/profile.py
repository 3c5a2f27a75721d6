"""What people say of themselves, for programs: read as a whole, changed by section."""

from portal.api import bearer, portrait
from portal.api.bearer import Reach
from portal.api.bodies import of_form, of_json
from portal.api.canonical import V1
from portal.api.families import Answer, Operation
from portal.api.schemas import Limit, closed, fields, file, one_of, text
from portal.profile import service
from portal.profile.service import Upload

ALIASES = "picture", "profile_picture", "avatar"
WHOLE_SECTION = "The section is sent whole; null or an empty text clears a member."
NAME = fields(full_name=portrait.FULL_NAME, username=portrait.USERNAME)
WORK = fields(job_title=portrait.JOB_TITLE, organisation=portrait.ORGANISATION)
LOCATION = fields(city=portrait.CITY, country=portrait.COUNTRY)
SOCIAL_LINKS = fields(social_links=portrait.SOCIAL_LINKS)
BIO = fields(bio=portrait.BIO)
FILE = file("A PNG, JPEG or WebP.") | {"maxLength": Limit("PICTURE_MAX_BYTES")}
CROP = text(
    "0,0,400", "The square to cut out: left, top and side in pixels of the upright picture."
)
PICTURE = one_of(fields({**dict.fromkeys(ALIASES, FILE), "crop": CROP}), *ALIASES)


def _section(path, summary, schema, about=WHOLE_SECTION):
    body, answer = of_json(closed(schema)), Answer(200, schema)
    return Operation(
        "PUT POST", f"/profile/{path}", summary, answer, body, Reach.PERSON, (401, 403), about=about
    )


@V1.offers(
    Operation(
        "GET",
        "/profile",
        "Read your profile",
        Answer(200, portrait.WHOLE),
        reach=Reach.ANY_TOKEN,
        refuses=(401,),
        about="What is unset is null.",
        also=service.ALSO,
    )
)
def profile():
    return portrait.whole(bearer.person())


@V1.offers(_section("name", "Change your name and username", NAME))
def profile_name(body):
    return _changed(body, NAME)


@V1.offers(_section("work", "Change your work", WORK))
def profile_work(body):
    return _changed(body, WORK)


@V1.offers(_section("location", "Change your location", LOCATION))
def profile_location(body):
    return _changed(body, LOCATION)


@V1.offers(
    _section(
        "social-links",
        "Change your social links",
        SOCIAL_LINKS,
        "Replaces all: what is null, empty or left out is none any more.  A name on the platform,"
        " with or without @, becomes its address.",
    )
)
def profile_social_links(body):
    return _changed(body, SOCIAL_LINKS)


@V1.offers(_section("bio", "Change your biography", BIO))
def profile_bio(body):
    return _changed(body, BIO)


@V1.offers(
    Operation(
        "PUT POST",
        "/profile/picture",
        "Change your picture",
        Answer(200, portrait.PICTURE),
        of_form(closed(PICTURE)),
        Reach.PERSON,
        (401, 403),
        about="Exactly one file, under one of three names.  Squares of three sizes are made of it.",
    )
)
def profile_picture(body):
    name = next(each for each in ALIASES if each in body)
    upload = Upload(body[name], body.get("crop"), name)
    service.change(bearer.person(), {}, bearer.by(), upload)
    return portrait.pictures(bearer.person())


@V1.offers(
    Operation(
        "DELETE",
        "/profile/picture",
        "Remove your picture",
        Answer(),
        reach=Reach.PERSON,
        refuses=(401, 403),
    )
)
def profile_picture_removal():
    service.remove_picture(bearer.person(), bearer.by())


def _changed(body, schema):
    service.change(bearer.person(), body, bearer.by())
    return portrait.part(bearer.person(), schema)
