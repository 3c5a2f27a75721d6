"""Sending what waits: at least once, harmless when twice."""

import logging
import secrets
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import cast

from sqlalchemy import delete, select, update

from portal.core import clock
from portal.core.db import after_commit, at_once, straight, transaction
from portal.core.settings import setting
from portal.delivery import breakers, leases, letters, transports
from portal.delivery.breakers import MESSAGE, ROAD, Health
from portal.delivery.leases import Claim
from portal.delivery.models import Outgoing
from portal.delivery.outcomes import BROKEN, IN_DOUBT, NotAccepted
from portal.delivery.parcels import SMS, Parcel
from portal.delivery.recipes import RECIPES, Letter

log = logging.getLogger("latchkey.delivery")
GIVE_UP, REFUSED_AFTER = timedelta(days=1), timedelta(hours=1)
SHORTEST_PAUSE, LONGEST_PAUSE, PART_OF_AGE = 1.0, 600.0, 4  # seconds, but for the last
AT_A_TIME = 1000


@dataclass(frozen=True)
class Job:
    """A claimed row and its letter, whose code was made a moment ago; None: not to be sent.

    `parcel` is the letter written down; None for a letter to nobody.
    """

    row: Outgoing
    health: Health
    letter: Letter | None = None
    parcel: Parcel | None = None


def deliver_due(seconds: float = 30, ahead: Executor | None = None) -> int:
    """Sends what is due, most urgent first, for `seconds` at most.  -> how many were tried.

    `ahead`, a thread with this application's context, writes the next message meanwhile.
    """
    count, until = 0, monotonic() + seconds
    job = _take() if leases.waiting() else None  # a look without a lock: most find nothing
    while job is not None:
        following = ahead.submit(_take) if ahead else None
        try:
            _see_off(job)
        except BaseException:
            _abandon(following)
            raise
        count += 1
        job = following.result() if following else _take() if monotonic() < until else None
        ahead = ahead if monotonic() < until else None
    return count


def deliver_next() -> bool:
    """Sends the most urgent message that is due.  False when there is none."""
    job = _take()
    if job is not None:
        _see_off(job)
    return job is not None


def purge() -> int:
    """Removes messages that ended more than CODE_RETENTION_DAYS ago.  -> how many."""
    before = clock.now() - timedelta(days=setting("CODE_RETENTION_DAYS"))
    return at_once(delete(Outgoing).where(Outgoing.done_at < before))


def _take() -> Job | None:
    """Claims a row, runs its recipe (the code is made here) and writes the message down."""
    claim = None
    try:
        with transaction() as session:
            claim = leases.claim(session)
            if claim is None:
                return None
            letter = None if _in_doubt(claim) else RECIPES[claim.row.recipe].write(claim.row.about)
    except Exception as err:
        if claim is None:
            raise
        _spoilt(claim.row.id, err)
        return Job(claim.row, claim.health)
    return _written(Job(claim.row, claim.health, letter))


def _written(job: Job) -> Job:
    if job.letter is None or job.letter.to is None:
        return job
    parcel_id = f"outbox-{job.row.id}.{job.row.created_at:%Y%m%d%H%M%S}"
    try:
        parcel = letters.compose(RECIPES[job.row.recipe], job.letter, parcel_id)
    except Exception as err:  # noqa: BLE001 - whatever is wrong with one message, the next must go
        _not_accepted(job, job.letter, NotAccepted(BROKEN, type(err).__name__))
        return replace(job, letter=None)
    return replace(job, parcel=parcel)


def _abandon(following: Future[Job | None] | None) -> None:
    """Nobody will send what was written ahead: its lease may run out."""
    if following and not following.exception() and (job := following.result()):
        leases.drop(job.row.id)


def _in_doubt(claim: Claim) -> bool:
    """Its sender died.  An SMS that may have left is not paid for twice: the person asks again."""
    if claim.row.channel != SMS or not claim.orphaned:
        return False
    log.warning("message %s may have been sent by a worker that died", claim.row.id)
    _end(claim.row, NotAccepted(IN_DOUBT, for_good=True))
    return True


def _see_off(job: Job) -> None:
    """Hands over, outside any transaction, and starts the clocks."""
    try:
        if job.letter is not None:
            proven = _hand_over(job.row.channel, job.parcel)
            _accepted(job, job.letter, proven)
    except NotAccepted as err:
        _not_accepted(job, cast(Letter, job.letter), err)
    finally:
        leases.drop(job.row.id)


def _hand_over(channel: str, parcel: Parcel | None) -> str:
    """-> how much of the transport's way this has proven to work."""
    if parcel is None:
        return ROAD if transports.ask(channel) else ""
    transports.send(parcel)
    return MESSAGE


def _accepted(job: Job, letter: Letter, proven: str) -> None:
    now = clock.now()
    done = {"done_at": now, "lease": None, "leased_until": None}
    if letter.to is not None:  # otherwise the trouble before is why nobody waits any more
        done |= {"accepted_at": now, "trouble": ""}
    with transaction() as session:
        straight(session, update(Outgoing).where(Outgoing.id == job.row.id).values(**done))
        letter.walked(now)
        letter.accepted(now)
        breakers.worked(session, job.health, proven)


def _not_accepted(job: Job, letter: Letter, err: NotAccepted) -> None:
    with transaction() as session:
        letter.refused()
        if err.walked:
            letter.walked(clock.now())
        if err.fault:
            breakers.failed(session, job.row.channel, err)
        elif err.why != BROKEN:
            breakers.worked(session, job.health, MESSAGE)
        held = (Outgoing.id == job.row.id, Outgoing.lease == leases.me())
        wanted = select(Outgoing).where(*held).with_for_update()
        row = session.scalar(wanted.execution_options(populate_existing=True))
        if row is not None:  # otherwise somebody else has it: the lease ran out
            _postpone(row, err)


def _spoilt(row_id: int, err: Exception) -> None:
    """The recipe failed, and with it the claim was undone."""
    with transaction() as session:
        row = session.get_one(Outgoing, row_id, populate_existing=True, with_for_update=True)
        row.tries += 1
        _postpone(row, NotAccepted(BROKEN, type(err).__name__))


def _postpone(row: Outgoing, err: NotAccepted) -> None:
    """Later again, each time a little later; after a day never."""
    now = clock.now()
    age = now - row.created_at
    _end(row, err)
    if not (err.why == IN_DOUBT or age > GIVE_UP or (err.for_good and age > REFUSED_AFTER)):
        row.done_at, row.due_at = None, now + _pause(age)
    rest = f"again in {(row.due_at - now).total_seconds():.0f} s"
    say = f"message {row.id} ({row.recipe}): {err}; {'no more' if row.done_at else rest}"
    after_commit(lambda: log.warning(say))


def _end(row: Outgoing, err: NotAccepted) -> None:
    row.lease = row.leased_until = None
    row.done_at, row.trouble = clock.now(), str(err)


def _pause(age: timedelta) -> timedelta:
    """A quarter of the time that it has waited already, give or take a quarter of that."""
    seconds = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, age.total_seconds() / PART_OF_AGE))
    return timedelta(seconds=seconds * (75 + secrets.randbelow(51)) / 100)
