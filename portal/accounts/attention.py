"""One helper at a time: what every act of the helpdesk on a person checks before it acts."""

from dataclasses import replace

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from portal.accounts import admins, people, roles, sessions
from portal.accounts.models import Person
from portal.core import phrases, texts
from portal.core.audit import BY_DESK, By, Event
from portal.core.db import db
from portal.core.errors import Gather, Rejected

LONGEST_CHECK, LONGEST_REASON, LONGEST_TICKET = 100, 200, 50  # as wide as their columns
OPENED = "desk:opened"  # looking at somebody's page takes nothing from colleagues
DID = {
    "recovery:sent-by-support": _l("%(who)s sent a recovery email on %(at)s."),
    "account:signed-out": _l("%(who)s signed this person out on %(at)s."),
    "account:blocked": _l("%(who)s blocked this account on %(at)s."),
    "account:unblocked": _l("%(who)s unblocked this account on %(at)s."),
    "account:throttles-cleared": _l("%(who)s ended the waiting times on %(at)s."),
    "account:role-changed": _l("%(who)s changed the role on %(at)s."),
    "proof:sent-by-support": _l("%(who)s sent the confirmation email again on %(at)s."),
    "two-step:cleared": _l("%(who)s cleared two-step sign-in on %(at)s."),
}
OTHERWISE = _l("%(who)s changed something here on %(at)s.")


def accounted(by: By) -> By:
    """Who helps says how they know who called, why, and on which ticket.  -> the same, tidied.

    The operator at the command line (nobody signed in) owes no account.  Raises Several.
    """
    with Gather() as take:
        return gathered(by, take)


def gathered(by: By, take: Gather) -> By:
    """The same where more was typed; `take` gathers what is refused."""
    if by.person_id is None:
        return by
    check = _("Choose how you checked who they are")
    return replace(
        by,
        verified_by=take(_line, "verified_by", by.verified_by, LONGEST_CHECK, check),
        reason=take(_line, "reason", by.reason, LONGEST_REASON, _("Enter the reason")),
        ticket=take(_line, "ticket", by.ticket, LONGEST_TICKET, _("Enter the ticket number")),
    )


def _line(field: str, typed: str, longest: int, otherwise: str) -> str:
    text = texts.line(field, typed, longest)
    if not any(char.isalnum() for char in text):
        raise Rejected(field, "empty", otherwise)
    return text


def turn(person: Person, actor: Person | None, permission: str, by: By) -> Person:
    """The person, locked and read afresh, once everything still stands as it was on the page.

    The first step of an act's transaction.  Raises Vanished, Unauthenticated when the acting
    sign-in ended meanwhile, Forbidden or NotAllowed, and Rejected (code `overtaken`).
    """
    locked = people.lock(person.id)
    _stand(locked, actor, permission, by)
    return locked


def turn_on_admins(person: Person, actor: Person | None, permission: str, by: By) -> Person:
    """The same for what can take an admin away: all admins are locked with the person.

    Nobody of the desk takes the last one away; the operator can.  Raises Rejected for that too.
    """
    locked = admins.lock(person.id)
    _stand(locked, actor, permission, by)
    if actor is not None:
        admins.check_not_last(locked)
    return locked


def _stand(locked: Person, actor: Person | None, permission: str, by: By) -> None:
    sessions.still(by)
    roles.require(actor, permission, over=locked)
    _not_overtaken(locked, by)


def _not_overtaken(person: Person, by: By) -> None:
    """No colleague has done anything since the page was made that is acted from."""
    if by.seen is None:
        return
    others = or_(Event.actor_id.is_(None), Event.actor_id != (by.person_id or 0))
    event = last(person.id, others, Event.id > by.seen)
    if event is not None:
        words = _("%(what)s Look at the page again before you go on.", what=told(event))
        raise Rejected(None, "overtaken", words)


def newest(person_id: int) -> int:
    """The id of the newest act of the helpdesk on this person; 0 before the first."""
    event = last(person_id)
    return event.id if event else 0


def last(person_id: int, *which: object) -> Event | None:
    """The newest act of the helpdesk on this person; of those, only `which`."""
    mine = (Event.person_id == person_id, BY_DESK.is_(True), Event.kind != OPENED)
    wanted = select(Event).where(*mine, *which)  # type: ignore[arg-type]
    return db.session.scalar(wanted.order_by(Event.id.desc()).limit(1))


def told(event: Event) -> str:
    """Who did what, and when."""
    words = str(DID.get(event.kind, OTHERWISE))
    return words % {"who": who(event), "at": phrases.moment(event.at)}


def who(event: Event) -> str:
    """The colleague behind an act, for colleagues: with the address, for anybody can choose a name.

    Somebody may well call oneself "The operator".
    """
    if event.actor_id is None:
        return _("The operator")
    actor = people.get(event.actor_id)
    if actor is None:
        return _("A colleague")
    return texts.apart(f"{actor.full_name} ({actor.email})" if actor.full_name else actor.email)
