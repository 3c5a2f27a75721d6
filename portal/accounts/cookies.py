"""What the browser keeps for us: the sign-in, half of one, and that it is known here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Request, flash, redirect, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import sessions
from portal.accounts.entry import Half, SignedIn
from portal.core.settings import setting

if TYPE_CHECKING:
    from portal.accounts.models import Session

DAY = 86_400
LONGEST_KEPT = 254  # of where somebody wanted to go: the cookie has to stay small


def let_half_in(half: Half, target: str) -> Response:
    """The second step is next; it gives the browser no right but to take it."""
    _drop_form_state()
    session["half"] = {"secret": half.secret, "next": target}
    return redirect("/sign-in/second-step", 303)


def half() -> Session | None:
    """The half sign-in of this browser; None where there is none, or not any more."""
    return sessions.of_half(session.get("half", {}).get("secret"))


def half_target() -> str:
    """Where whoever takes the second step wanted to go."""
    return local(str(session.get("half", {}).get("next", "")))


def let_in(answer: Response, signed: SignedIn) -> Response:
    """Puts a fresh sign-in into the browser, and nothing of the time before.

    The next page says so when it has kept an account from being deleted.
    """
    _drop_form_state()
    if signed.restored:
        flash(_("Your account is kept."), "ok")
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
    if len(target) > LONGEST_KEPT:
        return otherwise
    safe = target.startswith("/") and target[1:2] not in ("/", "\\") and target.isprintable()
    return target if safe and "\\" not in target and " " not in target else otherwise


def secret(req: Request) -> str:
    """What this browser was given when somebody signed in; "" without."""
    return req.cookies.get(_name("latchkey"), "")


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
