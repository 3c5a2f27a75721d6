"""The password of a person: what is accepted, and what a change always brings with it."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts import devices, hashing, messages, sending, sessions, words
from portal.accounts.models import PastPassword, Person
from portal.core import audit, clock, throttle
from portal.core.audit import By
from portal.core.db import db, release
from portal.core.errors import Rejected
from portal.core.settings import setting
from portal.delivery import outbox

FIELD = "password"
SECOND_STEP = "second step"  # how the counts of wrong ones are called in the beginning


@dataclass(frozen=True)
class Candidate:
    """A password that passed every rule but history: its hash, also under older salts."""

    password_hash: str
    under: dict[str, str | None]  # by prefix

    def equals(self, kept: str) -> bool:
        """Whether `kept` is a hash of the same password."""
        return self.under.get(hashing.prefix(kept)) == kept


def acceptable(typed: str | None) -> str:
    """The rules that need no account: length, kinds of characters, known lists.

    Raises Rejected.
    """
    password = unicodedata.normalize("NFC", typed or "")
    _check_length(password)
    _check_classes(password)
    if reason := words.common(password):
        raise Rejected(FIELD, reason, _reason(reason))
    return password


def repeated(typed: str | None, again: str | None) -> None:
    """The second typing; doors that do not ask for it give None.  Raises Rejected."""
    if again is not None and again != (typed or ""):
        message = _("The two passwords are different. Type the new password again.")
        raise Rejected("confirm_password", "differs", message)


def not_personal(password: str, own: Collection[str]) -> None:
    """The rule that knows whose password it is to be.  Raises Rejected."""
    if reason := words.personal(password, own, setting("PASSWORD_MIN_SCORE")):
        raise Rejected(FIELD, reason, _reason(reason))


def own_words(full_name: str, email: str, username: str | None = None) -> Collection[str]:
    """What a password of such a person must not contain."""
    return words.tokens(full_name, email.partition("@")[0], username or "", setting("PORTAL_NAME"))


def prepare(person: Person, password: str) -> Candidate:
    """All that is slow, done outside the transaction: personal rule and hashes.  Raises Rejected.

    A person's hashes share one salt, so that a single bcrypt answers for the whole history; only
    hashes from before a change of cost or pepper need one more for each such time.
    """
    not_personal(password, own_words(person.full_name, person.email, person.username))
    release()
    made = hashing.make(password, like=person.password_hash)
    under: dict[str, str | None] = {hashing.prefix(made): made}
    earlier = _history(person)
    release()
    for kept in (person.password_hash, *earlier):
        if hashing.prefix(kept) not in under:
            under[hashing.prefix(kept)] = hashing.again(password, hashing.prefix(kept))
    return Candidate(made, under)


def replace(person: Person, candidate: Candidate, by: By, but_session: int | None = None) -> None:
    """History, hash, every other sign-in ended, notice.  A step of the caller's transaction.

    Before the address is proven there is no history: whoever typed the first password may have been
    anybody, and the owner may well choose the same again.  Raises Rejected.
    """
    now = clock.now()
    if person.email_proven_at:
        _not_earlier(person, candidate)
        past = PastPassword(
            person_id=person.id, password_hash=person.password_hash, replaced_at=now
        )
        db.session.add(past)
    person.password_hash, person.password_changed_at = candidate.password_hash, now
    ended = sessions.end_all(person.id, but=but_session)
    event = audit.record("password:changed", person.id, by, detail=ended)
    outbox.put(messages.password_changed, event, person.id)


def after_reset(person: Person) -> None:
    """A reset also forgets the devices that were known, and wrong second steps.

    Whoever typed those knew a password that is worth nothing any more.
    """
    devices.forget_all(person.id)
    throttle.clear(db.session(), [sending.subject(person.email_key)], SECOND_STEP)


def _not_earlier(person: Person, candidate: Candidate) -> None:
    if candidate.equals(person.password_hash):
        message = _("This is your current password. Choose a different one.")
        raise Rejected(FIELD, "same", message)
    if any(candidate.equals(kept) for kept in _history(person)):
        message = _("You had this password before. Choose a different one.")
        raise Rejected(FIELD, "earlier", message)


def _history(person: Person) -> list[str]:
    wanted = select(PastPassword.password_hash).where(PastPassword.person_id == person.id)
    wanted = wanted.order_by(PastPassword.id.desc()).limit(setting("PASSWORD_HISTORY") or None)
    return list(db.session.scalars(wanted))


def _check_length(password: str) -> None:
    shortest, longest = setting("PASSWORD_MIN_LENGTH"), setting("PASSWORD_MAX_LENGTH")
    if not password:
        raise Rejected(FIELD, "empty", _("Enter a new password"))
    if len(password) < shortest:
        words_ = _(
            "Use at least %(least)d characters. This has %(length)d.",
            least=shortest,
            length=len(password),
        )
        raise Rejected(FIELD, "short", words_)
    if len(password) > longest:
        words_ = _(
            "Use at most %(most)d characters. This has %(length)d.",
            most=longest,
            length=len(password),
        )
        raise Rejected(FIELD, "long", words_)
    if any(unicodedata.category(char) == "Cs" for char in password):
        raise Rejected(FIELD, "characters", _("Take out the characters that cannot be seen."))


def _check_classes(password: str) -> None:
    if len(password) >= setting("PASSWORD_PASSPHRASE_LENGTH"):
        return
    kinds = {
        _("a capital letter"): any(char.isupper() for char in password),
        _("a small letter"): any(char.islower() for char in password),
        _("a digit"): any(char.isdigit() for char in password),
        _("a sign"): any(not char.isalnum() for char in password),
    }
    missing = [name for name, there in kinds.items() if not there]
    if missing:
        raise Rejected(FIELD, "classes", _asking_for(missing))


def _asking_for(missing: list[str]) -> str:
    listed = (
        missing[0]
        if len(missing) == 1
        else _("%(some)s and %(last)s", some=", ".join(missing[:-1]), last=missing[-1])
    )
    long = setting("PASSWORD_PASSPHRASE_LENGTH")
    return _(
        "Add %(kinds)s, or make it a passphrase of %(long)d characters or more.",
        kinds=listed,
        long=long,
    )


def _reason(code: str) -> str:
    return {
        "word": _("This is one word with trimmings. Three or four random words work well."),
        "leaked": _(
            "This password is on a list of leaked passwords. Choose another. "
            "Three or four random words work well."
        ),
        "personal": _("Your password contains your name or email address. Choose another."),
        "weak": _("This password is easy to guess. Three or four random words work well."),
    }[code]
