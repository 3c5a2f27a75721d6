"""The wish around the code: steps inside the caller's transaction."""

from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update

from portal.codes import otp
from portal.codes.models import NOBODY, Challenge, Otp
from portal.codes.terms import Terms
from portal.core import clock, crypto, rows
from portal.core.db import changed, db
from portal.core.settings import setting
from portal.core.worded import Worded

_STILL_OPEN = Challenge.closed_at.is_(None), Challenge.proven_at.is_(None)
_OF_PURPOSE = select(Challenge).where(Challenge.purpose == bindparam("of"), *_STILL_OPEN)
_TO_CLOSE = _OF_PURPOSE.with_only_columns(Challenge.id, Challenge.otp_id)
_OLDEST_FIRST = _TO_CLOSE.order_by(Challenge.opened_at)
_OWN = Worded(_OLDEST_FIRST.where(Challenge.user_id == bindparam("person")))
_SAME = or_(Challenge.typed_hash == bindparam("typed"), Challenge.user_id == bindparam("person"))
_EARLIER = Worded(_OLDEST_FIRST.where(_SAME))


def open_(purpose: str, user_id: int | None, typed: str, device: str, terms: Terms) -> Challenge:
    """A new wish for the address `typed` (its key); earlier ones of this purpose end."""
    same = {"of": purpose, "typed": typed_hash(typed), "person": user_id or -1}
    for earlier in rows.asked(db.session(), _EARLIER, same):
        _close(*earlier)
    return rows.put(
        Challenge,
        id=crypto.new_token(),
        purpose=purpose,
        user_id=user_id or NOBODY,
        typed_hash=same["typed"],
        device=device,
        opened_at=clock.now(),
        **vars(terms),
    )


def end(purpose: str, user_id: int) -> None:
    """Closes a person's open wishes of a purpose and consumes their codes.

    Not one that was proven already: its grant is with whoever proved it, and a stranger who asks in
    the same name must not take it away.
    """
    for earlier in rows.asked(db.session(), _OWN, {"of": purpose, "person": user_id}):
        _close(*earlier)


def end_all(user_id: int, *which: ColumnElement[bool]) -> None:
    """Closes every open wish of a person, proven ones too; of those, only `which`."""
    mine = (Challenge.user_id == user_id, Challenge.closed_at.is_(None))
    wanted = select(Challenge).where(*mine, *which)
    for challenge in db.session.scalars(wanted.order_by(Challenge.opened_at)):
        close(challenge)


def current(challenge_id: str) -> Challenge | None:
    """The open wish of this id."""
    challenge = of_id(challenge_id)
    return challenge if challenge and challenge.closed_at is None else None


def of_id(challenge_id: str) -> Challenge | None:
    """The wish of this id, open or not."""
    return db.session.get(Challenge, challenge_id, populate_existing=True)


def is_wanted(challenge: Challenge) -> bool:
    """False once it was proven, or nobody waits for it any more."""
    return challenge.closed_at is None and challenge.proven_at is None


def newest(purpose: str, user_id: int) -> Challenge | None:
    """The wish of a person that is still to be proven, if there is one."""
    wanted = _OF_PURPOSE.where(Challenge.user_id == user_id).order_by(Challenge.opened_at.desc())
    return db.session.scalar(wanted, {"of": purpose})


def of_link(token: str) -> Challenge | None:
    """The wish whose newest message carried this link, whatever became of it."""
    mine = (Challenge.link_hash == crypto.digest(token), Challenge.opened_at <= clock.latest())
    return db.session.scalar(select(Challenge).where(*mine))


def prove(challenge: Challenge, by_code: bool) -> bool:
    """Code or link was used: both die.  True for exactly one of those who try."""
    used = otp.consume(challenge.otp_id)
    fresh = (Challenge.proven_at.is_(None), Challenge.closed_at.is_(None))
    once = (
        update(Challenge).where(Challenge.id == challenge.id, *fresh).values(proven_at=clock.now())
    )
    return changed(db.session(), once) == 1 and (used or not by_code)


def grant(challenge: Challenge) -> str:
    """A fresh secret for the browser that proved it: never the id that the asking browser holds.

    One grant a person: who proved last has it.
    """
    others = (Challenge.user_id == challenge.user_id, Challenge.id != challenge.id)
    older = (Challenge.grant_hash.is_not(None), Challenge.closed_at.is_(None))
    for earlier in db.session.scalars(select(Challenge).where(*others, *older)):
        close(earlier)
    secret = crypto.new_token()
    challenge.grant_hash = crypto.digest(secret)
    challenge.grant_until = clock.after(setting("RESET_GRANT_SECONDS"))
    return secret


def granted(secret: str | None) -> Challenge | None:
    """The wish that this browser proved, while the grant lasts."""
    mine = (
        Challenge.grant_hash == crypto.digest(secret or ""),
        Challenge.opened_at <= clock.latest(),
    )
    wanted = select(Challenge).where(*mine)
    challenge = db.session.scalar(wanted.where(Challenge.closed_at.is_(None)))
    if challenge is None or challenge.grant_until is None:
        return None
    return challenge if challenge.grant_until > clock.now() else None


def close(challenge: Challenge) -> None:
    """Ends the wish and its code."""
    _close(challenge.id, challenge.otp_id)


def _close(challenge_id: str, otp_id: int | None) -> None:
    otp.end(otp_id)  # first, as everywhere: one order of locks, no deadlock
    rows.change(Challenge, challenge_id, closed_at=clock.now())


def typed_hash(typed: str) -> str:
    """What is kept of an address that was typed: enough to find it again, not to read it."""
    return crypto.keyed(setting("SECRET_KEY"), "typed", typed)


def purge() -> int:
    """Removes wishes and codes whose last possible use lies CODE_RETENTION_DAYS back.

    -> how many.
    """
    before = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    longest = timedelta(seconds=setting("PROOF_LINK_LIFETIME_SECONDS"))
    link_over = or_(Challenge.link_until.is_(None), Challenge.link_until < before)
    old = delete(Challenge).where(Challenge.opened_at < before - longest, link_over)
    over = delete(Otp).where(Otp.expires_at < before)
    return sum(changed(db.session(), each) for each in (old, over))
