"""What is answered when something is refused: the portal's own pages, or the shape of the door."""

import logging

from flask import Flask, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException

from portal.core import access, clock, metrics, shapes
from portal.core.db import AWAY, lacks_table, trouble
from portal.core.errors import KeptOut, LinkDead, NoFlow, PortalError, Unauthenticated
from portal.core.settings import setting

log = logging.getLogger("latchkey")
RETRY_SECONDS = 10
NOT_YOU, INVITATION = "not-you", "invitation"
JOINED = INVITATION, "used"
STARTS = {
    "recovery": "/recover",
    "sign-up": "/sign-up",
    "phone": "/security/phone",
    "email": "/security/email",
    "two-step": "/security/two-step",
    NOT_YOU: "/recover",
    INVITATION: "/sign-in",
}


def init_app(app: Flask) -> None:
    """Gives `app` a page for each kind of refusal."""
    app.register_error_handler(PortalError, on_portal_error)
    app.register_error_handler(NoFlow, _no_flow)
    app.register_error_handler(LinkDead, _link_dead)
    app.register_error_handler(KeptOut, _kept_out)
    app.register_error_handler(Unauthenticated, _unauthenticated)
    app.register_error_handler(HTTPException, on_http_error)
    for kind in AWAY:
        app.register_error_handler(kind, _database_away)
    app.register_error_handler(Exception, on_defect)


def on_portal_error(err: PortalError) -> ResponseReturnValue:
    """A story's refusal that no form reported."""
    status = shapes.status_of(err)
    return shapes.answer(err, status) or error_page(status, text=err.message)


def _no_flow(err: NoFlow) -> ResponseReturnValue:
    return shapes.answer(err, 400) or redirect(STARTS[err.message], 303)


def _link_dead(err: LinkDead) -> ResponseReturnValue:
    return shapes.answer(err, 400) or _link_dead_page(err)


def _link_dead_page(err: LinkDead) -> ResponseReturnValue:
    labels = {NOT_YOU: _("Choose a new password"), INVITATION: _("Sign in")}
    label = labels.get(err.start, _("Send a new email"))
    page = _named(_("This link no longer works"), err.message, STARTS[err.start], label)
    # Whoever joined and then closed the page has no password to sign in with.
    page |= {"guarding": err.start == NOT_YOU, "joined": (err.start, err.code) == JOINED}
    return render_template("errors/link_dead.html", **page), 410


def _kept_out(err: KeptOut) -> ResponseReturnValue:
    return shapes.answer(err, 429) or _kept_out_page(err)


def _unauthenticated(err: Unauthenticated) -> ResponseReturnValue:
    """On a page: whoever was signed in a moment ago signs in anew."""
    return shapes.answer(err, 401) or redirect("/sign-in", 303)


def _kept_out_page(err: KeptOut) -> ResponseReturnValue:
    seconds = max(1, clock.seconds_until(err.retry_at))
    page = render_template("accounts/wait.html", message=err.message, seconds=seconds)
    return page, 429, {"Retry-After": str(seconds)}


def _database_away(err: Exception) -> ResponseReturnValue:
    """The same for everyone, whatever was asked for: nothing could be looked up or kept."""
    metrics.database_away()
    log.error("the database cannot be used: %s, on %s", trouble(err), request.url_rule)
    answer = make_response(shapes.answer(err, 503) or error_page(503))
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


def on_http_error(err: HTTPException) -> ResponseReturnValue:
    """The portal's own look for what Flask refuses."""
    kept = {name: value for name, value in err.get_headers() if name == "Allow"}
    return shapes.answer(err, err.code or 500) or (*error_page(err.code or 500), kept)


def on_defect(err: Exception) -> ResponseReturnValue:
    """Something nobody foresaw: the request's id for the person, its trace for the log.

    With DEBUG the server's own page for developers shows it instead.
    """
    if lacks_table(err):
        return _database_away(err)
    if setting("DEBUG"):
        raise err
    metrics.defect()
    reference = access.request_id()
    log.error("defect %s on %s", reference, request.url_rule, exc_info=err)
    words = _("Something went wrong here. Its number is %(reference)s.", reference=reference)
    return shapes.answer(err, 500, words) or error_page(500, reference)


def error_page(status: int, reference: str | None = None, text: str = "") -> tuple[str, int]:
    """One sentence on what happened, one on what to do (`text`, where more is known), one link."""
    title, usual = WORDS.get(status, OTHERWISE)
    page = _named(title, text or usual, "/", _("Go to the start page"))
    return render_template("errors/error.html", status=status, reference=reference, **page), status


def _named(title: object, text: object, url: str, label: str) -> dict[str, object]:
    return {"title": title, "text": text, "action_url": url, "action_text": label}


WORDS = {
    403: (
        _l("You may not open this page"),
        _l("It belongs to somebody else, or needs other rights."),
    ),
    404: (
        _l("There is no such page"),
        _l("Check the address, or start again from the start page."),
    ),
    405: (
        _l("This page cannot be used like that"),
        _l("Open it from the start page and use its buttons."),
    ),
    413: (_l("That is too big"), _l("Nothing was changed. Send less and try again.")),
    429: (
        _l("Wait a little"),
        _l("There were many requests from you. Try again in a few minutes."),
    ),
    500: (
        _l("Something went wrong here"),
        _l("What you typed was not kept. Try again in a minute."),
    ),
    503: (
        _l("We cannot do this at the moment"),
        _l("Nothing was changed. Try again in a minute."),
    ),
}
OTHERWISE = _l("We did not understand that"), _l("Nothing was changed. Start again.")
