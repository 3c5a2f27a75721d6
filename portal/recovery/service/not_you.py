""" "That was not me": the button behind the link that every notice carries."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import holding, people
from portal.accounts.models import Person
from portal.codes import notices
from portal.codes.models import Challenge
from portal.core import phrases
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import LinkDead

STORY = "not-you"


@dataclass(frozen=True)
class Account:
    """What is told of the account that a notice is about: its address as a stranger may see it."""

    address: str
    has_phone: bool


def of_notice(token: str) -> Account:
    """Whose account it is.  Changes nothing.  Raises LinkDead."""
    person = _whose(_good(token))
    return Account(people.masked(person.email), person.phone is not None)


def press(token: str, by: By) -> None:
    """Everybody is signed out, and nobody comes in until a recovery has set a new password.

    It signs nobody in and sets nothing itself.  Raises LinkDead.
    """
    person = _whose(_good(token))
    with transaction():
        person = people.lock(person.id)
        if not notices.use(_good(token)):  # once more: another press may have been quicker
            raise _unknown()
        holding.hold(person, by)


def _good(token: str) -> Challenge:
    notice = notices.of_link(token)
    if notice is None:
        raise _unknown()
    if notice.proven_at:
        used = phrases.moment(notice.proven_at)
        words = _("It was used on %(moment)s, and everybody was signed out then.", moment=used)
        raise LinkDead(STORY, words)
    if not notices.is_good(notice):
        span = phrases.duration(notice.link_seconds)
        raise LinkDead(STORY, _("It is older than %(span)s.", span=span))
    return notice


def _whose(notice: Challenge) -> Person:
    person = people.get(notice.user_id)
    if person is None:
        raise _unknown()
    return person


def _unknown() -> LinkDead:
    return LinkDead(STORY, _("It was not copied whole. Open it from the email once more."))
