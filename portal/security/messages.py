"""What people are written about how they guard their account."""

from datetime import timedelta

from flask_babel import lazy_gettext as _l

from portal.accounts import addresses, letters, people, phones
from portal.accounts.models import Person
from portal.codes import challenges, copies, flows, notices
from portal.codes.models import Challenge
from portal.core.audit import Event
from portal.core.settings import setting
from portal.delivery.parcels import SMS
from portal.delivery.recipes import CODE, Letter, recipe

STOP = "/recover/keep-email/{token}"
INSIDE = "signed in"  # at the end of what a refused code leaves in the history, when it was so


@recipe("verify_phone", _l("Confirming your phone number"), CODE, SMS)
def verify_phone(about: str) -> Letter:
    """The code to the number that somebody wants to add (`about`: the challenge)."""
    challenge, person = letters.wish(about)
    if challenge is None or person is None:
        return Letter(None)
    to = person.phone_wanted if _is_wanted(challenge, person) else None
    return letters.with_code(to, copies.write(challenge), {})


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
    wanted = challenges.is_wanted(challenge) and not flows.is_over(challenge)
    values = {"account": people.masked(person.email), "address": change.wanted}
    return letters.with_code(change.wanted if wanted else None, copies.write(challenge), values)


@recipe("email_change_old", _l("Your email address is being changed"))
def email_change_old(about: str) -> Letter:
    """To the address that is to be given up, or was meanwhile (`about`: the challenge)."""
    challenge, change = challenges.of_id(about), addresses.of_challenge(about)
    if challenge is None or change is None:
        return Letter(None)
    name = letters.greeted(people.get(change.person_id))  # asked before anything is written
    link = notices.write(change.id, change.person_id, STOP, addresses.KEEP)
    values = {
        "name": name,
        "address": change.before,
        "wanted": people.masked(change.wanted),
        "at": change.asked_at,
        "device": challenge.device,
        "stop": link.url,
        "stop_seconds": notices.seconds(),
    }
    return Letter(change.before, values, accepted=link.accepted, refused=link.refused)


@recipe("step_up_code", _l("Confirming that it is you"), CODE)
def step_up_code(about: str) -> Letter:
    """A code alone, asked for by somebody who is signed in (`about`: the challenge)."""
    challenge, person = letters.wish(about)
    if challenge is None or person is None:
        return Letter(None)
    recover = setting("PUBLIC_URL") + "/recover"
    values = {"name": letters.greeted(person), "address": person.email, "recover": recover}
    wanted = challenges.is_wanted(challenge) and not flows.is_over(challenge)
    return letters.with_code(person.email if wanted else None, copies.write(challenge), values)


@recipe("account_deleted", _l("Your account is deleted"))
def account_deleted(about: str) -> Letter:
    """Out of use, and until when signing in undoes it (`about`: its event)."""
    return letters.notice(about, _kept_until)


@recipe("two_step_on", _l("Two-step sign-in is on"))
def two_step_on(about: str) -> Letter:
    """Signing in takes a second step from now on (`about`: its event)."""
    return letters.notice(about)


@recipe("two_step_off", _l("Two-step sign-in is off"))
def two_step_off(about: str) -> Letter:
    """Signing in takes the password alone again (`about`: its event), by the helpdesk perhaps."""
    return letters.notice(about, lambda event, _p: letters.by_support(event) | {"desk": event.desk})


@recipe("two_step_replaced", _l("Your authenticator app is replaced"))
def two_step_replaced(about: str) -> Letter:
    """Another app, and other backup codes (`about`: its event)."""
    return letters.notice(about)


@recipe("backup_codes_new", _l("New backup codes"))
def backup_codes_new(about: str) -> Letter:
    """Backup codes of before are dead (`about`: the event)."""
    return letters.notice(about)


@recipe("backup_code_used", _l("A backup code was used"))
def backup_code_used(about: str) -> Letter:
    """Somebody signed in with one (`about`: its event); how many are left."""
    return letters.notice(about, lambda event, _person: {"left": int(event.detail or 0)})


@recipe("second_step_refused", _l("Wrong codes"))
def second_step_refused(about: str) -> Letter:
    """Somebody knows the password, or found a browser open, or is the person (`about`: the event
    of the last wrong code)."""
    return letters.notice(about, _wrong_codes)


def _wrong_codes(event: Event, _person: Person) -> dict[str, object]:
    return {
        "inside": event.detail.endswith(INSIDE),
        "tries": setting("SECOND_STEP_MAX_ATTEMPTS"),
        "recover": setting("PUBLIC_URL") + "/recover",
    }


def _phone(event: Event, person: Person) -> dict[str, object]:
    return {
        "kind": event.kind.partition(":")[2],  # added | changed | removed | lost
        "number": phones.masked(person.phone) if person.phone else "",
    }


def _kept_until(event: Event, _person: Person) -> dict[str, object]:
    return {
        "until": event.at + timedelta(days=setting("DELETION_DAYS")),
        "days": setting("DELETION_DAYS"),
        "sign_in": setting("PUBLIC_URL") + "/sign-in",
    }


def _is_wanted(challenge: Challenge, person: Person) -> bool:
    own = challenges.typed_hash(phones.own_key(person.phone_wanted or "", person.id))
    waited_for = challenges.is_wanted(challenge) and not flows.is_over(challenge)
    return waited_for and challenge.typed_hash == own
