"""The link that a message brought: the steps that every story of it shares."""

from flask_babel import gettext as _

from portal.accounts import people
from portal.accounts.models import Person
from portal.codes import challenges
from portal.codes.models import PASSWORD_RESET, Challenge
from portal.core import clock
from portal.core.errors import LinkDead

PURPOSE, STORY = PASSWORD_RESET, "recovery"
PATH = "/recover/link/{token}"


def good(token: str) -> Challenge:
    """The wish whose link can still be used.  Raises LinkDead."""
    challenge = challenges.of_link(token)
    if challenge is None or challenge.purpose != PURPOSE:
        raise unknown()
    until = challenge.link_until or clock.now()
    if challenge.closed_at or challenge.proven_at or until <= clock.now():
        raise dead(challenge)
    return challenge


def dead(challenge: Challenge) -> LinkDead:
    """Why this link cannot be used any more."""
    if challenge.proven_at:
        used = f"{challenge.proven_at:%H:%M}"
        return LinkDead(STORY, _("It was used at %(time)s UTC.", time=used), "used")
    if challenge.closed_at:
        words = _("A newer email was sent, or you have signed in since.")
        return LinkDead(STORY, words, "replaced")
    minutes = challenge.link_seconds // 60
    words = _("It is older than %(minutes)d minutes.", minutes=minutes)
    return LinkDead(STORY, words, "expired")


def unknown() -> LinkDead:
    """It is none of ours, or another took its place."""
    words = _("It was not copied whole, or a newer email was sent. Use the newest one.")
    return LinkDead(STORY, words, "unknown")


def person(challenge: Challenge) -> Person:
    """Whose link it is.  Raises LinkDead."""
    found = people.get(challenge.user_id)
    if found is None:
        raise dead(challenge)
    return found
