"""Choosing the new password, with the grant that code or link gave."""

from portal.accounts import passwords, people, proof
from portal.accounts.models import Person
from portal.codes import challenges
from portal.codes.models import INVITATION, PASSWORD_RESET, Challenge
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, NoFlow
from portal.recovery.service import choice
from portal.recovery.service.choice import Choice


def granted_to(grant: str | None) -> str:
    """The address of the account whose password may now be chosen.  Raises NoFlow."""
    return _granted(grant)[1].email


def set_password(grant: str | None, password: str | None, again: str | None, by: By) -> None:
    """The new password; every sign-in ends, the person is told.

    Raises Rejected, and the grant stays.
    """
    with Gather() as take:
        accepted = choice.accepted(Choice(password, again), take)
    candidate = passwords.prepare(_granted(grant)[1], accepted)
    with transaction():
        person = people.lock(_granted(grant)[1].id)
        challenge = _granted(grant)[0]  # once more: another request may have been quicker
        choice.finish(challenge, person, candidate, by)


def _granted(grant: str | None) -> tuple[Challenge, Person]:
    challenge = challenges.granted(grant)
    person = people.get(challenge.user_id) if challenge else None
    stories = (PASSWORD_RESET, proof.PURPOSE, INVITATION)
    if challenge is None or person is None or challenge.purpose not in stories:
        raise NoFlow("recovery")
    return challenge, person
