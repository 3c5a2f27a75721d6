"""The code: steps inside the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Table, Update, bindparam, update

from portal.codes.models import NOBODY, Challenge, Otp
from portal.core import clock, crypto, rows
from portal.core.db import at_once, db
from portal.core.rows import heard, unheard
from portal.core.settings import setting
from portal.core.worded import Worded

TABLE = cast(Table, Otp.__table__)
# Run for each message, so put together once.
_THIS = update(TABLE).where(Otp.id == bindparam("code"))
_SEAL = Worded(_THIS.values(otp_hash=bindparam("hash")))
_RUNNING = _THIS.where(Otp.consumed_at.is_(None)).values(updated_at=bindparam("now"))
_START = Worded(_RUNNING.values(expires_at=bindparam("until")))
_CONSUME = Worded(_RUNNING.values(consumed_at=bindparam("now")))


@dataclass(frozen=True)
class Drawn:
    """A new code and its row, which takes no code before it is sealed with this hash."""

    id: int
    code: str
    hash: str


def draw(challenge: Challenge, channel: str, spare_seconds: int) -> Drawn:
    """A new code for this challenge; the earlier one dies, its spent tries stay spent.

    It lives `spare_seconds` longer than the terms say until `start_clock` is called.  Whoever draws
    it seals it in the same transaction, and gives its row to the challenge.
    """
    now = clock.now()
    row = {
        "user_id": challenge.user_id,
        "otp_hash": "",
        "purpose": challenge.purpose,
        "channel": channel,
        "expires_at": now + timedelta(seconds=challenge.code_seconds + spare_seconds),
        "consumed_at": None,
        "attempts": _last(challenge, channel),
        "max_attempts": challenge.max_attempts,
        "created_at": now,
        "updated_at": now,
    }
    otp_id, code = rows.numbered(Otp, row), crypto.new_code()
    whose = challenge.purpose, channel, challenge.user_id, otp_id
    return Drawn(otp_id, code, _hash(*whose, code))


def seal(drawn: Drawn) -> None:
    """From now on the row takes this code.  Asks nothing: its hash covers the row's id."""
    unheard(db.session(), _SEAL, {"code": drawn.id, "hash": drawn.hash})


def start_clock(otp_id: int, seconds: int, now: datetime) -> None:
    """The message was accepted at `now`: the code's own seconds begin."""
    until = now + timedelta(seconds=seconds)
    unheard(db.session(), _START, {"code": otp_id, "now": clock.now(), "until": until})


def spend_try(otp_id: int | None) -> bool:
    """Counts a try before it is judged, in a transaction of its own.  False: none left, or no time.

    A consumed code is counted like a running one: whoever asked cannot tell them apart.
    """
    in_time = (Otp.expires_at > clock.now(), Otp.created_at <= clock.latest())
    running = (Otp.attempts < Otp.max_attempts, *in_time)
    return at_once(_changing(Otp.id == otp_id, *running, attempts=Otp.attempts + 1)) == 1


def give_back(otp_id: int | None) -> None:
    """A try that was right and used nothing up does not count."""
    at_once(_changing(Otp.id == otp_id, Otp.attempts > 0, attempts=Otp.attempts - 1))


def exhausted(otp_id: int | None) -> bool:
    """True when every try of the code has been spent."""
    otp = db.session.get(Otp, otp_id or 0, populate_existing=True)
    return otp is not None and otp.attempts >= otp.max_attempts


def seconds_left(otp_id: int | None) -> int:
    """How long the code can still be used, if it is neither used nor overtaken."""
    otp = db.session.get(Otp, otp_id or 0, populate_existing=True)
    return clock.seconds_until(otp.expires_at) if otp is not None else 0


def matches(otp_id: int | None, code: str) -> bool:
    """Compares in constant time; nobody's code and a consumed one never match."""
    otp = db.session.get(Otp, otp_id or 0, populate_existing=True)
    if otp is None:
        return False
    right = crypto.same(otp.otp_hash, _hash(otp.purpose, otp.channel, otp.user_id, otp.id, code))
    return right and otp.user_id != NOBODY and otp.consumed_at is None


def consume(otp_id: int | None) -> bool:
    """Uses the code up.  True for exactly one of those who try."""
    return heard(db.session(), _CONSUME, {"code": otp_id, "now": clock.now()}) == 1


def end(otp_id: int | None) -> None:
    """Uses the code up, whoever else does so."""
    unheard(db.session(), _CONSUME, {"code": otp_id, "now": clock.now()})


def _last(challenge: Challenge, channel: str) -> int:
    """Ends the code before; -> the tries spent on it, when this one is shown for the same flow."""
    if challenge.otp_id is None:
        return 0
    end(challenge.otp_id)
    if channel != "page":
        return 0
    before = db.session.get(Otp, challenge.otp_id, populate_existing=True)
    return before.attempts if before is not None else 0


def _changing(*where: ColumnElement[bool], **values: object) -> Update:
    statement = update(Otp).where(*where).values(updated_at=clock.now(), **values)
    return statement.execution_options(synchronize_session=False)


def _hash(purpose: str, channel: str, user_id: int, otp_id: int, code: str) -> str:
    return crypto.keyed(setting("SECRET_KEY"), "otp", purpose, channel, user_id, otp_id, code)
