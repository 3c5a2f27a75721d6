"""The code: steps inside the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Table, Update, insert, update

from portal.codes.models import NOBODY, Challenge, Otp
from portal.core import clock, crypto
from portal.core.db import at_once, db, straight
from portal.core.settings import setting

TABLE = cast(Table, Otp.__table__)


def issue(challenge: Challenge, channel: str, spare_seconds: int) -> tuple[Otp, str]:
    """A new code for this challenge; the earlier one dies, its spent tries stay spent.

    It lives `spare_seconds` longer than the terms say until `start_clock` is called.
    """
    now = clock.now()
    otp = Otp(
        user_id=challenge.user_id,
        otp_hash="",
        purpose=challenge.purpose,
        channel=channel,
        expires_at=now + timedelta(seconds=challenge.code_seconds + spare_seconds),
        attempts=_last(challenge, channel),
        max_attempts=challenge.max_attempts,
        created_at=now,
        updated_at=now,
    )
    code = _keep(otp)
    challenge.otp_id = otp.id
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
    right = crypto.same(otp.otp_hash, _hash(otp, code))
    return right and otp.user_id != NOBODY and otp.consumed_at is None


def consume(otp_id: int | None) -> bool:
    """Uses the code up.  True for exactly one of those who try."""
    return _change(Otp.id == otp_id, Otp.consumed_at.is_(None), consumed_at=clock.now())


def _last(challenge: Challenge, channel: str) -> int:
    """Ends the code before; -> the tries spent on it, when this one is shown for the same flow."""
    if challenge.otp_id is None:
        return 0
    consume(challenge.otp_id)
    before = db.session.get(Otp, challenge.otp_id, populate_existing=True)
    return before.attempts if before is not None and channel == "page" else 0


def _keep(otp: Otp) -> str:
    """Inserts the row, then its hash, which covers the row's id.  -> the code.

    Straight to the tables: this is the busiest write of the portal.
    """
    code, session = crypto.new_code(), db.session()
    row = {
        column.key: value
        for column in TABLE.columns
        if (value := getattr(otp, column.key)) is not None
    }
    key = session.connection().execute(insert(TABLE).values(row)).inserted_primary_key
    otp.id = int(cast(Sequence[int], key)[0])
    otp.otp_hash = _hash(otp, code)
    straight(session, update(TABLE).where(Otp.id == otp.id).values(otp_hash=otp.otp_hash))
    return code


def _change(*where: ColumnElement[bool], **values: object) -> bool:
    return straight(db.session(), _changing(*where, **values)) == 1


def _changing(*where: ColumnElement[bool], **values: object) -> Update:
    statement = update(Otp).where(*where).values(updated_at=clock.now(), **values)
    return statement.execution_options(synchronize_session=False)


def _hash(otp: Otp, code: str) -> str:
    return crypto.keyed(
        setting("SECRET_KEY"), "otp", otp.purpose, otp.channel, otp.user_id, otp.id, code
    )
