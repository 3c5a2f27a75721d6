"""What a portal keeps of each person of an invented town, as rows.

Everybody has a sign-in that is over and a live one, and a known device; every second a program, a
profile and an earlier password.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from bench.bulk import Row
from bench.townsfolk import address, first_name, phone, surname, username
from portal.accounts import directory, sessions
from portal.accounts.directory import Named
from portal.core import clock, crypto

DAYS = 365
DEVICES = "Firefox on Linux", "Safari on iPhone", "Chrome on Windows"
NETWORK = "192.0.2.0/24"
PAST, BROWSER, PROGRAM = range(3)  # sign-ins of one person
MONTH = 700  # hours: nothing that is kept for a month is so old yet


def people(ids: Iterable[int], password_hash: str) -> Iterator[Row]:
    """One hash for all of them is as good as many, and not slow."""
    now = clock.now()
    for number in ids:
        name = username(number)
        yield {
            "id": number,
            "uuid": uuid(number),
            "email": address(number),
            "email_key": address(number),
            "email_proven_at": now,
            "phone": phone(number),
            "username": name,
            "username_key": name and name.lower(),
            "full_name": full_name(number),
            "role": "user",
            "password_hash": password_hash,
            "password_changed_at": now - timedelta(days=number % DAYS),
            "created_at": now - timedelta(days=DAYS),
            "two_step_at": now if has_two_steps(number) else None,
        }


def uuid(number: int) -> UUID:
    """The name of person `number` in links."""
    return UUID(int=number)


def full_name(number: int) -> str:
    return f"{first_name(number)} {surname(number)}"


def has_two_steps(number: int) -> bool:
    """Every fifth has a second factor."""
    return number % 5 == 0


def has_program(number: int) -> bool:
    return number % 2 == 0


def terms(ids: Iterable[int]) -> Iterator[Row]:
    for number in ids:
        name = username(number)
        key = name and name.lower()
        named = Named(number, full_name(number), address(number), key, phone(number))
        for term in sorted(directory.terms(named)):
            yield {"person_id": number, "term": term}


def profiles(ids: Iterable[int]) -> Iterator[Row]:
    own = {"job_title": "Baker", "city": "Leeds", "country": "GB", "links": {}, "bio": ""}
    for number in ids:
        if number % 2:
            yield {"person_id": number, "organisation": f"{surname(number)} & Co", **own}


def past_passwords(ids: Iterable[int], password_hash: str) -> Iterator[Row]:
    now = clock.now()
    for number in ids:
        if number % 2:
            at = now - timedelta(days=number % DAYS)
            yield {"person_id": number, "password_hash": password_hash, "replaced_at": at}


def session_id(number: int, which: int) -> int:
    """The id of one of a person's sign-ins, and as a UUID its name."""
    return 3 * number + which


def secret(number: int) -> str:
    """What the browser of person `number` has, signed in."""
    return f"invented-secret-{number}"


def sign_ins(ids: Iterable[int]) -> Iterator[Row]:
    now = clock.now()
    for number in ids:
        began = now - timedelta(hours=number % (24 * DAYS))
        ended = began if number % 3 == 0 else None
        yield _sign_in(number, PAST, sessions.BROWSER, began) | {"ended_at": ended}
        lately = now - timedelta(hours=1 + number % 500)
        yield _sign_in(number, BROWSER, sessions.BROWSER, lately)
        if has_program(number):
            yield _sign_in(number, PROGRAM, sessions.PROGRAM, lately)


def _sign_in(number: int, which: int, kind: str, began: datetime) -> Row:
    return {
        "id": session_id(number, which),
        "sid": UUID(int=session_id(number, which)),
        "kind": kind,
        "person_id": number,
        "kept": True,
        "device": DEVICES[number % len(DEVICES)],
        "network": NETWORK,
        "started_at": began,
        "seen_at": began,
        "expires_at": began + timedelta(days=30),
        "ended_at": None,
    }


def secrets(ids: Iterable[int]) -> Iterator[Row]:
    """The browser's, and the program's refresh token."""
    for number in ids:
        yield _secret(secret(number), session_id(number, BROWSER))
        if has_program(number):
            yield _secret(f"refresh {number}", session_id(number, PROGRAM))


def _secret(text: str, session: int) -> Row:
    return {"digest": crypto.digest(text), "session_id": session}


def known_devices(ids: Iterable[int]) -> Iterator[Row]:
    now = clock.now()
    for number in ids:
        seen = now - timedelta(hours=number % MONTH)
        yield {"digest": crypto.digest(f"device {number}"), "person_id": number, "seen_at": seen}


def throttles(ids: Iterable[int]) -> Iterator[Row]:
    """Counts of today, of every fifth person."""
    now = clock.now()
    for number in ids:
        if number % 5 == 0:
            subject, ends = crypto.digest(f"address {number}"), clock.after(60 * (number % 1440))
            for name in "send in day", f"wrong password {NETWORK}":
                yield {"name": name, "subject": subject, "count": 1, "ends_at": max(ends, now)}
