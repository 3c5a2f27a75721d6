"""How far those come who ask for a way back in: each step counted when it is taken first.

Asked, accepted by the mail server, opened, used, finished with a new password.  Counted by channel,
and by the domain of the account's address under a name of its own, so that however many there are,
the rest is found at the same price.  An address that nobody has costs what others cost.
"""

from math import log

from sqlalchemy import select

from portal.accounts.models import Person
from portal.codes import moments
from portal.codes.models import EMAIL, PASSWORD_RESET, Challenge
from portal.core import audit, clock
from portal.core.audit import By
from portal.core.db import db
from portal.core.tally import BY_DOMAIN

ASKED, BY_SUPPORT = "recovery:asked", "recovery:sent-by-support"
ACCEPTED, OPENED, USED = "recovery:accepted", "recovery:opened", "recovery:used"
FINISHED, TOOK, REFUSED = "recovery:finished", "recovery:took", "recovery:code-refused"
NOBODYS, OTHER_WAY = "nobody", "by phone"  # parts in place of a channel, of a domain
CODE, LINK = "code", "link"
RUN_OUT, WRONG = "run-out", "wrong"
BUCKET = 1.25  # a bucket ends a quarter later than the one before: read from it, 12 % off at most


def by_domain(name: str) -> str:
    """The name under which the same is counted by mail domain."""
    return f"{name}{BY_DOMAIN}"


def asked(challenge: Challenge, person: Person | None) -> list[str]:
    """Somebody asked, themselves or through the helpdesk.  -> the parts that its event counts in.

    `person` is whom it leads to, if anybody.
    """
    _count_domain(ASKED, challenge, person.email if person else None)
    return [_whose(challenge)]


def accepted(challenge: Challenge, person: Person | None) -> None:
    """A message was accepted by the mail server, or by the gateway; counted once.

    Asks nothing: `challenge` as it was read when this message was written, by the one who has it.
    """
    if challenge.accepted_at is None:
        audit.count(ACCEPTED, _whose(challenge))
        _count_domain(ACCEPTED, challenge, person.email if person else None)


def opened(challenge: Challenge) -> None:
    """The link was opened, or a code typed; counted once."""
    if moments.seen(challenge):
        audit.count(OPENED, _whose(challenge))
        _count_domain(OPENED, challenge, _address(challenge))


def used(challenge: Challenge, way: str) -> None:
    """The code or the link was the right one and is used up."""
    opened(challenge)
    audit.count(USED, challenge.channel, f"{challenge.channel} {way}")
    _count_domain(USED, challenge, _address(challenge))


def refused(challenge: Challenge, why: str) -> None:
    """A typed code was not taken: it was wrong, or its time was over."""
    opened(challenge)
    audit.count(REFUSED, f"{challenge.channel} {why}")


def finished(challenge: Challenge, person: Person, by: By) -> None:
    """The password is chosen; only what somebody asked for to get back in counts as a step."""
    moments.finished(challenge)
    own = challenge.purpose == PASSWORD_RESET
    audit.record(FINISHED, person.id, by, parts=[challenge.channel] if own else [])
    if own:
        seconds = (clock.now() - challenge.opened_at).total_seconds()
        audit.count(TOOK, f"{challenge.channel} {bucket(seconds)}")
        _count_domain(FINISHED, challenge, person.email)


def bucket(seconds: float) -> int:
    """The middle of the bucket that a time falls into, in seconds."""
    return round(BUCKET ** round(log(max(1.0, seconds), BUCKET)))


def _whose(challenge: Challenge) -> str:
    return challenge.channel if challenge.user_id else NOBODYS


def _address(challenge: Challenge) -> str | None:
    """Looked up for nobody's as well, who have none."""
    return db.session.scalar(select(Person.email).where(Person.id == challenge.user_id))


def _count_domain(name: str, challenge: Challenge, address: str | None) -> None:
    domain = address.rpartition("@")[2].lower() if address else NOBODYS
    audit.count(by_domain(name), domain if challenge.channel == EMAIL else OTHER_WAY)
