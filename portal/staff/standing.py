"""Whether somebody can sign in, why not, until when, and what to do next: in plain words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import attention, deletion, roles
from portal.accounts.messages import BLOCKED
from portal.accounts.models import Person
from portal.accounts.passwords import SECOND_STEP
from portal.core import clock, phrases
from portal.core.audit import Event
from portal.core.settings import setting
from portal.core.throttle import Throttle

STOP, WARN, OK, QUIET, STAFF = "stop", "warn", "ok", "quiet", "staff"
PASSWORD, CODE = "wrong password", "wrong code "
WRONG_PASSWORDS = "WRONG_PASSWORDS_PER_ACCOUNT"
TIMES = {
    "wrong code 300": "WRONG_CODES_IN_5_MINUTES",
    "wrong code 3600": "WRONG_CODES_IN_HOUR",
    "wrong code 86400": "WRONG_CODES_IN_DAY",
    "send in hour": "SENDS_PER_HOUR",
    "send in day": "SENDS_PER_DAY",
    "sms in day": "SMS_PER_NUMBER_DAY",
    SECOND_STEP: "SECOND_STEP_MAX_ATTEMPTS",
    f"{SECOND_STEP} in hour": "WRONG_CODES_IN_HOUR",
    f"{SECOND_STEP} in day": "WRONG_CODES_IN_DAY",
}


@dataclass(frozen=True)
class Tag:
    """One to three words about an account; `tint` as of `.tag`."""

    tint: str
    words: str


@dataclass(frozen=True)
class Hurdle:
    """Why somebody cannot do something, until when, and what to do about it."""

    tint: str  # stop: keeps everybody out; warn: keeps some out, or for a while
    why: str
    next: str


@dataclass(frozen=True)
class Standing:
    """The state of an account in one line, and all that stands in the way."""

    tint: str
    words: str
    hurdles: list[Hurdle]


def of(person: Person, counts: Iterable[Throttle]) -> Standing:
    """How things stand for this person at this moment; `counts`: those that are running."""
    lasting = list(_lasting(person))
    found = [*lasting, *(_wait(each) for each in counts if _is_full(each))]
    if any(each.tint == STOP for each in lasting):
        return Standing(STOP, _("Cannot sign in"), found)
    if found:
        return Standing(WARN, _("Can sign in, with something in the way"), found)
    return Standing(OK, _("Can sign in."), [])


def tags(person: Person) -> list[Tag]:
    """What to know of an account at a glance; from its row alone."""
    return [*_bars(person), *_proofs(person)]


def _bars(person: Person) -> Iterator[Tag]:
    if person.deleted_at:
        yield Tag(STOP, _("Deleted"))
    if person.is_blocked and person.blocked_until:
        yield Tag(STOP, _("Blocked until %(day)s", day=phrases.day(person.blocked_until)))
    elif person.is_blocked:
        yield Tag(STOP, _("Blocked"))
    if person.held_at:
        yield Tag(STOP, _("Waits for a new password"))


def _proofs(person: Person) -> Iterator[Tag]:
    proven = person.email_proven_at is not None
    yield Tag(OK, _("Email confirmed")) if proven else Tag(WARN, _("Email not confirmed"))
    if person.two_step_at:
        yield Tag(QUIET, _("Two-step sign-in on"))
    if roles.is_staff(person):
        yield Tag(STAFF, roles.called(person.role).capitalize())


def _lasting(person: Person) -> Iterator[Hurdle]:
    if person.is_blocked:
        yield _blocked(person)
    if person.deleted_at:
        yield _deleted(person)
    if person.held_at:
        why = _("They said that a sign-in was not theirs, on %(at)s.", at=_at(person.held_at))
        yield Hurdle(STOP, why, _("Next: send a recovery email. A new password ends this."))
    if person.email_proven_at is None:
        why = _("Nobody has confirmed the email address yet.")
        yield Hurdle(STOP, why, _("Next: send the confirmation email again."))


def _blocked(person: Person) -> Hurdle:
    event = attention.last(person.id, Event.kind == BLOCKED)
    by = attention.who(event) if event else _("The helpdesk")
    values = {"who": by, "at": _at(person.blocked_at)}
    if person.blocked_until is None:
        why = _("%(who)s blocked the account on %(at)s, until somebody ends that.", **values)
        return Hurdle(STOP, why, _("Next: read why in the timeline before you unblock it."))
    why = _("%(who)s blocked the account on %(at)s.", **values)
    ends = _("Until %(until)s.", until=_at(person.blocked_until))
    return Hurdle(STOP, f"{why} {ends}", _("Next: nothing. The block ends by itself."))


def _deleted(person: Person) -> Hurdle:
    values = {"at": _at(person.deleted_at), "until": _at(deletion.until(person))}
    if person.deleted_by_id == person.id:
        why = _("They deleted their account on %(at)s. It is gone on %(until)s.", **values)
        return Hurdle(WARN if person.may_come_back else STOP, why, _undone(person))
    why = _("The account was deleted for them on %(at)s. It is gone on %(until)s.", **values)
    return Hurdle(STOP, why, _("Next: ask the operator to restore it before then."))


def _undone(person: Person) -> str:
    """How somebody who left by their own wish comes back."""
    if person.may_come_back:
        return _("Next: until then, signing in undoes it.")
    if deletion.until(person) > clock.now():
        return _("Next: the block ends first. After that, signing in undoes it.")
    return _("Next: nothing. The time to come back is over.")


def _is_full(count: Throttle) -> bool:
    """Whether there is something to wait for; other counts keep nobody from anything."""
    name = WRONG_PASSWORDS if _is_of_passwords(count.name) else TIMES.get(count.name)
    return name is not None and count.count >= setting(name)


def _is_of_passwords(name: str) -> bool:
    """On a known device, or from one network, which is named."""
    return f"{name} ".startswith(f"{PASSWORD} ")


def _wait(count: Throttle) -> Hurdle:
    values = {"count": count.count, "until": _at(count.ends_at)}
    if _is_of_passwords(count.name):
        return _passwords(count.name.removeprefix(PASSWORD).strip(), values)
    if count.name.startswith((CODE, SECOND_STEP)):
        return _codes(count.name, values)
    why = _("%(count)d messages were asked for: no more until %(until)s.", **values)
    return Hurdle(WARN, why, _("Next: use the newest message, or send a recovery email."))


def _codes(name: str, values: dict[str, object]) -> Hurdle:
    if name.startswith(SECOND_STEP):
        why = _("%(count)d wrong codes at the second step: it waits until %(until)s.", **values)
        words = _("Next: clear the waiting times, or wait. Until then a backup code does not help.")
        return Hurdle(WARN, why, words)
    why = _("%(count)d wrong codes: no code is looked at until %(until)s.", **values)
    return Hurdle(WARN, why, _("Next: use the button in the email instead, or wait."))


def _passwords(network: str, values: dict[str, object]) -> Hurdle:
    where = _("from %(network)s", network=network) if network else _("on a device they know")
    why = _(
        "%(count)d wrong passwords %(where)s: signing in there waits until %(until)s.",
        where=where,
        **values,
    )
    return Hurdle(WARN, why, _("Next: choosing a new password works at once, or wait."))


def _at(moment: object) -> str:
    return phrases.moment(moment or clock.now())  # type: ignore[arg-type]
