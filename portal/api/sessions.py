"""Where somebody is signed in, for programs."""

from portal.api import bearer
from portal.api.bearer import Reach
from portal.api.canonical import V1
from portal.api.families import Answer, Operation
from portal.api.schemas import fields, listed, text, yes
from portal.core import clock
from portal.security.service import devices

SESSION = fields(
    id=text("0f8fad5b-d9cb-469f-a165-70867728950e", format="uuid"),
    kind=text("browser", "What is signed in: a browser, or a program through the API.")
    | {"enum": ["browser", "api"]},
    device=text("Firefox on Linux"),
    started_at=text("2026-11-21T09:30:00Z", format="date-time"),
    seen_at=text("2026-11-21T09:41:00Z", "To within a minute or so.", format="date-time"),
    current=yes("Whether it is the one that asks."),
)
SESSIONS = fields(sessions=listed(SESSION))
ONE = "/sessions/<uuid:sid>"


@V1.offers(
    Operation(
        "GET",
        "/sessions",
        "List your sign-ins",
        Answer(200, SESSIONS),
        reach=Reach.PERSON,
        refuses=(401, 403),
        about="Those that can still be used, newest first.",
    )
)
def sessions():
    return {"sessions": [_told(each) for each in devices.sign_ins(bearer.person())]}


@V1.offers(
    Operation(
        "GET",
        ONE,
        "Read one of your sign-ins",
        Answer(200, SESSION),
        reach=Reach.PERSON,
        refuses=(401, 403),
    )
)
def session(sid):
    return _told(devices.sign_in(bearer.person(), sid))


@V1.offers(
    Operation(
        "DELETE",
        ONE,
        "Sign out one device",
        Answer(),
        reach=Reach.PERSON,
        refuses=(401, 403),
        statuses={"unconfirmed": 403},
        about="Another than your own needs a sign-in or a confirmed password of the last minutes.",
    )
)
def session_end(sid):
    devices.end(bearer.session(), sid, bearer.by())


@V1.offers(
    Operation(
        "DELETE",
        "/sessions",
        "Sign out everywhere",
        Answer(),
        reach=Reach.PERSON,
        refuses=(401, 403),
        statuses={"unconfirmed": 403},
        about="Ends the sign-in that asks as well.  Needs a sign-in or a confirmed password of the"
        " last minutes.",
    )
)
def sessions_end():
    devices.end_all(bearer.session(), bearer.by())


def _told(found):
    return {
        "id": str(found.sid),
        "kind": found.kind,
        "device": found.device,
        "started_at": clock.stamp(found.started_at),
        "seen_at": clock.stamp(found.seen_at),
        "current": found.id == bearer.session().id,
    }
