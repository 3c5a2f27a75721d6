"""Signing up: an account is somebody's once its address is proven."""

from flask_babel import gettext as _

from portal.accounts import devices, entry, hashing, people, proof, sending
from portal.accounts.entry import Entered
from portal.accounts.models import Person
from portal.accounts.service import wishes
from portal.accounts.service.wishes import Accepted
from portal.accounts.service.wishes import Wish as Wish
from portal.codes import challenges, flows, guesses, terms
from portal.codes.flows import Flow
from portal.codes.models import Challenge
from portal.codes.terms import Terms
from portal.core import audit, clock
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import LinkDead, NoFlow

STORY = "sign-up"


def sign_up(wish: Wish, how: Terms, by: By) -> str:
    """Opens an account, or seems to.  -> the flow's id.  Raises Several, Rejected or TooSoon.

    An address that is somebody's already walks the same way; its owner gets a notice.  One that was
    typed before but never proven takes what is typed newly: only who reads its mail decides.
    """
    said = wishes.accepted(wish)
    wishes.spend(said, by)
    password_hash = _hashed(said)
    with transaction():
        person = wishes.open_(said, password_hash)
        if wishes.is_somebodys(person):
            audit.record("sign-up:taken", person.id, by)
            return proof.pretend(person, how, by).id
        same = person.password_hash == password_hash
        wishes.start_anew(person, said, password_hash)
        audit.record("sign-up:asked", person.id, by)
        return (proof.ask_again if same else proof.ask)(person, how, by).id


def flow(flow_id: str | None) -> Flow:
    """What the browser that signed up may know.  Raises NoFlow."""
    return flows.face(_challenge(flow_id))


def confirm_code(flow_id: str | None, code: str | None, device: str | None, by: By) -> Entered:
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
        if wishes.is_somebodys(person):
            return proof.pretend(person, again, by).id
        if challenges.current(challenge.id) is None:
            raise NoFlow(STORY)
        return proof.ask_again(person, again, by).id


def of_link(token: str) -> str:
    """Whose link this is, as a stranger may see it.  Changes nothing.  Raises LinkDead."""
    return people.masked(_person(_linked(token)).email)


def follow_link(token: str, flow_id: str | None, device: str | None, by: By) -> Entered | str:
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


def _hashed(said: Accepted) -> str:
    """Under the salt of the sign-up before: the same password is known again, at one price."""
    before = people.find(said.email)
    return hashing.make(said.password, like=before.password_hash if before else None)


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


def _enter(person: Person, challenge: Challenge, device: str | None, by: By) -> Entered:
    proof.settle(person, challenge, by)
    first = devices.remember(device, person)  # it brought the proof: no news to anybody
    return entry.begin(person, kept=False, device=first, by=by)
