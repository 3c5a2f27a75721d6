"""The code: steps inside the caller's transaction."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Update, update

from portal.codes.models import NOBODY, Challenge, Otp
from portal.core import clock, crypto
from portal.core.db import at_once, changed, db
from portal.core.settings import setting


def issue(challenge: Challenge, channel: str, spare_seconds: int) -> tuple[Otp, str]:
    """A new code for this challenge; the earlier one dies, its spent tries stay spent.

    It lives `spare_seconds` longer than the terms say until `start_clock` is called.
    """
    attempts = _last(challenge, channel)
    code, now = crypto.new_code(), clock.now()
    otp = Otp(
        user_id=challenge.user_id,
        otp_hash="",
        purpose=challenge.purpose,
        channel=channel,
        expires_at=now + timedelta(seconds=challenge.code_seconds + spare_seconds),
        attempts=attempts,
        max_attempts=challenge.max_attempts,
        created_at=now,
        updated_at=now,
    )
    db.session.add(otp)
    db.session.flush()
    otp.otp_hash, challenge.otp_id = _hash(otp, code), otp.id
    return otp, code


def start_clock(otp_id: int, seconds: int, now: datetime) -> None:
    """The message was accepted at `now`: the code's own seconds begin."""
    _change(
        Otp.id == otp_id, Otp.consumed_at.is_(None), expires_at=now + timedelta(seconds=seconds)
    )


def spend_try(otp_id: int | None) -> bool:
    """Counts a try before it is judged, in a transaction of its own.  False: none left, or no time.

    A consumed code is counted like a running one: whoever asked cannot tell them apart.
    """
    in_time = (Otp.expires_at > clock.now(), Otp.created_at <= clock.latest())
    running = (Otp.attempts < Otp.max_attempts, *in_time)
    return at_once(_changing(Otp.id == otp_id, *running, attempts=Otp.attempts + 1)) == 1


def exhausted(otp_id: int | None) -> bool:
    """True when every try of the code has been spent."""
    otp = db.session.get(Otp, otp_id or 0, populate_existing=True)
    return otp is not None and otp.attempts >= otp.max_attempts


def matches(otp_id: int | None, code: str) -> bool:
    """Compares in constant time; nobody's code and a consumed one never match."""
    otp = db.session.get(Otp, otp_id or 0, populate_existing=True)
    if otp is None:
        return False
    right = crypto.same(otp.otp_hash, _hash(otp, code))
    return right and otp.user_id != NOBODY and otp.consumed_at is None


def consume(otp_id: int | None) -> bool:
    """Uses the code up.  True for exactly one of those who try."""
    return _change(Otp.id == otp_id, Otp.consumed_at.is_(None), consumed_at=clock.now())


def _last(challenge: Challenge, channel: str) -> int:
    """Ends the code before; -> the tries spent on it, when this one is shown for the same flow."""
    consume(challenge.otp_id)
    before = db.session.get(Otp, challenge.otp_id or 0, populate_existing=True)
    return before.attempts if before is not None and channel == "page" else 0


def _change(*where: ColumnElement[bool], **values: object) -> bool:
    return changed(db.session(), _changing(*where, **values)) == 1


def _changing(*where: ColumnElement[bool], **values: object) -> Update:
    statement = update(Otp).where(*where).values(updated_at=clock.now(), **values)
    return statement.execution_options(synchronize_session=False)


def _hash(otp: Otp, code: str) -> str:
    return crypto.keyed(
        setting("SECRET_KEY"), "otp", otp.purpose, otp.channel, otp.user_id, otp.id, code
    )
