"""Signing in and out of a browser."""

from portal.accounts import entry, hashing, people, proof, sessions
from portal.accounts.entry import Entered
from portal.accounts.models import Session
from portal.accounts.service import credentials
from portal.accounts.service.credentials import Typed
from portal.codes import terms
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction


def sign_in(email: str, password: str, kept: bool, device: str | None, by: By) -> Entered:
    """Half a sign-in where the account asks for a second factor.

    Raises Rejected alike for every mismatch, KeptOut after too many, NotProven."""
    person = credentials.whose(Typed(email, password, device=device), by)
    credentials.check_standing(person, on_page=True)
    credentials.check_proof(person, terms.proof(proof.LINK), by)
    kept_hash = person.password_hash
    fresh = hashing.renewed(password, kept_hash)
    with transaction():
        person = people.lock(person.id)
        if person.password_hash == kept_hash and person.may_enter:
            person.password_hash = fresh
            return entry.begin(person, kept, device, by)
    raise credentials.mismatch(person, person.email_key, by)  # a reset or a block was quicker


def sign_out(session: Session, by: By) -> None:
    """Ends this sign-in, of a browser or of a program."""
    with transaction():
        sessions.end(session)
        audit.record("sign-in:ended", session.person_id, by)
