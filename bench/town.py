"""A town of invented people for benchmarks, put into an empty, migrated database in one go.

Names are as uneven as real ones: one in fifty has the most common first name, and most surnames
are rare.  The same numbers give the same town.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import cast
from uuid import UUID

from sqlalchemy import Table, insert, update

from portal.accounts import directory
from portal.accounts.directory import Named
from portal.accounts.models import Person, SearchTerm, Session
from portal.codes.models import EMAIL, PASSWORD_RESET, Challenge
from portal.core import clock
from portal.core.audit import ChainHead, Event
from portal.core.db import db, transaction
from portal.core.tally import MOST_PARTS, Tally
from portal.delivery.models import Outgoing
from portal.profile.models import Profile
from portal.recovery import funnel

FIRST = (
    "Maria", "Anna", "José", "Mohammed", "Sofia", "Ruth", "Chen", "Olga", "Peter", "Inês",
    "Zoë", "Björn", "Amal", "Kofi", "Priya", "Łukasz", "Noah", "Freya", "Tunde", "Mei",
)  # fmt: skip
SYLLABLES = (
    "ba", "dor", "el", "fin", "gar", "hol", "ik", "jan", "ka", "lu", "mir", "nes", "or", "pa",
    "ros", "sen", "tal", "ul", "vin", "wes",
)  # fmt: skip
FIRST_NAMES, SURNAMES = len(SYLLABLES) ** 2, len(SYLLABLES) ** 4
DOMAINS = "gmail.com", "outlook.com", "example.org", "yahoo.com", "northfold.example", "gmx.net"
KINDS = (
    *["sign-in:begun"] * 9, *["sign-in:ended"] * 4, *["sign-in:refused"] * 3, "profile:changed",
    "recovery:asked", "recovery:code-used", "recovery:finished", "password:changed",
)  # fmt: skip
DESK = "recovery:sent-by-support", "account:throttles-cleared", "account:blocked"
GOLDEN, PLASTIC = 0.6180339887498949, 0.7548776662466927  # spread evenly, and not together
DAYS, AT_ONCE = 365, 20_000
DEVICES = "Firefox on Linux", "Safari on iPhone", "Chrome on Windows"
BUSY = 1  # this person has had a thousandth of all events
FUNNEL_A_DAY = 40  # of each step and channel


def first_name(number: int) -> str:
    """The first name of person `number`, from 1."""
    rank = int(FIRST_NAMES * (number * GOLDEN % 1) ** 1.5)
    return FIRST[rank] if rank < len(FIRST) else _word(rank, 2)


def surname(number: int) -> str:
    """The surname of person `number`: four syllables, the first of which are common."""
    return _word(int(SURNAMES * (number * PLASTIC % 1) ** 2), 4)


def address(number: int) -> str:
    """The address of person `number`."""
    domain = DOMAINS[int(len(DOMAINS) * (number * GOLDEN % 1) ** 2)]
    return f"{surname(number)}.{number}@{domain}".lower()


def phone(number: int) -> str | None:
    """The number of every third person."""
    return f"+447{400_000_000 + number * 7}" if number % 3 == 0 else None


def fill(people: int, events: int) -> None:
    """Everything that pages of the helpdesk look at; whoever is there already stays."""
    first = 1_000  # the ids before are those of whoever runs the benchmark
    ids = range(first, first + people)
    _write(Person, (_person(each) for each in ids))
    _write(SearchTerm, _terms(ids))
    _write(Profile, (_profile(each) for each in ids if each % 2))
    _write(Session, (_session(each) for each in ids))
    _write(Outgoing, (_message(each) for each in ids))
    _write(Challenge, (_challenge(each) for each in ids if each % 4 == 0))
    _write(Event, (_event(each, ids, events) for each in range(1_000, 1_000 + events)))
    with transaction() as session:
        session.execute(update(ChainHead).values(place=1_000 + events))
    _write(Tally, _tallies(events))


def whom(number: int, ids: range) -> int:
    """Whose event this is: one in a thousand is the busiest person's."""
    if number % 1000 == 0:
        return ids[BUSY]
    return ids[int(len(ids) * (number * GOLDEN % 1))]


def _word(rank: int, syllables: int) -> str:
    parts = []
    for _part in range(syllables):
        rank, part = divmod(rank, len(SYLLABLES))
        parts.append(SYLLABLES[part])
    return "".join(parts).title()


def _person(number: int) -> dict[str, object]:
    now = clock.now()
    return {
        "id": number,
        "uuid": UUID(int=number),
        "email": address(number),
        "email_key": address(number),
        "email_proven_at": now,
        "phone": phone(number),
        "username": f"{surname(number)}{number}" if number % 2 else None,
        "username_key": f"{surname(number)}{number}".lower() if number % 2 else None,
        "full_name": f"{first_name(number)} {surname(number)}",
        "role": "user",
        "password_hash": "",
        "password_changed_at": now - timedelta(days=number % DAYS),
        "created_at": now - timedelta(days=DAYS),
        "two_step_at": now if number % 5 == 0 else None,
    }


