"""Address or username, and password: the steps that signing in shares, whoever it is for."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import alerts, attempts, devices, names, people, proof, sending, usernames
from portal.accounts.models import Person
from portal.codes import challenges
from portal.codes.terms import Terms
from portal.core import audit, clock, phrases
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Gather, KeptOut, NotProven, Overloaded, Rejected, TooSoon
from portal.core.settings import setting


@dataclass(frozen=True)
class Typed:
    """What somebody typed to come in: an email address or else a username, and a password.

    `device` is the token by which the browser may be known.
    """

    email: str | None
    password: str | None
    username: str | None = None
    device: str | None = None

    @property
    def called(self) -> str | None:
        """The username, where that is what counts."""
        return self.username if self.email is None else None

    @property
    def name(self) -> tuple[str, str, str]:
        """The field, what was typed there, and what to say when that is nothing."""
        if self.called is not None:
            return "username", self.called.strip(), _("Enter your username")
        return "email", (self.email or "").strip(), _("Enter your email address")

    @property
    def key(self) -> str:
        """What wrong passwords are counted by."""
        if self.called is not None:
            return names.key(self.called)
        return people.key(self.email)

    def owner(self) -> tuple[Person | None, str | None]:
        """Whoever has this address or username, to look at; `device`, if it is known as theirs."""
        if self.called is None:
            return devices.with_owner(self.key, self.device)
        person = usernames.holder(names.searched(self.called))
        return person, devices.own(self.device, person)


def whose(typed: Typed, by: By) -> Person:
    """Whose these are, to look at.  Raises Several, Rejected alike for every mismatch, KeptOut."""
    with Gather() as take:
        take(_given, *typed.name)
        password = take(_given, "password", typed.password or "", _("Enter your password"))
    person, own = typed.owner()
    try:
        right = attempts.right(password, person, typed.key, own, by)
    except Overloaded:
        raise
    except TooSoon as wait:
        raise _kept_out(wait) from None
    if person is None or not right:
        raise mismatch(person, typed.key, by, typed.called is not None)
    return person


def mismatch(person: Person | None, key: str, by: By, called: bool = False) -> Rejected:
    """Noted, and told alike whatever does not fit."""
    with transaction():
        event = audit.record("sign-in:refused", person.id if person else None, by)
        alerts.wrong_password(person, key, event)
    if called:
        words = _("Check your username and password. They do not match.")
        return Rejected("username", "mismatch", words)
    words = _("Check your email address and password. They do not match.")
    return Rejected("email", "mismatch", words)


def check_standing(person: Person, on_page: bool = False) -> None:
    """The password was right; who is blocked, deleted or held stays out.  Raises Rejected.

    Whoever deleted the account comes back by signing in on a page.
    """
    line = " ".join(filter(None, (setting("HELP_PHONE"), setting("HELP_EMAIL"))))
    if person.is_blocked:
        words = _("This account is blocked. The helpdesk can tell you why and what to do.")
        raise Rejected(None, "blocked", f"{words} {line}".strip())
    if person.deleted_at and not (on_page and person.may_come_back):
        days = setting("DELETION_DAYS")
        words = _("This account was deleted. It can be restored for %(days)d days.", days=days)
        raise Rejected(None, "deleted", f"{words} {line}".strip())
    if person.held_at:
        raise Rejected(None, "held", _held())


def check_proof(person: Person, terms: Terms, by: By) -> None:
    """Nor is one whose address nobody has proven: it gets a fresh message.  Raises NotProven."""
    if person.email_proven_at is None:
        words = _("Confirm your email address first. We have sent you an email with a code.")
        raise NotProven(_ask_for_proof(person, terms, by), words)


def _given(field: str, typed: str, words: str) -> str:
    if not typed:
        raise Rejected(field, "empty", words)
    return typed


def _kept_out(wait: TooSoon) -> KeptOut:
    span = phrases.duration(max(1, clock.seconds_until(wait.retry_at)))
    words = _(
        "Too many wrong passwords. You can try again in %(span)s, or choose a new password now.",
        span=span,
    )
    return KeptOut(wait.retry_at, words)


def _held() -> str:
    return _(
        "This account is on hold: its owner told us that somebody else had come in. "
        'Choose a new password first, by "I have forgotten my password" below.'
    )


def _ask_for_proof(person: Person, terms: Terms, by: By) -> str:
    """A fresh message, or the flow of the last one that may be sent.  -> its id; "" without any."""
    try:
        sending.spend(proof.PURPOSE, person, person.email_key, None, by)
    except TooSoon:
        running = challenges.newest(proof.PURPOSE, person.id)
        return running.id if running else ""
    with transaction():
        return proof.ask_again(people.lock(person.id), terms, by).id
