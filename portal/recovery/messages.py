"""What recovery writes to people."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from flask_babel import lazy_gettext as _l

from portal.accounts import letters, phones
from portal.accounts.models import Person
from portal.codes import challenges, copies, flows
from portal.codes.models import Challenge
from portal.core import audit
from portal.delivery.parcels import SMS
from portal.delivery.recipes import CODE, Letter, recipe
from portal.recovery import funnel


@recipe("recovery", _l("Getting back in"), CODE)
def recovery(about: str) -> Letter:
    """Code and link to get back in (`about`: the challenge).

    Unknown or overtaken: the same work, and nobody to send it to.
    """
    challenge, person = letters.wish(about)
    if challenge is None:
        return Letter(None)
    values = {"name": letters.greeted(person), "address": person.email if person else ""}
    to = person.email if person and _is_wanted(challenge) else None
    return _written(to, challenge, person, values)


@recipe("recovery_by_support", _l("Getting back in, sent by the helpdesk"), CODE)
def recovery_by_support(about: str) -> Letter:
    """A link that somebody of the helpdesk sent (`about`: challenge:event).

    The code is left out: no page waits for it, and nobody should be able to ask for it by phone.
    """
    challenge_id, _colon, event_id = about.partition(":")
    (challenge, person), event = letters.wish(challenge_id), audit.get(int(event_id))
    if challenge is None or event is None or person is None:
        return Letter(None)
    values = {"name": letters.greeted(person), "address": person.email}
    to = person.email if _is_wanted(challenge) else None
    return _written(to, challenge, person, values | letters.by_support(event))


@recipe("recovery_sms", _l("Getting back in"), CODE, SMS)
def recovery_sms(about: str) -> Letter:
    """A code alone to the number that was typed (`about`: the challenge).

    A number that is nobody's, or nobody's any more: the same work, and nobody to send it to.
    """
    challenge, person = letters.wish(about)
    if challenge is None:
        return Letter(None)
    number = (person.phone if person else None) or ""
    same = challenge.typed_hash == challenges.typed_hash(phones.key(number))
    to = number if same and _is_wanted(challenge) else None
    return _written(to, challenge, person, {})


def _written(
    to: str | None, challenge: Challenge, person: Person | None, values: Mapping[str, object]
) -> Letter:
    """Counted once it is accepted; nobody's too, but not one that was overtaken and leaves us not.

    So known and unknown addresses cost the same.
    """
    copy = copies.write(challenge)
    letter = letters.with_code(to, copy, values)
    if to is None and person is not None:
        return letter

    def accepted(now: datetime) -> None:
        copy.counted(now)
        funnel.accepted(challenge, person)

    return replace(letter, accepted=accepted)


def _is_wanted(challenge: Challenge) -> bool:
    """As long as its link could live, had it left at once: who waits longer asks again."""
    return challenges.is_wanted(challenge) and not flows.is_over(challenge)
