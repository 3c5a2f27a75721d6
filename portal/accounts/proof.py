"""The proof of an address: steps inside the caller's transaction."""

from portal.accounts import messages
from portal.accounts.models import Person
from portal.codes import challenges, terms
from portal.codes.models import VERIFY_EMAIL, Challenge
from portal.core.audit import By
from portal.delivery import outbox

PURPOSE = VERIFY_EMAIL
LINK = "/sign-up/link/{token}"


def ask(person: Person, by: By) -> Challenge:
    """Code and link to the address of a person that nobody has proven yet."""
    challenge = challenges.open_(PURPOSE, person.id, person.email_key, by.device, terms.proof(LINK))
    outbox.put(messages.confirm_address, challenge.id, person.id)
    return challenge


def pretend(owner: Person, by: By) -> Challenge:
    """The same walk for an address that is somebody's already: no code, a notice to its owner."""
    challenge = challenges.open_(PURPOSE, None, owner.email_key, by.device, terms.proof(LINK))
    outbox.put(messages.already_registered, f"{challenge.id}:{owner.id}", owner.id)
    return challenge
