"""Sending what waits: at least once, harmless when twice."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from time import monotonic
from typing import cast

from sqlalchemy.orm import Session

from portal.core import clock, logs, metrics
from portal.core.db import transaction
from portal.delivery import breakers, endings, hours, leases, letters, transports
from portal.delivery.breakers import MESSAGE, ROAD, Health
from portal.delivery.leases import Claim
from portal.delivery.outcomes import BROKEN, IN_DOUBT, NotAccepted
from portal.delivery.parcels import SMS, Parcel
from portal.delivery.recipes import RECIPES, Letter

AT_A_TIME_SECONDS = 30.0


@dataclass(frozen=True)
class Job:
    """A claimed row and its letter, whose code was made a moment ago; None: not to be sent.

    `parcel` is the letter written down; None for a letter to nobody.
    """

    id: int
    channel: str
    health: Health
    letter: Letter | None = None
    parcel: Parcel | None = None


Ahead = Callable[[Callable[[], Job | None]], "Future[Job | None]"]


def deliver_due(
    ahead: Ahead | None = None,
    stopped: Callable[[], bool] = lambda: False,
    expected: bool = False,
) -> int:
    """Sends what is due, most urgent first, for half a minute at most.  -> how many were tried.

    `ahead` has another thread write the next message meanwhile.  What was written is sent before it
    stops.  `expected`: something waits, as was announced.
    """
    count, until = 0, monotonic() + AT_A_TIME_SECONDS
    job = _take() if expected else _take_if_any()
    while job is not None:
        more = not stopped() and monotonic() < until
        take = _take if count else _take_if_any  # most come alone
        following = ahead(take) if ahead and more else None
        try:
            with logs.about(f"outbox-{job.id}"):
                _see_off(job)
        except BaseException:
            _abandon(following)
            raise
        count += 1
        job = following.result() if following else take() if more else None
    return count


def deliver_next() -> bool:
    """Sends the most urgent message that is due.  False when there is none."""
    job = _take()
    if job is not None:
        with logs.about(f"outbox-{job.id}"):
            _see_off(job)
    return job is not None


def _take_if_any() -> Job | None:
    """`_take` after a look without a lock, which costs a fifth: for who expects nothing."""
    return _take() if leases.waiting() else None


def _take() -> Job | None:
    """Claims a row, runs its recipe (the code is made here) and writes the message down."""
    claim = None
    try:
        # Undone by a crash, it is sent once more; an SMS, whose mark lasts, is not on its way yet.
        with transaction(lasting=False) as session:
            claim = leases.pick(session)
            if claim is None:
                return None
            letter = _letter(session, claim)
            session.flush()
            session.expunge_all()  # another thread may send it: nothing is read through here again
    except Exception as err:
        if claim is None:
            raise
        return _spoilt(claim, err)
    return _written(claim, Job(claim.id, claim.channel, claim.health, letter))


def _letter(session: Session, claim: Claim) -> Letter | None:
    """None for what ends here: a doubtful SMS, and what nobody can see any more."""
    if claim.orphaned and claim.trouble == IN_DOUBT:
        leases.hold(session, claim)
        endings.doubtful(session, claim.id)
        return None
    letter = RECIPES[claim.recipe].write(claim.about)
    leases.hold(session, claim)
    letter.keep()
    if not letter.over:
        return letter
    letter.refused()
    endings.accepted(session, claim.id, False, clock.now())
    return None


def _spoilt(claim: Claim, err: Exception) -> Job:
    leases.drop(claim.id)
    with transaction() as session:
        endings.spoilt(session, claim.id, NotAccepted(BROKEN, type(err).__name__))
    return Job(claim.id, claim.channel, claim.health)


def _written(claim: Claim, job: Job) -> Job:
    if job.letter is None or job.letter.to is None:
        return job
    parcel_id = f"outbox-{claim.id}.{claim.created_at:%Y%m%d%H%M%S}"
    try:
        parcel = letters.compose(RECIPES[claim.recipe], job.letter, parcel_id)
    except Exception as err:  # noqa: BLE001 - whatever is wrong with one message, the next must go
        _not_accepted(job, job.letter, NotAccepted(BROKEN, type(err).__name__))
        return replace(job, letter=None)
    return replace(job, parcel=parcel)


def _abandon(following: Future[Job | None] | None) -> None:
    """Nobody will send what was written ahead: its lease may run out."""
    if following and not following.exception() and (job := following.result()):
        leases.drop(job.id)


def _see_off(job: Job) -> None:
    """Hands over, outside any transaction, and starts the clocks."""
    try:
        if job.letter is not None:
            with metrics.hand_over(job.channel):
                proven = _hand_over(job, job.letter)
            _accepted(job, job.letter, proven)
            if job.parcel is None:
                hours.as_usual(job.channel)
    except NotAccepted as err:
        _not_accepted(job, cast(Letter, job.letter), err)
    finally:
        leases.drop(job.id)


def _hand_over(job: Job, letter: Letter) -> str:
    """-> how much of the transport's way this has proven to work."""
    if job.parcel is None:
        return ROAD if transports.ask(job.channel) else ""
    stretch = hours.Stretch(job.channel)

    def walked() -> None:
        sms = job.channel == SMS
        if sms or letter.walked:
            with transaction(lasting=sms) as session:
                _walked(letter)
                if sms and not endings.mark(session, job.id):
                    raise NotAccepted(BROKEN)  # somebody else sends it: no word on the gateway
        stretch.begin()

    transports.send(job.parcel, walked)
    stretch.end()
    return MESSAGE


def _walked(letter: Letter) -> None:
    if letter.walked:
        letter.walked(clock.now())


def _accepted(job: Job, letter: Letter, proven: str) -> None:
    now = clock.now()
    with transaction() as session:
        if endings.accepted(session, job.id, job.parcel is not None, now):
            letter.accepted(now)  # the code first, as everywhere: one order of locks, no deadlock
        breakers.worked(session, job.health, proven)


def _not_accepted(job: Job, letter: Letter, err: NotAccepted) -> None:
    with transaction() as session:
        letter.refused()
        if err.walked:
            _walked(letter)
        if err.fault:
            breakers.failed(session, job.channel, err)
        elif err.why != BROKEN:
            breakers.worked(session, job.health, MESSAGE)
        endings.postpone(session, job.id, err)
