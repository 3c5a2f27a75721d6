"""Who is at the door of a page, and what the browser keeps for us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, Request, flash, g, redirect, request, session
from flask_babel import gettext as _
from flask_login import LoginManager, UserMixin, current_user
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response

from portal.accounts import cookies, devices, phones, roles, sessions
from portal.core import access, web
from portal.core.audit import By
from portal.core.errors import NotAllowed

if TYPE_CHECKING:
    from portal.accounts.models import Person, Session

SET_UP, CONFIRM = "/security/two-step/set-up", "/security/confirm"
LONGEST_KEPT = 254  # of what was typed: the cookie has to stay small


class Visitor(UserMixin):
    """The person of this request and the sign-in that brought them."""

    def __init__(self, signed_in: Session) -> None:
        self.session, self.person = signed_in, signed_in.person


class _Manager(LoginManager):
    """Without the cookie that it would keep people signed in by: ours is another."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return response  # it reads the session, and programs' answers must not depend on cookies


def init_app(app: Flask) -> None:
    """Lets `app` know its visitors."""
    manager = _Manager()
    manager.init_app(app, add_context_processor=False)  # it would ask the database for every page
    manager.request_loader(_from_cookie)
    manager.session_protection = None  # nothing of a sign-in is kept in Flask's own cookie
    app.context_processor(_on_every_page)
    with app.app_context():
        roles.check_sign_up_roles()
        phones.check_countries()


def signed_in() -> Response | None:
    """Guard of a blueprint: others go to sign in first, and come back."""
    if current_user.is_authenticated:
        return _lacks_factor()
    wanted = (
        request.path if request.method == "GET" and request.path not in ("/", "/profile") else ""
    )
    return redirect(f"/sign-in?next={wanted}" if wanted else "/sign-in", 303)


def of_desk() -> Response | None:
    """Guard of the helpdesk's pages: for others who are signed in they are not there."""
    if (stopped := signed_in()) is not None:
        return stopped
    if not roles.is_staff(current_user.person):
        raise NotAllowed
    return None


def having(permission: str) -> Callable[[], None]:
    """Guard of those pages of the helpdesk that take this permission; comes after `of_desk`."""
    return lambda: roles.check(current_user.person, permission)


def _lacks_factor() -> Response | None:
    """Who helps others sets up a second factor before anything else."""
    person = current_user.person
    if not roles.is_staff(person) or person.two_step_at or request.path in (SET_UP, CONFIRM):
        return None
    return redirect(SET_UP, 303)


def unconfirmed(page: str, typed: str | None = None) -> Response | None:
    """Guard of what is sensitive: others type their password first, and come back to `page`.

    What was `typed` there, never a password, waits for them (`remembered`).
    """
    if sessions.is_fresh(current_user.session):
        return None
    session["typed"] = {page: (typed or "")[:LONGEST_KEPT]}
    return redirect(f"{CONFIRM}?next={quote(page)}", 303)


def interrupted(page: str) -> Response | None:
    """The same for forms of which nothing waits: whoever sent one is told so."""
    stopped = unconfirmed(page)
    if stopped is not None and request.method == "POST":
        words = _("Nothing is done yet. Confirm that it is you, then fill in the form again.")
        flash(words, "warn")
    return stopped


def remembered(page: str) -> str:
    """What was typed on this page before the password was asked for; once."""
    return str(session.pop("typed", {}).get(page, ""))


def by() -> By:
    """The acting person, network and device, for audit and throttle."""
    acting = current_user.session if current_user.is_authenticated else None
    person_id, session_id = (acting.person_id, acting.id) if acting else (None, None)
    device = devices.describe(request.headers.get("User-Agent", ""))
    return By(person_id, web.network(), device, session_id=session_id, request=access.request_id())


def by_desk(verified_by: str, reason: str, ticket: str, seen: int | None = None) -> By:
    """The same for somebody of the helpdesk who acts on another person.

    `seen`: the newest act on that person that was on the page, where the page told one.
    """
    acting = replace(by(), desk=True, seen=seen)
    return replace(acting, verified_by=verified_by, reason=reason, ticket=ticket)


def _from_cookie(req: Request) -> Visitor | None:
    secret = cookies.secret(req)
    found = sessions.of_cookie(secret, g.get("also")) if secret else None
    return Visitor(found) if found else None


def _on_every_page() -> dict[str, object]:
    return {"me": LocalProxy(_me)}


def _me() -> Person | None:
    """Asked for by the pages that show it alone: what says that the database is away must not."""
    return current_user.person if current_user and current_user.is_authenticated else None
