"""Joining the staff: what whoever was invited sees and does."""

from dataclasses import dataclass

from portal.accounts import admins, hashing, invitations, people, roles, sessions
from portal.accounts.models import Invitation, Person
from portal.codes import challenges
from portal.codes.models import Challenge
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction


@dataclass(frozen=True)
class Asked:
    """What whoever opens an invitation is told: by whom ("": not to be named), to what, for whom.

    `by_operator`: it came from the command line.
    """

    inviter: str
    by_operator: bool
    role: str
    address: str


@dataclass(frozen=True)
class Joined:
    """As what somebody joined, in a word; `grant` ("": none) is for choosing the first password."""

    role: str
    grant: str = ""


def of_link(token: str) -> Asked:
    """What the invitation says.  Changes nothing.  Raises LinkDead."""
    invitation = invitations.of_link(token)[0]
    person, giver = people.get(invitation.person_id), invitations.inviter(invitation)
    if person is None:
        raise invitations.dead("unknown")
    name = (giver.full_name or giver.email) if giver else ""
    by_operator = invitation.invited_by_id is None
    role = roles.called(invitation.role)
    return Asked(name, by_operator, role, people.masked(person.email))


def accept(token: str, by: By) -> Joined:
    """The invitation's button: exactly one of those who press joins.  Raises LinkDead.

    With all admins locked: an invitation is worth nothing once its inviter is not one any more.
    """
    seen = invitations.of_link(token)[0]
    with transaction():
        person = admins.lock(seen.person_id)
        invitation, challenge = invitations.of_link(token)
        if not challenges.prove(challenge, by_code=False):
            raise invitations.dead("used")
        return _join(person, invitation, challenge, by)


def _join(person: Person, invitation: Invitation, challenge: Challenge, by: By) -> Joined:
    """The address is theirs: its reader pressed.  All that was open in its name before is over."""
    is_new = person.email_proven_at is None
    if is_new:
        _make_theirs(person)
    before, person.role = person.role, invitation.role
    people.prove(person)
    sessions.end_all(person.id)
    challenges.end_all(person.id, Challenge.id != challenge.id)
    audit.record("staff:joined", person.id, by, detail=f"{before} to {invitation.role}")
    called = roles.called(invitation.role)
    if is_new:
        return Joined(called, challenges.grant(challenge))
    challenges.close(challenge)
    return Joined(called)


def _make_theirs(person: Person) -> None:
    """Whatever a stranger who signed up with this address has put there opens nothing."""
    people.disown(person)
    person.full_name, person.password_hash = "", hashing.unusable()
    person.phone = person.phone_wanted = None
