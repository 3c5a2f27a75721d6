"""Who may do what to whom: the one table."""

import re

from flask_babel import gettext as _

from portal.accounts.models import Person
from portal.core.errors import NotAllowed, Rejected
from portal.core.settings import Refused, setting

USER = "user"
RANK = (USER, "viewer", "support", "admin")
NAME = re.compile(r"[A-Za-z0-9_-]{1,20}")  # it stands in paths
MAY = {
    "people:read": "viewer",
    "people:block": "support",
    "people:clear-throttles": "support",
    "people:recover": "support",
    "staff:change": "admin",
}


def rank(role: str) -> int:
    """How much a role may; roles that people chose for themselves rank lowest."""
    return RANK.index(role) if role in RANK else 0


def is_staff(person: Person) -> bool:
    """Whether this is somebody who helps others."""
    return rank(person.role) > 0


def require(actor: Person | None, permission: str, over: Person) -> None:
    """Raises NotAllowed below the permission's role, on oneself, and upwards.

    The operator at the command line (`actor` None) holds the database anyway and may do everything.
    """
    if actor is None:
        return
    mine = rank(actor.role)
    if mine < rank(MAY[permission]) or over.id == actor.id or rank(over.role) > mine:
        raise NotAllowed


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
