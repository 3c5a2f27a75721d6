"""The proof of an address: steps inside the caller's transaction."""

from uuid import uuid4

from portal.accounts import messages, people, sessions
from portal.accounts.models import Person
from portal.codes import challenges, flows
from portal.codes.models import VERIFY_EMAIL, Challenge
from portal.codes.terms import Terms
from portal.core import audit, rows
from portal.core.audit import By, Recorded
from portal.delivery import outbox

PURPOSE = VERIFY_EMAIL
LINK = "/sign-up/link/{token}"


def ask(person: Person, terms: Terms, by: By, helped: Recorded | None = None) -> Challenge:
    """Code and link to the address of a person that nobody has proven yet.

    `helped`: the event by which the helpdesk sends it.
    """
    own = terms.about(person.uuid)
    challenge = challenges.open_(PURPOSE, person.id, person.email_key, by.device, own)
    about = f"{challenge.id}:{helped.id}" if helped else challenge.id
    outbox.put(messages.confirm_address, about, person.id)
    return challenge


def ask_again(person: Person, terms: Terms, by: By, helped: Recorded | None = None) -> Challenge:
    """The same once more for the same sign-up: links of its earlier messages go on leading here."""
    before = challenges.newest(PURPOSE, person.id)
    challenge = ask(person, terms, by, helped)
    rows.change(Challenge, challenge.id, follows=before.id if before else None)
    return challenge


def ask_nobody(key: str, terms: Terms, by: By) -> Challenge:
    """The same walk for an address that nobody has typed to sign up (its key)."""
    challenge = challenges.open_(PURPOSE, None, key, by.device, terms.about(uuid4()))
    outbox.put(messages.confirm_address, challenge.id)
    return challenge


def pretend(owner: Person, terms: Terms, by: By) -> Challenge:
    """The same walk for an address that is somebody's already: no code, a notice to its owner."""
    nobodys = terms.about(uuid4())
    challenge = challenges.open_(PURPOSE, None, owner.email_key, by.device, nobodys)
    outbox.put(messages.already_registered, f"{challenge.id}:{owner.id}", owner.id)
    return challenge


def is_contested(person: Person, challenge: Challenge) -> bool:
    """Whether others may have signed up with the address while its links live.

    Sign-ups with another password than the one that `challenge` belongs to.
    """
    line = flows.line(challenge)
    return any(each.id not in line for each in flows.recent(PURPOSE, person.id))


def settle(person: Person, challenge: Challenge, by: By) -> None:
    """The address is the person's.  Sign-ins of the time when nobody knew whose it was are over."""
    people.prove(person)
    sessions.end_all(person.id)
    challenges.close(challenge)
    audit.record("sign-up:proven", person.id, by)
