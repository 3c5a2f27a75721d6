"""The message was read: its link opened, or its code typed.  Counted whatever follows."""

from portal.codes import guesses
from portal.codes.models import Challenge
from portal.core.db import transaction
from portal.core.errors import Rejected
from portal.recovery import funnel


def opened(challenge: Challenge) -> None:
    """Its link was opened, or the right code typed; nothing is written from the second time on."""
    if challenge.seen_at is None:
        with transaction():
            funnel.opened(challenge)


def judge(challenge: Challenge, typed: str | None) -> None:
    """`guesses.judge`; what was refused is counted, at the same price for nobody's code.

    Raises what that raises.
    """
    code = guesses.digits(typed)
    try:
        guesses.judge(challenge, code)
    except Rejected as no:
        with transaction():
            funnel.refused(challenge, no.code)
        raise
