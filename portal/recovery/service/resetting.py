"""Getting back in for programs: code or link, and the new password, in one call."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import names, passwords, people, phones
from portal.codes import challenges, flows, guesses, otp
from portal.codes.models import PASSWORD_RESET, Challenge
from portal.core import clock
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, NothingAsked, Rejected, TooSoon
from portal.recovery import funnel
from portal.recovery.service import choice as choosing
from portal.recovery.service import links, reading
from portal.recovery.service.choice import Choice

__all__ = ["Choice", "Identity", "check_code", "check_link", "reset_by_code", "reset_by_link"]
PURPOSE = PASSWORD_RESET


@dataclass(frozen=True)
class Identity:
    """By what somebody asked: one of them."""

    email: str | None = None
    phone: str | None = None


def reset_by_code(identity: Identity, code: str | None, choice: Choice, by: By) -> None:
    """The new password for whoever was sent this code; every sign-in ends, the person is told.

    A password that is refused leaves the code good.  Raises NothingAsked, Several, Rejected (field
    `code` or `password`) or TooSoon.
    """
    with Gather() as take:
        key = take(_key, identity)
        take(guesses.digits, code)
        accepted = choosing.accepted(choice, take)
    challenge = _judged(identity, key, code)
    try:
        _replace(challenge, accepted, by)
    except Rejected as refused:
        if refused.field == passwords.FIELD:
            guesses.give_back(challenge)
        raise


def reset_by_link(token: str, choice: Choice, by: By, uid: object = None) -> None:
    """The same for whoever opened the link, whichever door it was asked for at.

    A password that is refused leaves the link good.  Raises LinkDead, Several or Rejected.
    """
    with Gather() as take:
        accepted = choosing.accepted(choice, take)
    challenge = _linked(token, uid)
    candidate = passwords.prepare(links.person(challenge), accepted)
    with transaction():
        person = people.lock(challenge.user_id)
        if not challenges.prove(challenge, by_code=False):
            raise links.dead(challenges.of_id(challenge.id) or challenge)
        funnel.used(challenge, funnel.LINK)
        choosing.finish(challenge, person, candidate, by)


def check_code(identity: Identity, code: str | None) -> int:
    """Whether it is the right code; it stays good, and a wrong one counts.  -> seconds left.

    Raises NothingAsked, Several, Rejected or TooSoon.
    """
    with Gather() as take:
        key = take(_key, identity)
        take(guesses.digits, code)
    challenge = _judged(identity, key, code)
    guesses.give_back(challenge)
    reading.opened(challenge)
    return otp.seconds_left(challenge.otp_id)


def check_link(token: str, uid: object = None) -> int:
    """Whether it is a good link.  Uses nothing up.  -> seconds left.  Raises LinkDead."""
    challenge = _linked(token, uid)
    reading.opened(challenge)
    return clock.seconds_until(challenge.link_until)


def _key(identity: Identity) -> str:
    """What the address or number that was typed is known by.  Raises Rejected."""
    if identity.email is None and identity.phone is not None:
        return phones.key(phones.number(identity.phone))
    return people.key(people.address(identity.email))


def _judged(identity: Identity, key: str, code: str | None) -> Challenge:
    """What was asked for by this address or number, with its right code.

    A code asked for by username is good as well with the account's address.  A wrong one then looks
    as if nothing had been asked for, or it would tell whose username it is.  So does what was asked
    for long ago: who once forgot a password is nobody's business.
    """
    try:
        return _asked(key, code)
    except (NothingAsked, Rejected, TooSoon):
        other = _by_username(identity.email, key)
        if guesses.fits(other, code):
            return other
        raise


def _asked(key: str, code: str | None) -> Challenge:
    challenge = flows.of_program(PURPOSE, key)
    if challenge is None or flows.is_past(challenge):
        raise NothingAsked(_("Nothing was asked for with this. Ask for a code first."))
    reading.judge(challenge, code)
    return challenge


def _by_username(email: str | None, key: str) -> Challenge:
    """What was asked for by the username of whoever has this address (its key).

    Looked for, and counted, in any case: what nobody asked for has its count as well.
    """
    person = people.find(email)
    called = person.username_key if person and person.username_key else f"of {key}"
    found = flows.of_program(PURPOSE, names.key(called))
    mine = found if person and found and found.user_id == person.id else None
    return mine or flows.nobodys(PURPOSE, names.key(called))


def _replace(challenge: Challenge, accepted: str, by: By) -> None:
    person = people.get(challenge.user_id)
    if person is None:
        raise guesses.not_right(challenge)
    candidate = passwords.prepare(person, accepted)
    with transaction():
        person = people.lock(person.id)
        if not challenges.prove(challenge, by_code=True):
            raise guesses.not_right(challenge)
        funnel.used(challenge, funnel.CODE)
        choosing.finish(challenge, person, candidate, by)


def _linked(token: str, uid: object) -> Challenge:
    """Raises LinkDead, also for the link of another account than `uid`."""
    challenge = links.good(token)
    if uid is not None and str(links.person(challenge).uuid) != str(uid):
        raise links.unknown()
    return challenge
