"""Signing in and out."""

from flask_babel import gettext as _

from portal.accounts import devices, entry, hashing, people, proof, sending, sessions
from portal.accounts.entry import SignedIn
from portal.accounts.models import Person, Session
from portal.codes import challenges
from portal.core import audit, clock, phrases, throttle
from portal.core.audit import By
from portal.core.db import release, transaction
from portal.core.errors import Gather, KeptOut, NotProven, Rejected, TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit


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
        if person.password_hash == kept_hash:
            person.password_hash = fresh
            return entry.begin(person, kept, device, by)
    raise _mismatch(person, by)  # a reset was quicker: the password is no longer right


def sign_out(session: Session, by: By) -> None:
    """Ends this sign-in."""
    with transaction():
        sessions.end(session)
        audit.record("sign-in:ended", session.person_id, by)


def _person(email: str, password: str, device: str | None, by: By) -> Person:
    """Whose address and password these are; counted before it is judged, a right one given back."""
    person = people.find(email)
    limits = _limits(email, person, devices.own(device, person), by)
    _spend(limits)
    release()
    fits = _fits(password, person.password_hash if person else None)
    if person is None or not fits:
        raise _mismatch(person, by)
    throttle.refund(limits)
    return person


def _given(field: str, typed: str, words: str) -> None:
    if not typed:
        raise Rejected(field, "empty", words)


def _limits(email: str, person: Person | None, device: str | None, by: By) -> tuple[Limit, ...]:
    """A device that this person signed in with before has a count of its own, and no other."""
    times, seconds = (
        setting("WRONG_PASSWORDS_PER_ACCOUNT"),
        setting("WRONG_PASSWORDS_PER_ACCOUNT_SECONDS"),
    )
    if device:
        return (Limit("wrong password", f"device {device}", times, seconds),)
    whose, _account = sending.subjects(person, people.key(email))
    everybody = (
        setting("WRONG_PASSWORDS_PER_NETWORK"),
        setting("WRONG_PASSWORDS_PER_NETWORK_SECONDS"),
    )
    return (
        Limit(f"wrong password {by.network}", whose, times, seconds),
        Limit("wrong password", f"network {by.network}", *everybody),
    )


def _spend(limits: tuple[Limit, ...]) -> None:
    try:
        throttle.spend(limits)
    except TooSoon as wait:
        span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
        words = _(
            "Too many wrong passwords. You can try again in %(span)s, "
            "or choose a new password now.",
            span=span,
        )
        raise KeptOut(wait.retry_at, words) from None


def _fits(password: str, kept_hash: str | None) -> bool:
    """A longer password than anybody can have is not even hashed: it would tire us."""
    return len(password) <= setting("PASSWORD_MAX_LENGTH") and hashing.fits(password, kept_hash)


def _mismatch(person: Person | None, by: By) -> Rejected:
    with transaction():
        audit.record("sign-in:refused", person.id if person else None, by)
    return Rejected(
        "email", "mismatch", _("Check your email address and password. They do not match.")
    )


def _refuse_entry(person: Person, by: By) -> None:
    """The password was right; the person may still not enter."""
    if person.blocked_at:
        line = " ".join(filter(None, (setting("HELP_PHONE"), setting("HELP_EMAIL"))))
        words = _("This account is blocked. The helpdesk can tell you why and what to do.")
        raise Rejected(None, "blocked", f"{words} {line}".strip())
    if person.email_proven_at is None:
        raise NotProven(_ask_for_proof(person, by))


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
        return proof.ask(person, by).id
