"""The link to a new email address: its button makes it the account's."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import addresses, people, sessions
from portal.accounts.models import EmailChange, Person
from portal.codes import challenges
from portal.codes.models import CHANGE_EMAIL, Challenge
from portal.core import audit, clock, phrases
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import LinkDead

STORY = "email"


@dataclass(frozen=True)
class Wish:
    """What is to become what, as a stranger may see it."""

    account: str
    wanted: str


def of_link(token: str) -> Wish:
    """What the link would confirm.  Changes nothing.  Raises LinkDead."""
    change = _change(_linked(token))
    holder, person = people.find(change.wanted), people.get(change.person_id)
    if person is None or addresses.is_taken(holder):
        raise _taken()
    return Wish(people.masked(person.email), people.masked(change.wanted))


def confirm(token: str, keep_session: int | None, by: By) -> None:
    """The new address is the person's, and every other wish and sign-in of theirs ends.

    But for the sign-in of the id `keep_session`: that of the browser in which the link was opened.
    Raises LinkDead.
    """
    challenge = _linked(token)
    change = _change(challenge)
    with transaction():
        person, holder = people.lock_with_holder(change.person_id, change.wanted)
        if not _may(person) or not challenges.prove(challenge, by_code=False):
            raise _dead(challenges.of_id(challenge.id) or challenge)
        if not addresses.move(person, change.wanted, holder):
            raise _taken()
        challenges.end_all(person.id)
        ended = sessions.end_all(person.id, but=keep_session)
        audit.record("email:changed", person.id, by, detail=ended)


def _may(person: Person) -> bool:
    return not person.is_shut and person.held_at is None


def _linked(token: str) -> Challenge:
    challenge = challenges.of_link(token)
    if challenge is None or challenge.purpose != CHANGE_EMAIL:
        words = _("It was not copied whole, or a newer email was sent. Use the newest one.")
        raise LinkDead(STORY, words)
    in_time = challenge.link_until is not None and challenge.link_until > clock.now()
    if not challenges.is_wanted(challenge) or not in_time:
        raise _dead(challenge)
    return challenge


def _change(challenge: Challenge) -> EmailChange:
    change = addresses.of_challenge(challenge.id)
    if change is None:
        raise _dead(challenge)
    return change


def _dead(challenge: Challenge) -> LinkDead:
    if challenge.proven_at:
        used = phrases.moment(challenge.proven_at)
        return LinkDead(STORY, _("It was used on %(moment)s.", moment=used))
    if challenge.closed_at:
        return LinkDead(STORY, _("The change was stopped, or you have asked for another since."))
    span = phrases.duration(challenge.link_seconds)
    return LinkDead(STORY, _("It is older than %(span)s.", span=span))


def _taken() -> LinkDead:
    words = _("This address belongs to another account by now. Use another address.")
    return LinkDead(STORY, words)
