"""Who is asked to become staff, and whose role changes."""

from dataclasses import replace

from flask_babel import gettext as _

from portal.accounts import attention, hashing, invitations, messages, people, roles, sessions
from portal.accounts.models import Person
from portal.codes import challenges
from portal.core import audit, clock, phrases, texts, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Forbidden, Gather, NotAllowed, Rejected, TooSoon
from portal.core.throttle import Limit, UsedUp
from portal.delivery import outbox

CHANGE = "staff:change"
HOUR, DAY = 3600, 86_400
INVITATIONS_PER_ADMIN_HOUR, INVITATIONS_PER_ADDRESS_DAY = 20, 5


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
        said = take(_said, actor, by)
    _not_above(wanted, actor)
    with transaction():
        locked = attention.turn_on_admins(person, actor, CHANGE, said)
        _check_change(locked, wanted, actor)
        before, locked.role = locked.role, wanted
        sessions.end_all(person.id)
        invitations.end_all(person.id)
        event = audit.record(
            "account:role-changed", person.id, said, detail=f"{before} to {wanted}"
        )
        outbox.put(messages.role_changed, event, person.id)


def _of_staff(role: str | None) -> str:
    if role in roles.STAFF:
        return str(role)
    raise Rejected("role", "unknown", _("Choose a role: %(all)s.", all=", ".join(roles.STAFF)))


def _not_above(role: str, actor: Person | None) -> None:
    if actor is not None and roles.rank(role) > roles.rank(actor.role):
        raise Forbidden(_("Nobody gives more rights than they have. Ask an admin."))


def _said(actor: Person | None, by: By) -> By:
    """Colleagues say why, in what fits the record; the operator need not.  Raises Rejected."""
    reason = texts.line("reason", by.reason, attention.LONGEST_REASON)
    if actor is not None and not reason:
        raise Rejected("reason", "empty", _("Say why, in a few words"))
    ticket = texts.line("ticket", by.ticket, attention.LONGEST_TICKET)
    return replace(by, reason=reason, ticket=ticket)


def _spend(address: str, actor: Person | None) -> None:
    """Nobody's mailbox is filled from an admin's desk, whoever sits there.  Raises TooSoon."""
    if actor is None:
        return
    desk, mailbox = f"person {actor.id}", f"invited {people.key(address)}"
    try:
        throttle.spend(
            [
                Limit("invitations in hour", desk, INVITATIONS_PER_ADMIN_HOUR, HOUR),
                Limit("invitations in day", mailbox, INVITATIONS_PER_ADDRESS_DAY, DAY),
            ]
        )
    except UsedUp as wait:
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        raise TooSoon(
            wait.retry_at, _("Many invitations were sent. Wait %(span)s.", span=span)
        ) from None


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
    _check_open(person, "email")


def _check_change(person: Person, wanted: str, actor: Person | None) -> None:
    if person.role == wanted:
        raise Rejected("role", "same", _("This is the role already."))
    if roles.rank(wanted) <= roles.rank(person.role):
        return
    if person.email_proven_at is None:
        raise Rejected("role", "unproven", _("This address is not confirmed yet. Invite it."))
    _check_open(person, "role")


def _check_open(person: Person, field: str) -> None:
    """Whoever is kept out, or told us of a thief, is not made more of."""
    if person.is_shut or person.held_at is not None:
        words = _("This account is blocked, deleted or on hold. That has to end first.")
        raise Rejected(field, "shut", words)
