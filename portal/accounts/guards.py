"""Who is at the door of a page, and what the browser keeps for us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Request, g, redirect, request, session
from flask_login import LoginManager, UserMixin, current_user
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response

from portal.accounts import devices, phones, roles, sessions
from portal.accounts.entry import SignedIn
from portal.core import web
from portal.core.audit import By
from portal.core.forms import PortalForm
from portal.core.settings import setting

if TYPE_CHECKING:
    from portal.accounts.models import Person, Session

DAY = 86_400
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
        return None
    wanted = (
        request.path if request.method == "GET" and request.path not in ("/", "/profile") else ""
    )
    return redirect(f"/sign-in?next={wanted}" if wanted else "/sign-in", 303)


def unconfirmed(page: str, typed: str | None = None) -> Response | None:
    """Guard of what is sensitive: others type their password first, and come back to `page`.

    What was `typed` there, never a password, waits for them (`remembered`).
    """
    if sessions.is_fresh(current_user.session):
        return None
    session["typed"] = {page: (typed or "")[:LONGEST_KEPT]}
    return redirect(f"/security/confirm?next={page}", 303)


def remembered(page: str) -> str:
    """What was typed on this page before the password was asked for; once."""
    return str(session.pop("typed", {}).get(page, ""))


def by() -> By:
    """The acting person, network and device, for audit and throttle."""
    acting = current_user.session if current_user.is_authenticated else None
    person_id, session_id = (acting.person_id, acting.id) if acting else (None, None)
    device = devices.describe(request.headers.get("User-Agent", ""))
    return By(person_id, web.network(), device, session_id=session_id)


def let_in(answer: Response, signed: SignedIn) -> Response:
    """Puts a fresh sign-in into the browser, and nothing of the time before."""
    _drop_form_state()
    seconds = setting("KEEP_SIGNED_IN_DAYS") * DAY if signed.kept else None
    answer = _set(answer, _name("latchkey"), signed.secret, seconds)
    return _set(answer, _name("latchkey-device"), signed.device, setting("KNOWN_DEVICE_DAYS") * DAY)


def renew(answer: Response, secret: str, kept: bool) -> Response:
    """The same sign-in under a new secret."""
    _drop_form_state()
    return _set(
        answer, _name("latchkey"), secret, setting("KEEP_SIGNED_IN_DAYS") * DAY if kept else None
    )


def let_out(answer: Response) -> Response:
    """Takes the sign-in out of the browser; that it was known here stays."""
    _drop_form_state()
    answer.delete_cookie(_name("latchkey"), secure=_secure(), httponly=True, samesite="Lax")
    return answer


def known_device() -> str | None:
    """What this browser was given when somebody signed in, or None."""
    return request.cookies.get(_name("latchkey-device")) or None


def local(target: str, otherwise: str = "/profile") -> str:
    """`target` if it is a path of this portal: no way out to other sites."""
    safe = target.startswith("/") and target[1:2] not in ("/", "\\") and target.isprintable()
    return target if safe and "\\" not in target and " " not in target else otherwise


def _from_cookie(req: Request) -> Visitor | None:
    secret = req.cookies.get(_name("latchkey"), "")
    found = sessions.of_cookie(secret) if secret else None
    return Visitor(found) if found else None


def _on_every_page() -> dict[str, object]:
    if "_plain_form" not in g:
        g._plain_form = PortalForm(formdata=None)
    return {"me": LocalProxy(_me), "plain_form": g._plain_form}


def _me() -> Person | None:
    """Asked for by the pages that show it alone: what says that the database is away must not."""
    return current_user.person if current_user and current_user.is_authenticated else None


def _drop_form_state() -> None:
    """A new CSRF token with every change of rights; what the page wants to say next stays."""
    for name in [key for key in session if key != "_flashes"]:
        session.pop(name)


def _set(answer: Response, name: str, value: str, seconds: int | None) -> Response:
    answer.set_cookie(name, value, max_age=seconds, secure=_secure(), httponly=True, samesite="Lax")
    return answer


def _name(plain: str) -> str:
    return f"__Host-{plain}" if _secure() else plain


def _secure() -> bool:
    return bool(setting("PUBLIC_URL").startswith("https://"))