def _terms(ids: Iterable[int]) -> Iterator[dict[str, object]]:
    for number in ids:
        each = _person(number)
        named = Named(*(each[name] for name in ("id", *directory.NAMED_BY)))  # type: ignore[arg-type]
        for term in directory.terms(named):
            yield {"person_id": number, "term": term}


def _profile(number: int) -> dict[str, object]:
    own = {"job_title": "Baker", "organisation": f"{surname(number)} & Co", "city": "Leeds"}
    return {"person_id": number, "country": "GB", "links": {}, "bio": "", **own}


def _session(number: int) -> dict[str, object]:
    began = clock.now() - timedelta(hours=number % (24 * DAYS))
    return {
        "sid": UUID(int=number),
        "kind": "browser",
        "person_id": number,
        "kept": True,
        "device": DEVICES[number % len(DEVICES)],
        "network": "192.0.2.0/24",
        "started_at": began,
        "seen_at": began,
        "expires_at": began + timedelta(days=30),
        "ended_at": began if number % 3 == 0 else None,
    }


def _message(number: int) -> dict[str, object]:
    at = clock.now() - timedelta(hours=number % 720)
    return {
        "recipe": "recovery",
        "about": str(number),
        "person_id": number,
        "channel": EMAIL,
        "rank": 0,
        "created_at": at,
        "due_at": at,
        "tries": 1,
        "accepted_at": at,
        "done_at": at,
        "trouble": "",
    }


def _challenge(number: int) -> dict[str, object]:
    at = clock.now() - timedelta(hours=number % 700)
    every = dict.fromkeys(("opened_at", "accepted_at", "seen_at", "closed_at"), at)
    return {
        "id": f"invented {number}",
        "purpose": PASSWORD_RESET,
        "channel": EMAIL,
        "door": "page",
        "user_id": number,
        "typed_hash": f"{number:064x}",
        "device": "",
        "code_seconds": 30,
        "max_attempts": 5,
        "link_seconds": 900,
        "link_path": "/",
        **every,
    }


def _event(number: int, ids: range, events: int) -> dict[str, object]:
    desk = number % 50 == 0
    return {
        "id": number,
        "kind": _kind(number),
        "person_id": whom(number, ids),
        "actor_id": 1 if desk else whom(number, ids),
        "desk": desk,
        "network": "192.0.2.0/24",
        "device": DEVICES[number % len(DEVICES)],
        "verified_by": "",
        "reason": "Locked out before a shift" if desk else "",
        "ticket": f"HD-{number}" if desk else "",
        "detail": "",
        "request": f"{number:016x}",
        "at": _when(number - 1_000, events),
        "place": number,
        "mark": f"{number:064x}",
    }


def _kind(number: int) -> str:
    kinds = KINDS if number % 50 else DESK
    return kinds[number // 50 % len(kinds)] if number % 50 == 0 else kinds[number % len(kinds)]


def _when(number: int, events: int) -> datetime:
    return clock.now() - timedelta(days=DAYS) * (1 - number / events)


def _tallies(events: int) -> Iterator[dict[str, object]]:
    today = clock.now().date()
    kinds = Counter(
        (_kind(each), _when(each - 1_000, events).date()) for each in range(1_000, 1_000 + events)
    )
    for (kind, day), count in kinds.items():
        if day != today:  # what whoever runs the benchmark did is counted there
            yield {"name": kind, "day": day, "part": "", "count": count}
    for back in range(1, DAYS):
        yield from _funnel(today - timedelta(days=back))


def _funnel(day: date) -> Iterator[dict[str, object]]:
    steps = funnel.ASKED, funnel.ACCEPTED, funnel.OPENED, funnel.USED, funnel.FINISHED
    for lost, name in enumerate(steps):
        for part in ("email", "sms"):
            yield _tally(name, day, part, FUNNEL_A_DAY - 4 * lost)
        yield from _domains(funnel.by_domain(name), day)
    for seconds in range(10, 400, 8):
        yield _tally(funnel.TOOK, day, f"email {seconds}", 1 + seconds % 7)


def _domains(name: str, day: date) -> Iterator[dict[str, object]]:
    """As many as a day can have."""
    for number in range(MOST_PARTS):
        yield _tally(name, day, f"mail{number}.example", 1 + number % 9)


def _tally(name: str, day: date, part: str, count: int) -> dict[str, object]:
    return {"name": name, "day": day, "part": part, "count": count}


def _write(model: type, rows: Iterable[dict[str, object]]) -> None:
    table, left = cast(Table, model.__table__), iter(rows)  # type: ignore[attr-defined]
    while some := list(islice(left, AT_ONCE)):
        with transaction():
            db.session.connection().execute(insert(table), some)
