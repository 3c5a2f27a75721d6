"""Messages that were sent in an invented town, and wishes for a way back with their codes, as rows.

A message for everybody; every fourth asked for a way back within a month, and a tenth as many as
there are people asked with an address that nobody has.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from bench.bulk import Row
from bench.lives import MONTH
from bench.townsfolk import address
from portal.codes import challenges
from portal.codes.models import EMAIL, NOBODY, PASSWORD_RESET
from portal.core import clock, crypto


def messages(ids: Iterable[int]) -> Iterator[Row]:
    now = clock.now()
    for number in ids:
        at = now - timedelta(hours=number % MONTH)
        yield _message(number, number, at)
        if _is_nobodys(number):
            yield _message(number, None, at)


def _message(number: int, person_id: int | None, at: datetime) -> Row:
    return {
        "recipe": "recovery",
        "about": str(number),
        "person_id": person_id,
        "channel": EMAIL,
        "rank": 0,
        "created_at": at,
        "due_at": at,
        "tries": 1,
        "accepted_at": at,
        "done_at": at,
        "trouble": "",
    }


def _is_nobodys(number: int) -> bool:
    """Whether somebody asked under this number with an address that nobody has."""
    return number % 10 == 1


def wishes(ids: Iterable[int]) -> Iterator[Row]:
    now = clock.now()
    for number in ids:
        at = now - timedelta(hours=number % MONTH)
        if number % 4 == 0:
            yield _wish(number, number, address(number), at)
        elif _is_nobodys(number):
            yield _wish(number, NOBODY, f"nobody.{number}@example.org", at)


def _wish(number: int, user_id: int, typed: str, at: datetime) -> Row:
    return {
        "id": f"invented {number}",
        "purpose": PASSWORD_RESET,
        "channel": EMAIL,
        "door": "page",
        "user_id": user_id,
        "typed_hash": challenges.typed_hash(typed),
        "device": "",
        "code_seconds": 30,
        "max_attempts": 5,
        "link_seconds": 900,
        "link_path": "/",
        "otp_id": number,
        "link_hash": crypto.digest(f"link {number}"),
        **dict.fromkeys(("opened_at", "accepted_at", "seen_at", "closed_at"), at),
    }


def codes(ids: Iterable[int]) -> Iterator[Row]:
    """Those of the wishes."""
    for wish in wishes(ids):
        at = wish["opened_at"]
        yield {
            "id": wish["otp_id"],
            "user_id": wish["user_id"],
            "otp_hash": wish["link_hash"],
            "purpose": PASSWORD_RESET,
            "channel": EMAIL,
            **dict.fromkeys(("expires_at", "consumed_at", "created_at", "updated_at"), at),
            "attempts": 1,
            "max_attempts": 5,
        }
