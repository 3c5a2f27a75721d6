"""What may be done for a person, and by whom: each act with its permission."""

from collections.abc import Callable

from portal.accounts import roles, sessions
from portal.accounts.models import Person
from portal.core.errors import NotAllowed

ACTS = {
    "recovery": "people:recover",
    "resend-proof": "people:resend-proof",
    "clear-throttles": "people:clear-throttles",
    "unblock": "people:block",
    "sign-out": "people:sign-out",
    "block": "people:block",
    "clear-factor": "people:clear-factor",
}
SENSITIVE = "block", "clear-factor"  # who does them shows once more who they are


def acts(person: Person, me: Person, waits: int) -> list[str]:
    """The acts that this colleague may do on that person and that make sense now, by name.

    `waits`: how many counts of the person are running.
    """
    return [
        name
        for name, permission in ACTS.items()
        if _may(me, permission, person) and MAKES_SENSE[name](person, waits)
    ]


def _may(me: Person, permission: str, person: Person) -> bool:
    try:
        roles.require(me, permission, over=person)
    except NotAllowed:
        return False
    return True


def _is_free(person: Person, _waits: int) -> bool:
    """Neither blocked nor deleted by others."""
    return person.may_come_back or not person.is_shut


MAKES_SENSE: dict[str, Callable[[Person, int], bool]] = {
    "recovery": _is_free,
    "resend-proof": lambda person, _: person.email_proven_at is None and not person.is_shut,
    "clear-throttles": lambda _, waits: waits > 0,
    "unblock": lambda person, _: person.is_blocked,
    "sign-out": lambda person, _: sessions.count(person.id, halves=True) > 0,
    "block": lambda person, _: not person.is_blocked,
    "clear-factor": lambda person, _: person.two_step_at is not None,
}
