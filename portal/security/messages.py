"""What people are written about how they guard their account."""

from flask_babel import lazy_gettext as _l

from portal.accounts import addresses, letters, people, phones
from portal.accounts.models import Person
from portal.codes import challenges, flows, notices
from portal.codes.models import Challenge
from portal.core.audit import Event
from portal.delivery.parcels import SMS
from portal.delivery.recipes import CODE, Letter, recipe

STOP = "/recover/keep-email/{token}"


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


@recipe("email_change_new", _l("Confirming your new email address"), CODE)
def email_change_new(about: str) -> Letter:
    """The link to the address that somebody wants to have (`about`: the challenge).

    It tells no name: until the address is proven its reader may be anybody.  No page waits for the
    code that is made with every link.
    """
    challenge, change = challenges.of_id(about), addresses.of_challenge(about)
    person = people.get(change.person_id) if change else None
    if challenge is None or change is None or person is None:
        return Letter(None)
    written = challenges.write(challenge)
    wanted = challenges.is_wanted(challenge) and not flows.is_over(challenge)
    values = {"account": people.masked(person.email), "address": change.wanted}
    return letters.with_code(change.wanted if wanted else None, written, values)


@recipe("email_change_old", _l("Your email address is being changed"))
def email_change_old(about: str) -> Letter:
    """To the address that is to be given up, or was meanwhile (`about`: the challenge)."""
    challenge, change = challenges.of_id(about), addresses.of_challenge(about)
    if challenge is None or change is None:
        return Letter(None)
    link = notices.write(change.id, change.person_id, STOP, addresses.KEEP)
    values = {
        "name": letters.greeted(people.get(change.person_id)),
        "address": change.before,
        "wanted": people.masked(change.wanted),
        "at": change.asked_at,
        "device": challenge.device,
        "stop": link.url,
        "stop_seconds": notices.seconds(),
    }
    return Letter(change.before, values, accepted=link.accepted, refused=link.refused)


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
