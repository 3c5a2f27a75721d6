"""Invitations to become staff: who was asked to what, and whether the link still leads there."""

from dataclasses import replace

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select

from portal.accounts import people, roles
from portal.accounts.models import Invitation, Person
from portal.codes import challenges, terms
from portal.codes.models import DESK, INVITATION, Challenge
from portal.core import clock, columns
from portal.core.audit import By
from portal.core.db import changed, db
from portal.core.errors import LinkDead

LINK = "/sign-up/invitation/{token}"
STORY = "invitation"


def open_(person: Person, role: str, by: By) -> Invitation:
    """A new invitation; an earlier one of the same address ends.  A step of a transaction."""
    # The message carries a link alone: the code that is made with every link has no try.
    how = replace(terms.proof(LINK), max_attempts=0, door=DESK)
    challenge = challenges.open_(INVITATION, person.id, person.email_key, by.device, how)
    invitation = Invitation(
        person_id=person.id,
        challenge_id=challenge.id,
        role=role,
        invited_by_id=by.person_id,
        invited_at=clock.now(),
    )
    db.session.add(invitation)
    return invitation


def end_all(person_id: int) -> None:
    """No invitation of this person is good any more.  A step of a transaction."""
    challenges.end(INVITATION, person_id)


def get(invitation_id: int) -> Invitation | None:
    """The invitation of this id, open or not."""
    return db.session.get(Invitation, columns.within(invitation_id), populate_existing=True)


def of_challenge(challenge_id: str) -> Invitation | None:
    """The invitation that this challenge's link accepts."""
    wanted = select(Invitation).where(Invitation.challenge_id == challenge_id)
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def of_link(token: str) -> tuple[Invitation, Challenge]:
    """The invitation behind a link that can be accepted.  Changes nothing.

    Raises LinkDead with the reason: unknown, used, withdrawn, replaced, expired or powerless.
    """
    found = challenges.of_link(token)
    challenge = challenges.of_id(found.id) if found else None  # read afresh
    invitation = of_challenge(challenge.id) if challenge else None
    if challenge is None or invitation is None:
        raise dead("unknown")
    if reason := _over(invitation, challenge):
        raise dead(reason)
    return invitation, challenge


def waiting() -> list[tuple[Invitation, Challenge, Person]]:
    """The invitations that can still be accepted or are on their way, newest first."""
    wanted = select(Invitation, Challenge, Person)
    wanted = wanted.join(Challenge, Challenge.id == Invitation.challenge_id)
    wanted = wanted.join(Person, Person.id == Invitation.person_id)
    still_open = (Challenge.closed_at.is_(None), Challenge.proven_at.is_(None))
    rows = db.session.execute(wanted.where(*still_open).order_by(Invitation.id.desc()))
    return [(*row,) for row in rows if not _over(row[0], row[1])]


def inviter(invitation: Invitation) -> Person | None:
    """Who invited, unless it was the operator or somebody who is gone."""
    return people.get(invitation.invited_by_id)


def dead(reason: str) -> LinkDead:
    """The link leads nowhere, and why."""
    ask = _("Ask for a new invitation.")
    words = {
        "used": _("This invitation was accepted. Sign in to go on, or choose a new password."),
        "withdrawn": _("This invitation was withdrawn. %(ask)s", ask=ask),
        "replaced": _("A newer invitation was sent. Use the newest email."),
        "expired": _("This invitation has run out. %(ask)s", ask=ask),
        "powerless": _("Whoever invited you can no longer do so. %(ask)s", ask=ask),
        "unknown": _("There is no such invitation any more. %(ask)s", ask=ask),
    }
    return LinkDead(STORY, words[reason], reason)


def purge() -> int:
    """Removes invitations whose link was purged.  -> how many."""
    kept = exists().where(Challenge.id == Invitation.challenge_id)
    return changed(db.session(), delete(Invitation).where(~kept))


def _over(invitation: Invitation, challenge: Challenge) -> str:
    """Why it leads nowhere any more; "" while it does."""
    if challenge.proven_at:
        return "used"
    if challenge.closed_at:
        return "replaced" if _has_newer(invitation) else "withdrawn"
    return _late(challenge) or _powerless(invitation)


def _has_newer(invitation: Invitation) -> bool:
    mine = (Invitation.person_id == invitation.person_id, Invitation.id > invitation.id)
    return db.session.scalar(select(Invitation.id).where(*mine).limit(1)) is not None


def _late(challenge: Challenge) -> str:
    until = challenge.link_until
    return "expired" if until is not None and until <= clock.now() else ""


def _powerless(invitation: Invitation) -> str:
    """An invitation is worth what its inviter could give today; the operator's always holds."""
    if invitation.invited_by_id is None:
        return ""
    giver = inviter(invitation)
    able = (
        giver is not None
        and not giver.is_shut
        and giver.held_at is None
        and roles.may(giver, "staff:change")
        and roles.rank(giver.role) >= roles.rank(invitation.role)
    )
    return "" if able else "powerless"
