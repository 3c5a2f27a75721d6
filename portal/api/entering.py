"""Signing in through a program: again, with a code, where the account asks for one."""

from dataclasses import replace

from portal.accounts.entry import Half
from portal.accounts.programs import Program
from portal.accounts.service import tokens
from portal.accounts.service.credentials import Typed
from portal.accounts.service.tokens import Manner
from portal.api import bearer
from portal.api.schemas import text
from portal.security.service import second_step

CODE = text("123456", "Of the person's app, or a backup code, where the account asks for one.")
STATUSES = {
    "mismatch": 401,
    "used": 401,
    "blocked": 403,
    "held": 403,
    "deleted": 403,
    "set-up": 403,
}
ABOUT = (
    "Where the account asks for a second step and no code was sent: 403 with "
    "second_factor_required. Send the same again with a code; wrong ones are counted."
)


def enter(typed: Typed, code: str | None, manner: Manner) -> Program:
    """The program's sign-in, in one call or in two.

    Raises what `tokens.sign_in` does; of the code Rejected (`mismatch`, `used`) and TooSoon.
    """
    found = tokens.sign_in(typed, replace(manner, code=bool(code)), bearer.by())
    if not isinstance(found, Half):
        return found
    return second_step.for_program(found.secret, code or "", manner.refreshing, bearer.by())
