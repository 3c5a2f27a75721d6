"""Changes of an address: kept for the way back.  Steps inside the caller's transaction.

Each change has a row of its own, so that a thief who changes the address twice cannot write over
the one that it has to come back to.
"""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from portal.accounts import people
from portal.accounts.models import EmailChange, Person
from portal.codes import challenges
from portal.core import clock
from portal.core.db import changed, db
from portal.core.settings import setting

KEEP = "keep_email"  # the purpose of the link that stops a change
GIVEN_UP = timedelta(days=2)  # that a link is older than its change at most: so long mail may wait


def own_key(email: str, person_id: int) -> str:
    """What the wish to have an address is known by: others may wish for the same one meanwhile."""
    return f"person {person_id} {people.key(email)}"


def note(person: Person, wanted: str, challenge_id: str) -> EmailChange:
    """Somebody wants another address; the link of this challenge is to prove it."""
    change = EmailChange(
        person_id=person.id,
        challenge_id=challenge_id,
        before=person.email,
        wanted=wanted,
        asked_at=clock.now(),
    )
    db.session.add(change)
    return change


def get(change_id: int) -> EmailChange | None:
    """The change of this id, if nothing has undone it."""
    return db.session.get(EmailChange, change_id, populate_existing=True)


def of_challenge(challenge_id: str) -> EmailChange | None:
    """The change that this challenge is to prove, if nothing has undone it."""
    wanted = select(EmailChange).where(EmailChange.challenge_id == challenge_id)
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def is_taken(holder: Person | None) -> bool:
    """Whether an address is somebody's; an account that nobody has proven is nobody's."""
    return holder is not None and bool(holder.email_proven_at or holder.is_shut)


def move(person: Person, email: str, holder: Person | None) -> bool:
    """The address is this person's, who has read a message there.  False: it is somebody else's.

    A step after `people.lock_with_holder`.  Who only signed up with it has to give way: else a
    thief could keep the owner from getting it back.
    """
    if is_taken(holder):
        return False
    if holder is not None:
        challenges.end_all(holder.id)
        db.session.execute(delete(Person).where(Person.id == holder.id))
    try:
        with db.session.begin_nested():
            person.email, person.email_key = email, people.key(email)
            person.email_proven_at = clock.now()
    except IntegrityError:  # somebody else was quicker
        return False
    return True


def forget_since(change: EmailChange) -> None:
    """This change and all later ones of the person are undone: none of their links is good."""
    later = (EmailChange.person_id == change.person_id, EmailChange.id >= change.id)
    db.session.execute(delete(EmailChange).where(*later))


def purge() -> int:
    """Removes changes that no link can confirm or stop any more.  -> how many."""
    longest = max(
        timedelta(days=setting("NOTICE_LINK_LIFETIME_DAYS")) + GIVEN_UP,
        timedelta(seconds=setting("PROOF_LINK_LIFETIME_SECONDS")) * 2,
    )
    old = EmailChange.asked_at < clock.now() - longest
    return changed(db.session(), delete(EmailChange).where(old))
