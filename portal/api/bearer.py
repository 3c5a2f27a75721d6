"""Which program asks, and for whom: an access token in the Authorization header (RFC 6750, 2.1)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from flask import g, request
from flask_babel import gettext as _

from portal.accounts import devices, programs, sessions
from portal.api import tokens
from portal.core import access, web
from portal.core.audit import By
from portal.core.errors import Unauthenticated

if TYPE_CHECKING:
    from portal.accounts.glances import Along
    from portal.accounts.models import Person, Session


class Reach(Enum):
    """Who may use an operation."""

    EVERYBODY = "everybody"
    ANY_TOKEN = "any token"  # noqa: S105 - also that of an address which is not proven yet
    PERSON = "person"


def check(reach: Reach, also: Along | None = None) -> None:
    """Raises Unauthenticated for whoever may not use an operation of this reach."""
    if reach is Reach.EVERYBODY:
        return
    g.session = _session(_token(), also)
    if reach is Reach.PERSON and g.session.person.email_proven_at is None:
        words = _("Confirm your email address first: its message has a code and a link.")
        raise Unauthenticated("unproven", words)


def session() -> Session:
    """The sign-in that this request's token names."""
    found: Session = g.session
    return found


def person() -> Person:
    """Whom the program acts for."""
    return session().person


def by() -> By:
    """The acting person, network and program, for audit and throttle."""
    person_id, session_id = (session().person_id, session().id) if "session" in g else (None, None)
    device = devices.describe(request.headers.get("User-Agent", ""), _("a program"))
    return By(person_id, web.network(), device, session_id=session_id, request=access.request_id())


def _token() -> str:
    header = request.headers.get("Authorization", "").strip()
    scheme, _space, token = header.partition(" ")
    if not header:
        raise Unauthenticated("no-token", _("The Authorization header is missing."))
    if scheme.lower() != "bearer" or not token.strip():
        words = _("The Authorization header has to read: Bearer, a space, and an access token.")
        raise Unauthenticated("scheme", words)
    return token.strip()


def _session(token: str, also: Along | None) -> Session:
    """Blocked is told before anything else of the sign-in: it is over as well."""
    try:
        found = programs.of_sid(tokens.sid(token), also)
    except tokens.Expired:
        raise Unauthenticated("expired", _("This access token has expired.")) from None
    except tokens.Invalid:
        raise Unauthenticated("invalid", _("This is no valid access token.")) from None
    if found is not None and found.person.is_blocked:
        raise Unauthenticated("blocked", _("This account is blocked."))
    if found is None or not sessions.is_live(found):
        raise Unauthenticated("ended", _("The sign-in of this access token has ended."))
    sessions.touch(found)
    return found
