"""What people are written about how they guard their account."""

from flask_babel import lazy_gettext as _l

from portal.accounts import letters, people, phones
from portal.accounts.models import Person
from portal.codes import challenges, flows
from portal.codes.models import Challenge
from portal.core.audit import Event
from portal.delivery.parcels import SMS
from portal.delivery.recipes import CODE, Letter, recipe


@recipe("verify_phone", _l("Confirming your phone number"), CODE, SMS)
def verify_phone(about: str) -> Letter:
    """The code to the number that somebody wants to add (`about`: the challenge)."""
    challenge = challenges.of_id(about)
    person = people.get(challenge.user_id) if challenge else None
    if challenge is None or person is None:
        return Letter(None)
    written = challenges.write(challenge)
    return letters.with_code(
        person.phone_wanted if _is_wanted(challenge, person) else None, written, {}
    )


@recipe("phone_changed", _l("Your phone number is changed"))
def phone_changed(about: str) -> Letter:
    """A plain notice about a number that came or went (`about`: its event)."""
    return letters.notice(about, _phone)


@recipe("two_step_on", _l("Two-step sign-in is on"))
def two_step_on(about: str) -> Letter:
    """Signing in takes a second step from now on (`about`: its event)."""
    return letters.notice(about)


@recipe("two_step_off", _l("Two-step sign-in is off"))
def two_step_off(about: str) -> Letter:
    """Signing in takes the password alone again (`about`: its event)."""
    return letters.notice(about)


def _phone(event: Event, person: Person) -> dict[str, object]:
    return {
        "kind": event.kind.partition(":")[2],  # added | changed | removed | lost
        "number": phones.masked(person.phone) if person.phone else "",
    }


def _is_wanted(challenge: Challenge, person: Person) -> bool:
    own = challenges.typed_hash(phones.own_key(person.phone_wanted or "", person.id))
    waited_for = challenges.is_wanted(challenge) and not flows.is_over(challenge)
    return waited_for and challenge.typed_hash == own
