"""Proving by code or link that the message was read, and what the asking browser may know."""

from dataclasses import dataclass

from portal.accounts import people
from portal.codes import challenges, flows, guesses, otp
from portal.codes.flows import Flow
from portal.codes.models import Challenge
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import NoFlow
from portal.recovery import funnel
from portal.recovery.service import links, reading


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
    reading.judge(challenge, code)
    with transaction():
        people.lock(challenge.user_id)  # first, as everywhere: one order of locks, no deadlock
        if not challenges.prove(challenge, by_code=True):
            raise guesses.not_right(challenge)
        audit.record("recovery:code-used", challenge.user_id, by)
        funnel.used(challenge, funnel.CODE)
        return challenges.grant(challenge)


def of_link(token: str) -> str:
    """Whose link this is, as a stranger may see it.  Uses nothing up.  Raises LinkDead."""
    challenge = links.good(token)
    address = links.person(challenge).email
    reading.opened(challenge)
    return people.masked(address)


def follow_link(token: str, by: By) -> str:
    """The link's button -> the grant, for this browser and not for the one that asked.

    Raises LinkDead.
    """
    challenge = links.good(token)
    with transaction():
        people.lock(links.person(challenge).id)
        if not challenges.prove(challenge, by_code=False):
            raise links.dead(challenge)
        audit.record("recovery:link-used", challenge.user_id, by)
        funnel.used(challenge, funnel.LINK)
        return challenges.grant(challenge)


def show_code(token: str, by: By) -> ShownCode:
    """A fresh code whose time starts now; the link stays good.  Raises LinkDead."""
    challenge = links.good(token)
    with transaction():
        drawn = otp.draw(challenge, "page", spare_seconds=0)
        otp.seal(drawn)
        challenge.otp_id = drawn.id
        audit.record("recovery:code-shown", challenge.user_id, by)
    return ShownCode(drawn.code, challenge.code_seconds)


def _challenge(flow_id: str | None) -> Challenge:
    challenge = flows.of_browser(links.PURPOSE, flow_id)
    if challenge is None:
        raise NoFlow(links.STORY)
    return challenge
