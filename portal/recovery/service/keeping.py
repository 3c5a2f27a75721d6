"""The link to an address that is to be given up: its button stops the change, or undoes it."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import addresses, holding, people
from portal.accounts.models import EmailChange, Person
from portal.codes import challenges, notices
from portal.codes.models import CHANGE_EMAIL, Challenge
from portal.core import audit, phrases
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import LinkDead

STORY = "not-you"


@dataclass(frozen=True)
class Change:
    """What it is about, as a stranger may see it; `made`: the address is another one already."""

    account: str
    wanted: str
    made: bool
    has_phone: bool


def of_link(token: str) -> Change:
    """What the link would stop.  Changes nothing.  Raises LinkDead."""
    change = _change(_good(token))
    person = people.get(change.person_id)
    if person is None:
        raise _unknown()
    account, wanted = people.masked(change.before), people.masked(change.wanted)
    return Change(account, wanted, _is_made(change, person), person.phone is not None)


def stop(token: str, by: By) -> bool:
    """Nothing asked for since then comes to be; an address that was changed is put back.

    -> whether it was.  Then everybody is signed out, and nobody comes in until a recovery has set
    a new password.  Raises LinkDead, also when all is done but the old address is another's now.
    """
    change = _change(_good(token))
    with transaction():
        person, holder = people.lock_with_holder(change.person_id, change.before)
        change = _used(token)  # once more: another press may have been quicker
        made = _is_made(change, person)
        is_back = not made or addresses.move(person, change.before, holder)
        challenges.end(CHANGE_EMAIL, person.id)
        addresses.forget_since(change)
        audit.record("email:stopped", person.id, by, detail="put back" if made else "")
        if made:
            holding.hold(person, by)
    if not is_back:
        raise _taken()
    return made


def _used(token: str) -> EmailChange:
    notice = _good(token)
    change = _change(notice)
    notices.use(notice)
    return change


def _is_made(change: EmailChange, person: Person) -> bool:
    return person.email_key != people.key(change.before)


def _good(token: str) -> Challenge:
    notice = notices.of_link(token, addresses.KEEP)
    if notice is None:
        raise _unknown()
    if notice.proven_at:
        used = phrases.moment(notice.proven_at)
        raise LinkDead(STORY, _("It was used on %(moment)s.", moment=used))
    if not notices.is_good(notice):
        span = phrases.duration(notice.link_seconds)
        raise LinkDead(STORY, _("It is older than %(span)s.", span=span))
    return notice


def _change(notice: Challenge) -> EmailChange:
    change = addresses.get(notices.number(notice))
    if change is None:
        raise LinkDead(STORY, _("The change has been stopped already."))
    return change


def _unknown() -> LinkDead:
    return LinkDead(STORY, _("It was not copied whole. Open it from the email once more."))


def _taken() -> LinkDead:
    words = _(
        "Everybody is signed out, but your old address belongs to another account by now. "
        "Ask the helpdesk for help."
    )
    return LinkDead(STORY, words)
