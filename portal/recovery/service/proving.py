"""Proving by code or link that the message was read, and what the asking browser may know."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import people
from portal.accounts.models import Person
from portal.codes import challenges, flows, guesses, otp
from portal.codes.flows import Flow
from portal.codes.models import PASSWORD_RESET, Challenge
from portal.core import audit, clock
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import LinkDead, NoFlow

PURPOSE, STORY = PASSWORD_RESET, "recovery"


@dataclass(frozen=True)
class ShownCode:
    """A code for the device that asked, shown on the one that opened the link."""

    code: str
    seconds: int


def flow(flow_id: str | None) -> Flow:
    """What the browser that asked may know.  Raises NoFlow."""
    return flows.face(_challenge(flow_id))


def confirm_code(flow_id: str | None, code: str | None, by: By) -> str:
    """-> the grant: a secret for the browser that knew the code.

    Raises Rejected, TooSoon, NoFlow.
    """
    challenge = _challenge(flow_id)
    guesses.judge(challenge, code)
    with transaction():
        people.lock(challenge.user_id)  # first, as everywhere: one order of locks, no deadlock
        if not challenges.prove(challenge, by_code=True):
            raise guesses.not_right(challenge)
        audit.record("recovery:code-used", challenge.user_id, by)
        return challenges.grant(challenge)


def of_link(token: str) -> str:
    """Whose link this is, as a stranger may see it.  Changes nothing.  Raises LinkDead."""
    return people.masked(_person(_linked(token)).email)


def follow_link(token: str, by: By) -> str:
    """The link's button -> the grant, for this browser and not for the one that asked.

    Raises LinkDead.
    """
    challenge = _linked(token)
    with transaction():
        people.lock(_person(challenge).id)
        if not challenges.prove(challenge, by_code=False):
            raise _dead(challenge)
        audit.record("recovery:link-used", challenge.user_id, by)
        return challenges.grant(challenge)


def show_code(token: str, by: By) -> ShownCode:
    """A fresh code whose time starts now; the link stays good.  Raises LinkDead."""
    challenge = _linked(token)
    with transaction():
        row, code = otp.issue(challenge, "page", spare_seconds=0)
        audit.record("recovery:code-shown", row.user_id, by)
    return ShownCode(code, challenge.code_seconds)


def _challenge(flow_id: str | None) -> Challenge:
    challenge = flows.of_browser(PURPOSE, flow_id)
    if challenge is None:
        raise NoFlow(STORY)
    return challenge


def _linked(token: str) -> Challenge:
    challenge = challenges.of_link(token)
    if challenge is None or challenge.purpose != PURPOSE:
        raise LinkDead(
            STORY, _("It was not copied whole, or a newer email was sent. Use the newest one.")
        )
    over = (
        challenge.closed_at
        or challenge.proven_at
        or (challenge.link_until or clock.now()) <= clock.now()
    )
    if over:
        raise _dead(challenge)
    return challenge


def _dead(challenge: Challenge) -> LinkDead:
    if challenge.proven_at:
        return LinkDead(
            STORY, _("It was used at %(time)s UTC.", time=f"{challenge.proven_at:%H:%M}")
        )
    if challenge.closed_at:
        return LinkDead(STORY, _("A newer email was sent, or you have signed in since."))
    minutes = challenge.link_seconds // 60
    return LinkDead(STORY, _("It is older than %(minutes)d minutes.", minutes=minutes))


def _person(challenge: Challenge) -> Person:
    person = people.get(challenge.user_id)
    if person is None:
        raise _dead(challenge)
    return person
