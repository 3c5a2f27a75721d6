"""Finding people, and the one comparison key of an address.  Sole owner of email_validator."""

from datetime import timedelta
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, bindparam, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Person
from portal.codes.models import VERIFY_PHONE, Challenge
from portal.core import clock, crypto
from portal.core.db import changed, db
from portal.core.errors import Rejected, Vanished
from portal.core.settings import setting


def address(typed: str | None, field: str = "email") -> str:
    """The address that messages will go to: trimmed, its domain in ASCII (IDNA).  Raises Rejected.

    ASCII local parts only (RFC 5321): no two letters that look alike may be two people.
    """
    text = (typed or "").strip()
    if not text:
        raise Rejected(field, "empty", _("Enter your email address"))
    found = _parsed(text)
    if found is None:
        words = _("Enter an email address in the correct format, like name@example.com")
        raise Rejected(field, "format", words)
    return found


def key(typed: str | None) -> str:
    """What addresses are compared by: trimmed, case folded, domain in IDNA.

    What is no address gets a key too, one that nobody has.
    """
    text = (typed or "").strip()
    return key_of_address(text) or "not an address " + crypto.digest(text)


def key_of_address(text: str) -> str:
    """The same for an address alone; "" for what is none."""
    return folded(_parsed(text) or "")


def folded(found: str) -> str:
    """The key of what `address` found."""
    return found.casefold()


def _parsed(text: str) -> str | None:
    """The address in ASCII, or None.  No look-ups: a name server must not learn who comes here."""
    if len(text) > setting("EMAIL_MAX_LENGTH"):
        return None
    try:
        found = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=False,
            globally_deliverable=False,
            strict=True,
        )
    except (EmailNotValidError, UnicodeError):
        return None
    return found.ascii_email if "." in found.ascii_domain else None


# Asked often, so they are put together once.
_BY_EMAIL = select(Person).where(Person.email_key == bindparam("key"))
_LOCKED = select(Person).where(Person.id == bindparam("person")).with_for_update()
AFRESH = {"populate_existing": True}


def find(typed: str | None) -> Person | None:
    """Whoever has this address, read afresh."""
    return db.session.scalar(_BY_EMAIL, {"key": key(typed)}, execution_options=AFRESH)


def of_phone(number: str) -> Person | None:
    """Whoever has proven this number (E.164), read afresh."""
    return db.session.scalar(select(Person).where(Person.phone == number), execution_options=AFRESH)


def of_uuid(uuid: UUID) -> Person | None:
    """Whoever has this name in links, read afresh."""
    return db.session.scalar(select(Person).where(Person.uuid == uuid), execution_options=AFRESH)


def get(person_id: int | None) -> Person | None:
    """The person of this id, read afresh."""
    return db.session.get(Person, person_id, populate_existing=True) if person_id else None


def lock(person_id: int) -> Person:
    """The person read afresh, and kept from change by others until the transaction ends.

    Raises Vanished when it was purged a moment ago; the next try finds another state.
    """
    found = db.session.scalar(_LOCKED, {"person": person_id}, execution_options=AFRESH)
    if found is None:
        raise Vanished
    return found


def lock_with_owner(person_id: int, number: str) -> tuple[Person, Person | None]:
    """The person, and whoever else has this number, both kept from change."""
    return _lock_both(person_id, Person.phone == number)


def lock_with_holder(person_id: int, email: str) -> tuple[Person, Person | None]:
    """The person, and whoever else has this address, both kept from change."""
    return _lock_both(person_id, Person.email_key == key(email))


def _lock_both(person_id: int, other: ColumnElement[bool]) -> tuple[Person, Person | None]:
    """Lower id first, as everywhere: no deadlock."""
    both = or_(Person.id == person_id, other)
    wanted = select(Person).where(both).order_by(Person.id).with_for_update()
    found = db.session.scalars(wanted.execution_options(populate_existing=True)).all()
    person = next((each for each in found if each.id == person_id), None)
    if person is None:
        raise Vanished
    return person, next((each for each in found if each.id != person_id), None)


def add(email: str, full_name: str, role: str, password_hash: str) -> Person:
    """A new person, or the one who was quicker with this address.  A step of a transaction."""
    now = clock.now()
    person = Person(
        email=email,
        email_key=key(email),
        full_name=full_name,
        role=role,
        password_hash=password_hash,
        password_changed_at=now,
        created_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(person)
    except IntegrityError:
        return db.session.scalars(select(Person).where(Person.email_key == key(email))).one()
    return person


def disown(person: Person) -> None:
    """Whose address it is was open until now: how somebody showed up here is nobody's any more.

    The picture's files are swept away once no row names them.
    """
    if person.email_proven_at is None:
        person.picture_name = person.username = person.username_key = None


def prove(person: Person) -> None:
    """The address is the person's: somebody read a message there."""
    unproven = (Person.id == person.id, Person.email_proven_at.is_(None))
    db.session.execute(update(Person).where(*unproven).values(email_proven_at=clock.now()))


def move_phone(person: Person, number: str, owner: Person | None) -> Person | None:
    """The number is this person's alone from now on.  A step after `lock_with_owner`.

    -> who had it until now.
    """
    try:
        with db.session.begin_nested():
            if owner is not None:
                owner.phone = None
                db.session.flush()  # first: no two people may have one number
            person.phone, person.phone_wanted = number, None
    except IntegrityError:  # somebody else has proven it in this moment
        return move_phone(person, number, lock_with_owner(person.id, number)[1])
    return owner


def purge() -> int:
    """Removes accounts whose address nobody proved in CODE_RETENTION_DAYS.  -> how many."""
    before = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    waiting = (Person.email_proven_at.is_(None), Person.not_blocked())
    old = Person.password_changed_at < before  # of the newest sign-up with this address
    return changed(db.session(), delete(Person).where(*waiting, old))


def forget_numbers() -> int:
    """Removes numbers that somebody wanted to add and did not prove in time.  -> how many."""
    since = clock.now() - timedelta(seconds=setting("PROOF_LINK_LIFETIME_SECONDS"))
    wish = (Challenge.purpose == VERIFY_PHONE, Challenge.opened_at > since)
    waited_for = exists().where(Challenge.user_id == Person.id, *wish)
    old = update(Person).where(Person.phone_wanted.is_not(None), ~waited_for)
    forgotten = old.values(phone_wanted=None).execution_options(synchronize_session=False)
    return changed(db.session(), forgotten)


def masked(email: str) -> str:
    """The address as a stranger may see it: "s…@example.org"."""
    local, _at, domain = email.partition("@")
    return f"{local[:1]}…@{domain}"
