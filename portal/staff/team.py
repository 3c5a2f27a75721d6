"""Who is staff, who was asked to become it, and what each role may do."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from portal.accounts import invitations, people, roles, sessions
from portal.accounts.models import Invitation, Person, Session
from portal.codes.models import Challenge
from portal.core.db import db
from portal.core.errors import NotAllowed

Choices = list[tuple[str, LazyString]]
STAFF_ROLES = [
    (roles.VIEWER, _l("Viewer: reads")),
    (roles.SUPPORT, _l("Support: reads and helps people")),
    (roles.ADMIN, _l("Admin: the same, and looks after staff")),
]
NONE = (roles.USER, _l("No role: leaves the helpdesk"))


@dataclass(frozen=True)
class Member:
    """Somebody who helps others; `last_in` None: not since sign-ins are kept, or never."""

    uuid: UUID
    name: str
    email: str
    role: str
    has_two_step: bool
    last_in: datetime | None
    is_kept_out: bool


@dataclass(frozen=True)
class Open:
    """An invitation that nobody has accepted; `until` None: its message is still on its way.

    `inviter` is "" for the operator.
    """

    id: int
    email: str
    role: str
    inviter: str
    invited_at: datetime
    until: datetime | None


@dataclass(frozen=True)
class Right:
    """A permission in words, and whether each of the staff's roles has it."""

    words: LazyString | str
    held: tuple[bool, ...]


def facts(actor: Person) -> dict[str, object]:
    """What the page shows to this colleague; open invitations only to those who look after them."""
    changes = roles.may(actor, "staff:change")
    return {
        "members": members(),
        "waiting": [_open(*row) for row in invitations.waiting()] if changes else [],
        "rights": rights(),
        "roles": [roles.called(each) for each in roles.STAFF],
        "changes": changes,
    }


def members() -> list[Member]:
    """All staff, those with most rights first."""
    found = db.session.scalars(select(Person).where(Person.role.in_(roles.STAFF))).all()
    seen = _last_sign_ins()
    ordered = sorted(found, key=lambda each: (-roles.rank(each.role), each.full_name.casefold()))
    return [_member(each, seen.get(each.id)) for each in ordered]


def staff_roles() -> Choices:
    """What somebody can be invited to."""
    return STAFF_ROLES


def every_role() -> Choices:
    """What a colleague can be given."""
    return [*STAFF_ROLES, NONE]


def rights() -> list[Right]:
    """The table of permissions, by role."""
    ranks = [roles.rank(each) for each in roles.STAFF]
    return [
        Right(each.words, tuple(rank >= roles.rank(each.role) for rank in ranks))
        for each in roles.MAY.values()
    ]


def colleague(actor: Person, uuid: UUID) -> Person:
    """The member of staff whose role this actor may change.  Raises NotAllowed, Forbidden."""
    roles.check(actor, "staff:change")
    found = people.of_uuid(uuid)
    if found is None or not roles.is_staff(found):
        raise NotAllowed
    roles.require(actor, "staff:change", over=found)
    return found


def _last_sign_ins() -> dict[int, datetime]:
    newest = select(Session.person_id, func.max(Session.started_at)).join(Session.person)
    staff = (Person.role.in_(roles.STAFF), Session.kind == sessions.BROWSER)
    return {
        row[0]: row[1]
        for row in db.session.execute(newest.where(*staff).group_by(Session.person_id))
    }


def _member(person: Person, last_in: datetime | None) -> Member:
    return Member(
        uuid=person.uuid,
        name=person.full_name or person.email,
        email=person.email,
        role=roles.called(person.role),
        has_two_step=person.two_step_at is not None,
        last_in=last_in,
        is_kept_out=person.is_shut or person.held_at is not None,
    )


def _open(invitation: Invitation, challenge: Challenge, person: Person) -> Open:
    giver = invitations.inviter(invitation)
    return Open(
        id=invitation.id,
        email=person.email,
        role=roles.called(invitation.role),
        inviter=(giver.full_name or giver.email) if giver else "",
        invited_at=invitation.invited_at,
        until=challenge.link_until if challenge.accepted_at else None,
    )
