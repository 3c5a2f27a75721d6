"""Proving an address through a program: by address and code, or by the message's link and code."""

from flask_babel import gettext as _

from portal.accounts import hashing, people, programs, proof, sending
from portal.accounts.models import Person
from portal.accounts.programs import Program
from portal.accounts.service import wishes
from portal.codes import challenges, flows, guesses
from portal.codes.models import API, Challenge
from portal.codes.terms import Terms
from portal.core import clock
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import LinkDead

STORY = "sign-up"


def verify(email: str, code: str, by: By) -> bool:
    """The address is proven.  Nobody is signed in by that, and whoever was is not any more.

    -> whether the password that was typed at sign-up counts.  A code does not say whose sign-up it
    belongs to: when several with different passwords were under way, whoever read the mail chooses
    a new one.  Raises Rejected, alike where nothing was asked for; TooSoon.
    """
    key = people.key(email)
    challenge = flows.of_program(proof.PURPOSE, key)
    if challenge is None or flows.is_over(challenge):
        challenge = flows.nobodys(proof.PURPOSE, key)
    guesses.judge(challenge, code)
    with transaction():
        return _settled(challenge, by)[1]


def resend(email: str, terms: Terms, by: By) -> None:
    """A new message for the newest sign-up with this address; alike for every address.

    Raises Rejected, TooSoon.
    """
    address = people.address(email)
    key = people.key(address)
    sending.spend(proof.PURPOSE, people.find(address), key, None, by)
    with transaction():
        found = people.find(address)
        if found is None:
            proof.ask_nobody(key, terms, by)
        else:
            _ask_again(people.lock(found.id), terms, by)


def check_link(uid: str, token: str) -> None:
    """Whether the link leads to a code that can be typed.  Changes nothing.  Raises LinkDead."""
    _linked(uid, token)


def verify_by_link(uid: str, token: str, code: str, by: By) -> Program:
    """The address is proven, and the program that knew link and code is in.

    Of the password the same is true as in `verify`.  Raises LinkDead, Rejected, TooSoon.
    """
    challenge = _linked(uid, token)[1]
    guesses.judge(challenge, code)
    with transaction():
        return programs.begin(_settled(challenge, by)[0], True, by, news=False)


def resend_by_link(uid: str, token: str, terms: Terms, by: By) -> None:
    """A new message for the sign-up that the link belongs to.

    Not once a newer sign-up has taken its place: the account then waits with that one's password.
    Raises LinkDead, TooSoon.
    """
    person, challenge = _linked(uid, token)
    sending.spend(proof.PURPOSE, person, person.email_key, None, by)
    with transaction():
        person = people.lock(person.id)
        if challenges.current(flows.latest(challenge).id) is None:
            raise _dead("replaced")
        proof.ask_again(person, terms, by)


def _ask_again(person: Person, terms: Terms, by: By) -> None:
    if wishes.is_somebodys(person):
        proof.pretend(person, terms, by)
    else:
        proof.ask_again(person, terms, by)


def _settled(challenge: Challenge, by: By) -> tuple[Person, bool]:
    person = people.lock(challenge.user_id)
    if not challenges.prove(challenge, by_code=True):
        raise guesses.not_right(challenge)
    contested = proof.is_contested(person, challenge)
    if contested:
        people.disown(person)
        person.password_hash = hashing.unusable()
    proof.settle(person, challenge, by)
    return person, not contested


def _linked(uid: str, token: str) -> tuple[Person, Challenge]:
    """Whose link it is, and the last wish of its line.  Raises LinkDead."""
    first = challenges.of_link(token)
    person = people.get(first.user_id) if first else None
    if first is None or person is None or str(person.uuid) != uid or not _is_for_programs(first):
        raise _dead("unknown")
    last = flows.latest(first)
    if reason := _over(last):
        raise _dead(reason)
    return person, last


def _is_for_programs(challenge: Challenge) -> bool:
    return challenge.purpose == proof.PURPOSE and challenge.door == API


def _over(challenge: Challenge) -> str:
    """Why it leads nowhere any more for a program; "" while it does."""
    if challenge.proven_at:
        return "used"
    if challenge.closed_at or not _is_for_programs(challenge):
        return "replaced"
    until = challenge.link_until
    in_time = until > clock.now() if until else not flows.is_over(challenge)
    return "" if in_time else "expired"


def _dead(code: str) -> LinkDead:
    words = _("It has been used, has run out, or a newer one was sent. Use the newest email.")
    return LinkDead(STORY, words, code)
