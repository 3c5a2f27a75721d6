"""Signing up: an account is somebody's once its address is proven."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import (
    devices,
    entry,
    hashing,
    names,
    passwords,
    people,
    proof,
    roles,
    sending,
    sessions,
)
from portal.accounts.entry import SignedIn
from portal.accounts.models import Person
from portal.codes import challenges, flows, guesses, terms
from portal.codes.flows import Flow
from portal.codes.models import Challenge
from portal.codes.terms import Terms
from portal.core import audit, clock, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, LinkDead, NoFlow
from portal.core.settings import setting
from portal.core.throttle import Limit

STORY = "sign-up"


@dataclass(frozen=True)
class Wish:
    """What somebody typed to get an account; `again` None where the door does not ask twice."""

    full_name: str | None
    email: str | None
    password: str | None
    again: str | None


def sign_up(wish: Wish, how: Terms, by: By) -> str:
    """Opens an account, or seems to.  -> the flow's id.  Raises Several or TooSoon.

    An address that is somebody's already walks the same way; its owner gets a notice.  One that was
    typed before but never proven takes the newer name and password: only who reads its mail
    decides.
    """
    full_name, email, password = _accepted(wish)
    _spend(email, by)
    password_hash = hashing.make(password)
    with transaction():
        found = people.find(email) or people.add(email, full_name, roles.chosen(), password_hash)
        person = people.lock(found.id)
        if person.email_proven_at or person.blocked_at:
            audit.record("sign-up:taken", person.id, by)
            return proof.pretend(person, how, by).id
        _start_anew(person)
        person.full_name, person.password_hash = full_name, password_hash
        person.password_changed_at = clock.now()
        audit.record("sign-up:asked", person.id, by)
        return proof.ask(person, how, by).id


def flow(flow_id: str | None) -> Flow:
    """What the browser that signed up may know.  Raises NoFlow."""
    return flows.face(_challenge(flow_id))


def confirm_code(flow_id: str | None, code: str | None, device: str | None, by: By) -> SignedIn:
    """The right code in the browser that signed up: the address is proven and the person is in."""
    challenge = _challenge(flow_id)
    guesses.judge(challenge, code)
    with transaction():
        person = people.lock(challenge.user_id)
        if not challenges.prove(challenge, by_code=True):
            raise guesses.not_right(challenge)
        return _enter(person, challenge, device, by)


def resend(email: str | None, flow_id: str | None, by: By) -> str:
    """A new message for the same wish.  -> the new flow's id.  Raises NoFlow or TooSoon.

    Not once somebody else has signed up with the address: the account then waits with the newer
    password, which a proof from this browser must not confirm.
    """
    challenge, person = _challenge(flow_id), people.find(email)
    if challenge.typed_hash != challenges.typed_hash(people.key(email)):
        raise NoFlow(STORY)  # of another address: whether that is known is not for this browser
    sending.spend(proof.PURPOSE, person, people.key(email), None, by)
    again = terms.proof(proof.LINK)
    with transaction():
        if person is None:
            raise NoFlow(STORY)
        person = people.lock(person.id)
        if person.email_proven_at or person.blocked_at:
            return proof.pretend(person, again, by).id
        if challenges.current(challenge.id) is None:
            raise NoFlow(STORY)
        return proof.ask(person, again, by).id


def of_link(token: str) -> str:
    """Whose link this is, as a stranger may see it.  Changes nothing.  Raises LinkDead."""
    return people.masked(_person(_linked(token)).email)


def follow_link(token: str, flow_id: str | None, device: str | None, by: By) -> SignedIn | str:
    """The link's button: in the browser that signed up, in; in any other, a grant.

    Whoever signed up may not have been the owner of the address.
    """
    challenge = _linked(token)
    with transaction():
        person = people.lock(challenge.user_id)
        if not challenges.prove(challenge, by_code=False):
            raise _dead()
        if challenge.id == flow_id:
            return _enter(person, challenge, device, by)
        audit.record("sign-up:link-used", challenge.user_id, by)
        return challenges.grant(challenge)


def _accepted(wish: Wish) -> tuple[str, str, str]:
    with Gather() as take:
        full_name = take(names.full_name, wish.full_name)
        email = take(people.address, wish.email)
        password = take(passwords.acceptable, wish.password)
        take(passwords.repeated, wish.password, wish.again)
    passwords.not_personal(password, passwords.own_words(full_name, email))
    return full_name, email, password


def _start_anew(person: Person) -> None:
    """What somebody else may have done with the address before nobody has to answer for now."""
    sessions.end_all(person.id)
    person.picture_name = None  # its files are swept away once they are nobody's


def _spend(email: str, by: By) -> None:
    sign_ups = Limit(
        "sign-ups", f"network {by.network}", setting("SIGN_UPS_PER_NETWORK_HOUR"), 3600
    )
    throttle.spend([sign_ups])
    sending.spend(proof.PURPOSE, people.find(email), people.key(email), None, by)


def _challenge(flow_id: str | None) -> Challenge:
    challenge = flows.of_browser(proof.PURPOSE, flow_id)
    if challenge is None:
        raise NoFlow(STORY)
    return challenge


def _linked(token: str) -> Challenge:
    challenge = challenges.of_link(token)
    usable = (
        challenge
        and challenge.closed_at is None
        and challenge.proven_at is None
        and challenge.link_until
    )
    if not challenge or challenge.purpose != proof.PURPOSE or not usable or usable < clock.now():
        raise _dead()
    return challenge


def _dead() -> LinkDead:
    words = _("It has been used, has run out, or a newer one was sent. Use the newest email.")
    return LinkDead(STORY, words)


def _person(challenge: Challenge) -> Person:
    person = people.get(challenge.user_id)
    if person is None:
        raise _dead()
    return person


def _enter(person: Person, challenge: Challenge, device: str | None, by: By) -> SignedIn:
    people.prove(person)
    sessions.end_all(person.id)  # of the time when nobody knew whose address it was
    challenges.close(challenge)
    audit.record("sign-up:proven", person.id, by)
    first = devices.remember(device, person)  # it brought the proof: no news to anybody
    return entry.begin(person, kept=False, device=first, by=by)
