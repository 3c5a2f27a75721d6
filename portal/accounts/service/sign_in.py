"""Signing in and out."""

from flask_babel import gettext as _

from portal.accounts import alerts, attempts, entry, hashing, people, proof, sending, sessions
from portal.accounts.entry import SignedIn
from portal.accounts.models import Person, Session
from portal.codes import challenges
from portal.core import audit, clock, phrases
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, KeptOut, NotProven, Rejected, TooSoon
from portal.core.settings import setting


def sign_in(email: str, password: str, kept: bool, device: str | None, by: By) -> SignedIn:
    """Raises Rejected alike for every mismatch, KeptOut after too many, NotProven."""
    with Gather() as take:
        take(_given, "email", email.strip(), _("Enter your email address"))
        take(_given, "password", password, _("Enter your password"))
    person = _person(email, password, device, by)
    _refuse_entry(person, by)
    kept_hash = person.password_hash
    fresh = hashing.make(password) if hashing.stale(kept_hash) else kept_hash
    with transaction():
        person = people.lock(person.id)
        if person.password_hash == kept_hash and not (person.blocked_at or person.held_at):
            person.password_hash = fresh
            return entry.begin(person, kept, device, by)
    raise _mismatch(person, person.email_key, by)  # a reset or a block was quicker


def sign_out(session: Session, by: By) -> None:
    """Ends this sign-in."""
    with transaction():
        sessions.end(session)
        audit.record("sign-in:ended", session.person_id, by)


def _person(email: str, password: str, device: str | None, by: By) -> Person:
    """Whose address and password these are.  Raises Rejected or KeptOut."""
    person = people.find(email)
    try:
        right = attempts.right(password, person, people.key(email), device, by)
    except TooSoon as wait:
        raise _kept_out(wait) from None
    if person is None or not right:
        raise _mismatch(person, people.key(email), by)
    return person


def _given(field: str, typed: str, words: str) -> None:
    if not typed:
        raise Rejected(field, "empty", words)


def _kept_out(wait: TooSoon) -> KeptOut:
    span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
    words = _(
        "Too many wrong passwords. You can try again in %(span)s, or choose a new password now.",
        span=span,
    )
    return KeptOut(wait.retry_at, words)


def _mismatch(person: Person | None, key: str, by: By) -> Rejected:
    with transaction():
        event = audit.record("sign-in:refused", person.id if person else None, by)
        alerts.wrong_password(person, key, event)
    return Rejected(
        "email", "mismatch", _("Check your email address and password. They do not match.")
    )


def _refuse_entry(person: Person, by: By) -> None:
    """The password was right; the person may still not enter."""
    if person.blocked_at:
        line = " ".join(filter(None, (setting("HELP_PHONE"), setting("HELP_EMAIL"))))
        words = _("This account is blocked. The helpdesk can tell you why and what to do.")
        raise Rejected(None, "blocked", f"{words} {line}".strip())
    if person.held_at:
        raise Rejected(None, "held", _held())
    if person.email_proven_at is None:
        raise NotProven(_ask_for_proof(person, by))


def _held() -> str:
    return _(
        "This account is on hold: its owner told us that somebody else had come in. "
        'Choose a new password first, by "I have forgotten my password" below.'
    )


def _ask_for_proof(person: Person, by: By) -> str:
    """A fresh message, or the flow of the one that has just been sent.  -> the flow's id."""
    try:
        sending.spend(proof.PURPOSE, person, person.email_key, None, by)
    except TooSoon:
        running = challenges.newest(proof.PURPOSE, person.id)
        if running is None:
            raise
        return running.id
    with transaction():
        return proof.ask(people.lock(person.id), by).id
