"""The wish around the code: steps inside the caller's transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update

from portal.codes import otp
from portal.codes.models import NOBODY, Challenge, Otp
from portal.codes.terms import Terms
from portal.core import clock, crypto
from portal.core.db import changed, db
from portal.core.settings import hand_over_seconds, setting


@dataclass(frozen=True)
class Written:
    """Code and link for one message, and what to do when it was accepted or refused."""

    code: str
    link: str
    challenge: Challenge
    accepted: Callable[[datetime], None]
    refused: Callable[[], None]


def open_(purpose: str, user_id: int | None, typed: str, device: str, terms: Terms) -> Challenge:
    """A new wish for the address `typed` (its key); earlier ones of this purpose end."""
    same = or_(Challenge.typed_hash == typed_hash(typed), Challenge.user_id == (user_id or -1))
    end(purpose, same)
    challenge = Challenge(
        id=crypto.new_token(),
        purpose=purpose,
        channel="email",
        user_id=user_id or NOBODY,
        typed_hash=typed_hash(typed),
        device=device,
        opened_at=clock.now(),
        **vars(terms),
    )
    db.session.add(challenge)
    return challenge


def end(purpose: str, which: ColumnElement[bool]) -> None:
    """Closes open wishes of a purpose and consumes their codes.

    Not one that was proven already: its grant is with whoever proved it, and a stranger who asks in
    the same name must not take it away.
    """
    still_open = (Challenge.closed_at.is_(None), Challenge.proven_at.is_(None))
    wanted = select(Challenge).where(Challenge.purpose == purpose, which, *still_open)
    for challenge in db.session.scalars(wanted.order_by(Challenge.opened_at)):
        close(challenge)


def end_all(user_id: int) -> None:
    """Closes every open wish of a person."""
    wanted = select(Challenge).where(Challenge.user_id == user_id, Challenge.closed_at.is_(None))
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
    wanted = select(Challenge).where(Challenge.user_id == user_id, Challenge.purpose == purpose)
    still_open = (Challenge.closed_at.is_(None), Challenge.proven_at.is_(None))
    return db.session.scalar(wanted.where(*still_open).order_by(Challenge.opened_at.desc()))


def write(challenge: Challenge) -> Written:
    """Makes code and link for one message; their clocks start when it is accepted."""
    spare = hand_over_seconds()
    row, code = otp.issue(challenge, challenge.channel, spare)
    token = crypto.new_token()
    challenge.link_hash = crypto.digest(token)
    challenge.link_until = clock.after(challenge.link_seconds + spare)
    link = setting("PUBLIC_URL") + challenge.link_path.format(token=token)

    def accepted(now: datetime) -> None:
        otp.start_clock(row.id, challenge.code_seconds, now)
        sent(challenge.id, now)

    def refused() -> None:
        otp.consume(row.id)

    return Written(code, link, challenge, accepted, refused)


def sent(challenge_id: str, now: datetime) -> None:
    """The message, or the nothing in its place, was handed over: the public clocks start."""
    if challenge := of_id(challenge_id):
        challenge.code_until = now + timedelta(seconds=challenge.code_seconds)
        challenge.link_until = now + timedelta(seconds=challenge.link_seconds)


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
    otp.consume(challenge.otp_id)  # first, as everywhere: one order of locks, no deadlock
    challenge.closed_at = clock.now()


def typed_hash(typed: str) -> str:
    """What is kept of an address that was typed: enough to find it again, not to read it."""
    return crypto.keyed(setting("SECRET_KEY"), "typed", typed)


def purge() -> int:
    """Removes wishes and codes whose last possible use lies CODE_RETENTION_DAYS back.

    -> how many.
    """
    before = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    session = db.session()
    longest = timedelta(seconds=setting("PROOF_LINK_LIFETIME_SECONDS"))
    flows = changed(session, delete(Challenge).where(Challenge.opened_at < before - longest))
    return flows + changed(session, delete(Otp).where(Otp.expires_at < before))
