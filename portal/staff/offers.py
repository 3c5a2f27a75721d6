"""What may be done for a person, and by whom: each act with its permission."""

from collections.abc import Callable

from portal.accounts import attention, roles, sessions, waiting
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


def acts(person: Person, me: Person) -> list[str]:
    """The acts that this colleague may do on that person and that make sense now, by name."""
    return [
        name
        for name, permission in ACTS.items()
        if _may(me, permission, person) and MAKES_SENSE[name](person)
    ]


def seen(person: Person) -> int:
    """What a page has to tell with each act: the newest one that its reader knows of."""
    return attention.newest(person.id)


def _may(me: Person, permission: str, person: Person) -> bool:
    try:
        roles.require(me, permission, over=person)
    except NotAllowed:
        return False
    return True


MAKES_SENSE: dict[str, Callable[[Person], bool]] = {
    "recovery": lambda person: not person.is_shut,
    "resend-proof": lambda person: person.email_proven_at is None and not person.is_shut,
    "clear-throttles": lambda person: waiting.count(person) > 0,
    "unblock": lambda person: person.is_blocked,
    "sign-out": lambda person: sessions.count(person.id) > 0,
    "block": lambda person: not person.is_blocked,
    "clear-factor": lambda person: person.two_step_at is not None,
}
