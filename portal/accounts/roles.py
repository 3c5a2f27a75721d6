"""Who may do what to whom: the one table."""

import re
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.accounts.models import Person
from portal.core.errors import Forbidden, NotAllowed, Rejected
from portal.core.settings import Refused, setting

USER, VIEWER, SUPPORT, ADMIN = "user", "viewer", "support", "admin"
RANK = (USER, VIEWER, SUPPORT, ADMIN)
STAFF = RANK[1:]
CALLED = {VIEWER: _l("viewer"), SUPPORT: _l("support"), ADMIN: _l("admin")}
NAME = re.compile(r"[A-Za-z0-9_-]{1,20}")  # it stands in paths


@dataclass(frozen=True)
class Permission:
    """The lowest role that has it, and what it is in words."""

    role: str
    words: str


MAY = {
    "people:read": Permission(VIEWER, _l("Find people and read what happened to their accounts")),
    "numbers:read": Permission(VIEWER, _l("Read the numbers")),
    "deliveries:read": Permission(VIEWER, _l("Read how messages are getting on")),
    "log:read": Permission(VIEWER, _l("Read what colleagues did")),
    "staff:read": Permission(VIEWER, _l("See who is staff, and what each role may do")),
    "log:export": Permission(SUPPORT, _l("Take the log out as a file")),
    "people:recover": Permission(SUPPORT, _l("Send somebody a way back in")),
    "people:resend-proof": Permission(SUPPORT, _l("Send the proof of an address once more")),
    "people:sign-out": Permission(SUPPORT, _l("Sign somebody out everywhere")),
    "people:clear-throttles": Permission(SUPPORT, _l("End somebody's waiting times")),
    "people:block": Permission(SUPPORT, _l("Block an account, and end the block")),
    "people:clear-factor": Permission(ADMIN, _l("Turn off somebody's two-step sign-in")),
    "staff:change": Permission(ADMIN, _l("Invite staff, and change what they may do")),
}


def rank(role: str) -> int:
    """How much a role may; roles that people chose for themselves rank lowest."""
    return RANK.index(role) if role in RANK else 0


def is_staff(person: Person) -> bool:
    """Whether this is somebody who helps others."""
    return rank(person.role) > 0


def called(role: str) -> str:
    """What a role is called in a sentence; a role of people by its own name."""
    return str(CALLED.get(role, role))


def may(actor: Person, permission: str) -> bool:
    """Whether the actor's role has this permission at all."""
    return rank(actor.role) >= rank(MAY[permission].role)


def check(actor: Person | None, permission: str) -> None:
    """The same as a refusal: Forbidden for staff, NotAllowed for others, who must not know of it.

    The operator at the command line (`actor` None) holds the database anyway and may do everything.
    """
    if actor is None or may(actor, permission):
        return
    if not is_staff(actor):
        raise NotAllowed
    raise Forbidden(_("Your role does not have this right. An admin does, or can give it to you."))


def require(actor: Person | None, permission: str, over: Person) -> None:
    """The right to do this to that person: never to oneself, and never upwards.

    Raises as `check` does.
    """
    check(actor, permission)
    if actor is not None and over.id == actor.id:
        raise Forbidden(_("Nobody does this to the own account. Ask a colleague."))
    if actor is not None and rank(over.role) > rank(actor.role):
        raise Forbidden(_("This account may do more than yours. Ask an admin."))


def usual() -> str:
    """The role of whoever signs up through a program without choosing one."""
    return USER if is_offered(USER) else chosen()


def chosen() -> str:
    """The role of those who sign up on the page."""
    return str(setting("SIGN_UP_ROLES")[0])


def is_offered(role: str | None) -> bool:
    """Whether people may choose it for themselves."""
    return role in setting("SIGN_UP_ROLES") and rank(str(role)) == 0


def known(role: str) -> str:
    """The role, if it is one.  Raises Rejected."""
    if role in RANK or role in setting("SIGN_UP_ROLES"):
        return role
    raise Rejected("role", "unknown", _("There is no such role. Use %(all)s.", all=", ".join(RANK)))


def check_sign_up_roles() -> None:
    """Raises Refused when people could make themselves staff, or nothing at all."""
    if not setting("SIGN_UP_ROLES"):
        raise Refused("SIGN_UP_ROLES: names no role. Unset it, or name one like user.")
    if odd := [role for role in setting("SIGN_UP_ROLES") if not NAME.fullmatch(role)]:
        raise Refused(f"SIGN_UP_ROLES: {odd[0]} is no name for a role. Use one like user.")
    staff = [role for role in setting("SIGN_UP_ROLES") if rank(role) > 0]
    if staff:
        raise Refused(f"SIGN_UP_ROLES: has {staff[0]}, a role of staff. Take it out.")
