"""Signing up at the one door that tells a taken address: whoever asks is in at once, for little.

Until somebody reads the mail of the address, its account belongs to whoever typed it last.
"""

from dataclasses import replace

from flask_babel import gettext as _

from portal.accounts import hashing, people, programs, proof, roles
from portal.accounts.programs import Program
from portal.accounts.service import wishes
from portal.accounts.service.wishes import Wish
from portal.codes.terms import Terms
from portal.core import audit, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected
from portal.core.settings import setting
from portal.core.throttle import Limit

HOUR = 3600


def register(wish: Wish, how: Terms, by: By) -> Program:
    """Opens an account and a sign-in that lasts as long as one access token.

    The address gets the usual message.  Raises Several, Rejected (code `taken` where somebody has
    the address, proven or not) or TooSoon.
    """
    said = wishes.accepted(replace(wish, role=wish.role or roles.usual()))
    _spend(by)
    _check_free(said.email, by)
    wishes.spend(said, by)
    password_hash = hashing.make(said.password)
    with transaction():
        person = people.add(said.email, said.full_name, said.role, password_hash)
        if person.password_hash == password_hash:
            audit.record("sign-up:asked", person.id, by)
            proof.ask(person, how, by)
            return programs.begin(person, refreshing=False, by=by, news=False)
    raise _taken()  # somebody was quicker


def _spend(by: By) -> None:
    """Whoever wants to know of many addresses has to come from many networks."""
    times = setting("OPEN_SIGN_UPS_PER_NETWORK_HOUR")
    throttle.spend([Limit("open sign-ups", f"network {by.network}", times, HOUR)])


def _check_free(email: str, by: By) -> None:
    person = people.find(email)
    if person is not None:
        with transaction():
            audit.record("sign-up:taken", person.id, by)
        raise _taken()


def _taken() -> Rejected:
    words = _("There is an account with this email address already. Sign in instead.")
    return Rejected("email", "taken", words)
