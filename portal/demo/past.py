"""What happened to invented people in the last month: signing in, and losing passwords."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate

from portal.accounts import sending
from portal.accounts.models import Person
from portal.codes.models import EMAIL, SMS
from portal.demo import chance
from portal.demo.crowd import SLOW
from portal.recovery import funnel

DAYS = 30
DEVICES = (
    "Chrome on Windows", "Safari on iPhone", "Chrome on Android", "Firefox on Linux",
    "Edge on Windows", "Safari on Mac", "Samsung Internet on Android", "Firefox on Windows",
)  # fmt: skip
# How much bad luck each step still bears: accepted, opened, used, finished.
REACH, REACH_SLOW = (0.985, 0.93, 0.87, 0.84), (0.8, 0.62, 0.34, 0.32)
HABITS = 0.05, 0.15, 0.15, 0.3, 0.6  # how likely somebody signs in on a day
SECTIONS = "job_title", "picture", "bio", "city", "social_links"


@dataclass(frozen=True)
class Help:
    """By whom of the helpdesk something was done, and what they wrote to it."""

    actor_id: int
    reason: str = ""
    ticket: str = ""
    verified_by: str = ""


@dataclass(frozen=True)
class Happened:
    """One event (or, without a person, a mere count); `counts`: what is counted beside it."""

    kind: str
    person: Person | None
    at: datetime
    detail: str = ""
    parts: tuple[str, ...] = ()
    counts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by: Help | None = None


@dataclass
class Lost:
    """A way back in that somebody asked for, and how far it led."""

    person: Person
    asked: datetime
    accepted: datetime | None = None
    opened: datetime | None = None
    used: datetime | None = None
    finished: datetime | None = None
    way: str = funnel.CODE
    refused: list[tuple[datetime, str]] = field(default_factory=list)
    sent_by: Help | None = None
    channel: str = EMAIL

    @property
    def domain(self) -> str:
        """Where the person's mail is; by SMS it goes another way."""
        by_mail = self.channel == EMAIL
        return self.person.email.rpartition("@")[2] if by_mail else funnel.OTHER_WAY


def signing_in(person: Person, now: datetime) -> Iterator[Happened]:
    """Some do it each day, some hardly ever, and some type it wrong first."""
    habit = chance.pick(HABITS, "habit", person.id)
    for ago in range(DAYS, 0, -1):
        if chance.share("signs in", person.id, ago) < habit:
            yield from _visit(person, ago, moment(now, ago, "sign-in", person.id))
    if chance.share("profile", person.id) < 0.2:
        about = chance.pick(SECTIONS, "section", person.id)
        yield Happened("profile:changed", person, moment(now, 9, "profile", person.id), about)


def _visit(person: Person, ago: int, at: datetime) -> Iterator[Happened]:
    two_steps = person.two_step_at is not None and person.two_step_at < at
    if chance.share("mistyped", person.id, ago) < 0.09:
        kind = "second-step:refused" if two_steps else "sign-in:refused"
        yield Happened(kind, person, at - timedelta(seconds=40), "mismatch" if two_steps else "")
    if chance.share("kept out", person.id, ago) < 0.002:
        yield Happened("", None, at - timedelta(seconds=30), counts=(("sign-in:kept-out", ()),))
    yield Happened("sign-in:begun", person, at, "app" if two_steps else "")
    if chance.share("out", person.id, ago) < 0.3:
        yield Happened("sign-in:ended", person, at + timedelta(minutes=12))


def losing(person: Person, now: datetime) -> Iterator[Lost]:
    """About a third forget their password in a month; where mail is slow, codes run out."""
    times = int(chance.share("forgets", person.id) * 1.5 + 0.05 * (SLOW in person.email))
    for time in range(times):
        ago = 1 + chance.number("when", person.id, time) % (DAYS - 1)
        lost = Lost(person, moment(now, ago, "lost", person.id, time))
        if person.phone and chance.share("by phone", person.id, time) < 0.6:
            lost.channel = SMS
        _get_on(lost, chance.share("luck", person.id, time))
        yield lost


