"""The new password: the steps that choosing it shares, however somebody proved who they are."""

from dataclasses import dataclass

from portal.accounts import holding, passwords, people
from portal.accounts.models import Person
from portal.accounts.passwords import Candidate
from portal.codes import challenges
from portal.codes.models import EMAIL, Challenge
from portal.core.audit import By
from portal.core.errors import Gather
from portal.recovery import funnel


@dataclass(frozen=True)
class Choice:
    """What was typed as the new password; `again` None where the door does not ask twice."""

    password: str | None
    again: str | None = None


def accepted(choice: Choice, take: Gather) -> str:
    """The password, by the rules that need no account; `take` gathers what they refuse."""
    password = take(passwords.acceptable, choice.password)
    take(passwords.repeated, choice.password, choice.again)
    return password


def finish(challenge: Challenge, person: Person, candidate: Candidate, by: By) -> None:
    """The new password; every sign-in ends, the person is told.  A step of a transaction.

    Raises Rejected.
    """
    passwords.replace(person, candidate, by)
    passwords.after_reset(person)
    holding.let_go(person)
    if challenge.channel == EMAIL:
        people.disown(person)
        people.prove(person)  # an SMS was read, not the mail of this address
    challenges.end_all(person.id)
    funnel.finished(challenge, person, by)
