"""What letters have in common: whom they greet, code and link, and a way to say "not me"."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import bindparam, select

from portal.accounts import names, people
from portal.accounts.models import Person
from portal.codes import flows, notices
from portal.codes.copies import Copy
from portal.codes.models import Challenge
from portal.core import clock
from portal.core.audit import Event
from portal.core.looks import Look, seen
from portal.delivery.recipes import Letter

NOT_YOU = "/recover/not-you/{token}"
Facts = Callable[[Event, Person], Mapping[str, object]]


# One is asked for each letter, so they are put together once.
_WISH = Look(
    (Challenge, Person),
    select(Challenge.id)
    .outerjoin(Person, Person.id == Challenge.user_id)
    .where(Challenge.id == bindparam("wish")),
)
_TOLD = Look(
    (Event, Person),
    select(Event.id)
    .outerjoin(Person, Person.id == Event.person_id)
    .where(Event.id == bindparam("event")),
)


def wish(challenge_id: str) -> tuple[Challenge | None, Person | None]:
    """The wish, open or not, and whose it is, to look at: one question, also about nobody's."""
    challenge, person = _WISH.here({"wish": challenge_id}) or (None, None)
    return seen(Challenge, challenge), seen(Person, person)


def with_code(to: str | None, copy: Copy, values: Mapping[str, object]) -> Letter:
    """Code and link made for it, and who asked; what becomes of it starts or ends their lives."""
    wish = copy.challenge
    every = {
        "code": copy.code,
        "code_seconds": wish.code_seconds,
        "tries": wish.max_attempts,
        "link": copy.link,
        "link_seconds": wish.link_seconds,
        "link_until": clock.after(wish.link_seconds),  # or a little later: once it is accepted
        "device": wish.device,
        "asked_at": wish.opened_at,
    }
    return replace(without_code(to, copy, every | dict(values)), over=flows.is_over(wish))


def without_code(to: str | None, copy: Copy, values: Mapping[str, object]) -> Letter:
    """They are made, live and end all the same, and this letter does not show them."""
    return Letter(to, values, copy.keep, copy.walked, copy.accepted, copy.refused)


def notice(about: str, facts: Facts = lambda event, person: {}) -> Letter:
    """Tells the person of an event (`about`) what happened, with what `facts` adds.

    Nobody gets it at an address that nobody has proven: its reader need not be the person at all.
    """
    event, person = _whom(about)
    if event is None or person is None:
        return Letter(None)
    said = _told(event, person) | dict(facts(event, person))  # asked before anything is written
    link = notices.write(event.id, person.id, NOT_YOU)
    pressed = {"not_me": link.url, "not_me_seconds": notices.seconds()}
    return Letter(person.email, said | pressed, accepted=link.accepted, refused=link.refused)


def word(about: str, facts: Facts) -> Letter:
    """The same without a button for those who it was not: where it could end nothing."""
    event, person = _whom(about)
    if event is None or person is None:
        return Letter(None)
    return Letter(person.email, _told(event, person) | dict(facts(event, person)))


def _whom(about: str) -> tuple[Event | None, Person | None]:
    """The event, and its person if somebody has proven the address."""
    found = _TOLD.here({"event": int(about)}) or (None, None)
    event, person = seen(Event, found[0]), seen(Person, found[1])
    return event, person if person and person.email_proven_at else None


def _told(event: Event, person: Person) -> dict[str, object]:
    return {
        "name": _name_at(event, person),
        "address": person.email,
        "at": event.at,
        "device": event.device,
    }


def greeted(person: Person | None) -> str:
    """The name to greet by; "" until the address is proven: it may be a stranger's words."""
    return names.in_a_letter(person.full_name) if person and person.email_proven_at else ""


def by_support(event: Event) -> dict[str, object]:
    """Who helped ("": the helpdesk as a whole), why, and on which ticket."""
    return {
        "helper": greeted(people.get(event.actor_id)),
        "reason": names.reason_in_a_letter(event.reason),
        "ticket": "" if names.LINK.search(event.ticket) else event.ticket,
    }


def _name_at(event: Event, person: Person) -> str:
    """Not even when the event itself proved the address."""
    proven = person.email_proven_at
    return greeted(person) if proven and proven < event.at else ""
