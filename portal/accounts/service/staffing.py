"""Who becomes staff, who stays it, and who is not any more."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import admins, hashing, invitations, messages, people, roles, sessions
from portal.accounts.models import Invitation, Person
from portal.codes import challenges
from portal.codes.models import Challenge
from portal.core import audit, clock, texts, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Forbidden, Gather, NotAllowed, Rejected
from portal.core.throttle import Limit
from portal.delivery import outbox

CHANGE = "staff:change"
HOUR, DAY = 3600, 86_400
INVITATIONS_PER_ADMIN_HOUR, INVITATIONS_PER_ADDRESS_DAY = 20, 5
LONGEST_REASON, LONGEST_TICKET = 200, 50


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
    """As what somebody joined; `grant` ("": none) is for choosing the first password."""

    role: str
    grant: str = ""


def invite(email: str | None, role: str | None, actor: Person | None, by: By) -> str:
    """Asks whoever reads the mail of this address to join as `role`.  -> the address.

    Raises Forbidden, NotAllowed, Several, Rejected or TooSoon.
    """
    roles.check(actor, CHANGE)
    with Gather() as take:
        address = take(people.address, email)
        wanted = take(_of_staff, role)
    _not_above(wanted, actor)
    _spend(address, actor)
    with transaction():
        person = _somebody(address)
        sessions.still(by)
        _check_can_join(person)
        invitation = invitations.open_(person, wanted, by)
        outbox.put(messages.staff_invitation, invitation.challenge_id, person.id)
        audit.record("staff:invited", person.id, by, detail=wanted)
    return person.email


def of_link(token: str) -> Asked:
    """What the invitation says.  Changes nothing.  Raises LinkDead."""
    invitation = invitations.of_link(token)[0]
    person, giver = people.get(invitation.person_id), invitations.inviter(invitation)
    if person is None:
        raise invitations.dead("unknown")
    name = (giver.full_name or giver.email) if giver else ""
    by_operator = invitation.invited_by_id is None
    return Asked(name, by_operator, invitation.role, people.masked(person.email))


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


def withdraw(invitation_id: int, actor: Person | None, by: By) -> str:
    """The invitation's link is dead from now on.  -> whose it was.

    Raises Forbidden, NotAllowed, or Rejected once there is nothing to withdraw.
    """
    roles.check(actor, CHANGE)
    invitation = invitations.get(invitation_id)
    if invitation is None:
        raise NotAllowed
    with transaction():
        person = people.lock(invitation.person_id)
        sessions.still(by)
        challenge = challenges.of_id(invitation.challenge_id)
        if challenge is None or not challenges.is_wanted(challenge):
            raise Rejected(None, "over", _("This invitation is not open any more."))
        challenges.close(challenge)
        audit.record("staff:invitation-withdrawn", person.id, by, detail=invitation.role)
    return person.email


def change_role(person: Person, role: str | None, actor: Person | None, by: By) -> None:
    """Another role, and the person is told.

    Every sign-in ends, so that none is left with the rights of before, and every open invitation.
    Raises Forbidden, NotAllowed, Several or Rejected.
    """
    roles.require(actor, CHANGE, over=person)
    with Gather() as take:
        wanted = take(roles.known, role or "")
        take(_check_said, actor, by)
    _not_above(wanted, actor)
    with transaction():
        locked = admins.lock(person.id)
        sessions.still(by)
        roles.require(actor, CHANGE, over=locked)
        _check_change(locked, wanted, actor)
        before, locked.role = locked.role, wanted
        sessions.end_all(person.id)
        invitations.end_all(person.id)
        event = audit.record("account:role-changed", person.id, by, detail=f"{before} to {wanted}")
        outbox.put(messages.role_changed, event.id, person.id)


def _of_staff(role: str | None) -> str:
    if role in roles.STAFF:
        return str(role)
    raise Rejected("role", "unknown", _("Choose a role: %(all)s.", all=", ".join(roles.STAFF)))


def _not_above(role: str, actor: Person | None) -> None:
    if actor is not None and roles.rank(role) > roles.rank(actor.role):
        raise Forbidden(_("Nobody gives more rights than they have. Ask an admin."))


def _check_said(actor: Person | None, by: By) -> None:
    """Colleagues say why, in what fits the record; the operator need not.  Raises Rejected."""
    if actor is not None and not texts.line("reason", by.reason, LONGEST_REASON):
        raise Rejected("reason", "empty", _("Say why, in a few words"))
    texts.line("ticket", by.ticket, LONGEST_TICKET)


def _spend(address: str, actor: Person | None) -> None:
    """Nobody's mailbox is filled by an admin's slip, or by whoever sits at an admin's desk."""
    if actor is not None:
        throttle.spend(
            [
                Limit("invitations in hour", f"person {actor.id}", INVITATIONS_PER_ADMIN_HOUR, HOUR),
                Limit(
                    "invitations in day",
                    f"address {people.key(address)}",
                    INVITATIONS_PER_ADDRESS_DAY,
                    DAY,
                ),
            ]
        )


def _somebody(address: str) -> Person:
    """Whoever has the address, or somebody new who cannot sign in before joining; locked."""
    found = people.find(address)
    if found is None:
        found = people.add(address, "", roles.chosen(), hashing.unusable())
    person = people.lock(found.id)
    if person.email_proven_at is None:
        person.password_changed_at = clock.now()  # not to be purged while the link lives
    return person


def _check_can_join(person: Person) -> None:
    if roles.is_staff(person):
        words = _("This person is staff already. Change the role instead.")
        raise Rejected("email", "staff", words)
    if person.is_shut:
        words = _("This account is blocked or deleted. That has to end first.")
        raise Rejected("email", "shut", words)


def _check_change(person: Person, wanted: str, actor: Person | None) -> None:
    if person.role == wanted:
        raise Rejected("role", "same", _("This is the role already."))
    if actor is None:
        return
    if person.email_proven_at is None:
        raise Rejected("role", "unproven", _("This address is not confirmed yet. Invite it."))
    admins.check_not_last(person)


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
    if is_new:
        return Joined(invitation.role, challenges.grant(challenge))
    challenges.close(challenge)
    return Joined(invitation.role)


def _make_theirs(person: Person) -> None:
    """Whatever a stranger who signed up with this address has put there opens nothing."""
    people.disown(person)
    person.full_name, person.password_hash = "", hashing.unusable()
    person.phone = person.phone_wanted = None
