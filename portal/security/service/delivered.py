"""A code sent by email, asked for before what is sensitive: the steps that its stories share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from flask_babel import gettext as _

from portal.accounts import devices, people, sending, sessions
from portal.accounts.models import Session
from portal.codes import challenges, flows, guesses, terms
from portal.codes.models import STEP_UP, Challenge
from portal.codes.terms import Terms
from portal.core import audit, clock
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import CodeNeeded, Rejected
from portal.core.settings import setting
from portal.delivery import outbox
from portal.security import messages

PURPOSE = STEP_UP


def judged(
    session: Session, typed: str | None, flow: str | None, device: str | None, by: By
) -> Challenge | None:
    """What the right code was sent for; None where the settings ask for no code.

    Without a code one is sent, unless that was a moment ago.  `flow` is what a browser waits for;
    of a program it is what it asked for last.  Raises CodeNeeded, Rejected or TooSoon.
    """
    if not setting("REQUIRE_CODE_FOR_PASSWORD_CHANGE"):
        return None
    wish = waited_for(session, flow)
    if wish is not None and (typed or "").strip():
        guesses.judge(wish, typed)
        return wish
    if wish is not None and _is_fresh(wish):
        words = _("We have sent you an email a moment ago. Type its code.")
        raise CodeNeeded(wish.id, words)
    words = _("We have sent a code to your email address. Type it here.")
    raise CodeNeeded(send(session, device, by), words)


def send(session: Session, device: str | None, by: By) -> str:
    """A fresh code to the person's own address; an older one dies.  -> the flow's id.

    Raises TooSoon.
    """
    person = session.person
    sending.spend(PURPOSE, person, person.email_key, devices.own(device, person), by)
    with transaction():
        person = people.lock(person.id)
        sessions.still(by)
        key = guesses.own_key(PURPOSE, person.id)
        wish = challenges.open_(PURPOSE, person.id, key, by.device, _terms(session))
        outbox.put(messages.step_up_code, wish.id, person.id)
        audit.record("step-up:asked", person.id, by)
        return wish.id


def waited_for(session: Session, flow: str | None) -> Challenge | None:
    """What this person asked for, in this browser or in a program, and nobody has used yet."""
    if session.kind == sessions.PROGRAM:
        wish = flows.of_program(PURPOSE, guesses.own_key(PURPOSE, session.person_id))
    else:
        wish = flows.of_browser(PURPOSE, flow)
    mine = wish is not None and wish.user_id == session.person_id
    return wish if wish is not None and mine and challenges.is_wanted(wish) else None


def use(wish: Challenge | None) -> None:
    """The code is used up, where there was one.  A step of a transaction.  Raises Rejected."""
    if wish is not None and not challenges.prove(wish, by_code=True):
        raise guesses.not_right(wish)


@contextmanager
def spared(wish: Challenge | None) -> Iterator[None]:
    """What is refused in here leaves the right code as good as it was."""
    try:
        yield
    except Rejected:
        if wish is not None:
            guesses.give_back(wish)
        raise


def _is_fresh(wish: Challenge) -> bool:
    pause = timedelta(seconds=setting("SEND_COOLDOWN_SECONDS"))
    return wish.opened_at + pause > clock.now()


def _terms(session: Session) -> Terms:
    own = terms.proof("")
    return own.by_program() if session.kind == sessions.PROGRAM else own