def _get_on(lost: Lost, luck: float) -> None:
    """With bad luck it ends early; where mail is slow, the code is no use and the button is."""
    slow = lost.domain == SLOW
    steps = sum(luck < limit for limit in (REACH_SLOW if slow else REACH))
    late = slow or 0.5 < luck < 0.6
    by_link = lost.channel == EMAIL and (late or luck > 0.45)
    lost.way = funnel.LINK if by_link else funnel.CODE
    waits = 2 + 140 * slow * luck, 9 + 80 * luck, 6 + 60 * luck, 25 + 120 * luck
    times = list(accumulate(waits, lambda at, wait: at + wait))[:steps]
    moments = [lost.asked + timedelta(seconds=each) for each in times]
    for name, at in zip(("accepted", "opened", "used", "finished"), moments, strict=False):
        setattr(lost, name, at)
    if late and lost.opened:
        lost.refused.append((lost.opened + timedelta(seconds=4), funnel.RUN_OUT))


def helped(lost: Lost, by: Help) -> Lost:
    """The same person rings an hour later and is sent a way back in."""
    again = Lost(lost.person, lost.asked + timedelta(hours=1), sent_by=by, way=funnel.LINK)
    again.accepted = again.asked + timedelta(seconds=3)
    again.opened = again.accepted + timedelta(seconds=70)
    again.used = again.opened + timedelta(seconds=8)
    again.finished = again.used + timedelta(seconds=64)
    return again


def events(lost: Lost) -> Iterator[Happened]:
    """What was noted and counted of it."""
    person, domain = lost.person, (lost.domain,)
    by_domain = ((funnel.by_domain(funnel.ASKED), domain),)
    kind = funnel.BY_SUPPORT if lost.sent_by else funnel.ASKED
    yield Happened(
        kind, person, lost.asked, parts=(lost.channel,), counts=by_domain, by=lost.sent_by
    )
    if lost.accepted:
        counts = (funnel.ACCEPTED, (lost.channel,)), (funnel.by_domain(funnel.ACCEPTED), domain)
        yield Happened("", None, lost.accepted, counts=counts)
    if lost.opened:
        counts = (funnel.OPENED, (lost.channel,)), (funnel.by_domain(funnel.OPENED), domain)
        yield Happened("", None, lost.opened, counts=counts)
    for at, why in lost.refused:
        yield Happened("", None, at, counts=((funnel.REFUSED, (f"{lost.channel} {why}",)),))
        if chance.share("impatient", at.isoformat()) < 0.5:
            yield Happened("", None, at, counts=((sending.THROTTLED, ()),))
    yield from _got_in(lost)


def _got_in(lost: Lost) -> Iterator[Happened]:
    person, domain = lost.person, (lost.domain,)
    if lost.used:
        used = (
            (funnel.USED, (lost.channel, f"{lost.channel} {lost.way}")),
            (funnel.by_domain(funnel.USED), domain),
        )
        yield Happened(f"recovery:{lost.way}-used", person, lost.used, counts=used)
    if lost.finished:
        took = funnel.bucket((lost.finished - lost.asked).total_seconds())
        counts = (
            (funnel.TOOK, (f"{lost.channel} {took}",)),
            (funnel.by_domain(funnel.FINISHED), domain),
        )
        yield Happened("password:changed", person, lost.finished, "1")
        yield Happened(funnel.FINISHED, person, lost.finished, parts=(lost.channel,), counts=counts)


def moment(now: datetime, ago: int, *about: object) -> datetime:
    """Some time of the day that long ago, mostly in the light of day."""
    hours = 7 + 15 * chance.share("hour", ago, *about)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=ago)
    return day + timedelta(seconds=int(hours * 3600))
