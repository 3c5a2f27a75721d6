"""What a person left behind: the last sign-in, and how far the ways back in came."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import func, select

from portal.accounts import sessions
from portal.accounts.models import Person, Session
from portal.codes.models import PASSWORD_RESET, Challenge
from portal.core import clock
from portal.core.db import db
from portal.core.settings import setting
from portal.staff import charts, sums
from portal.staff.charts import Step

RECOVERY_DAYS, MOST_RECOVERIES = 30, 1000
STAMPS = (
    Challenge.accepted_at,
    Challenge.seen_at,
    Challenge.proven_at,
    Challenge.finished_at,
)


@dataclass(frozen=True)
class Recoveries:
    """How far this person came, and in one sentence where it stops; `asked` 0: nowhere."""

    asked: int
    steps: list[Step]
    finding: str
    stops: bool


def last_sign_ins(ids: Iterable[int]) -> Mapping[int, datetime]:
    """When each of these people signed in last, as far as it is kept; asked for in one go."""
    whole = (Session.person_id.in_(list(ids)), Session.kind != sessions.HALF)
    newest = select(Session.person_id, func.max(Session.started_at)).where(*whole)
    rows = db.session.execute(newest.group_by(Session.person_id))
    return {row[0]: row[1] for row in rows}


def last_told(person: Person, at: datetime | None, told: str) -> str:
    """The moment in words (`told`), or what is known where it is not kept any more."""
    if at is not None:
        return told
    days = setting("CODE_RETENTION_DAYS")
    if person.created_at > clock.now() - timedelta(days=days):
        return _("Never")
    return _("Not in the last %(days)d days", days=days)


def recoveries(person: Person) -> Recoveries:
    """The ways back in of the last days; whoever came to a step came past those before it."""
    since = clock.now() - timedelta(days=RECOVERY_DAYS)
    mine = (Challenge.user_id == person.id, Challenge.purpose == PASSWORD_RESET)
    wanted = select(*STAMPS).where(*mine, Challenge.opened_at >= since).limit(MOST_RECOVERIES)
    reached = [_reached(tuple(row)) for row in db.session.execute(wanted)]
    counts = [sum(each >= step for each in reached) for step in range(len(STAMPS) + 1)]
    drop = charts.biggest_loss(counts)
    others = sums.everyone() if counts[0] else None
    steps = charts.steps(list(zip(_labels(), counts, strict=True)), others)
    return Recoveries(counts[0], steps, _finding(counts, drop), drop is not None)


def _reached(stamps: Sequence[datetime | None]) -> int:
    return max((step for step, at in enumerate(stamps, 1) if at is not None), default=0)


def _labels() -> tuple[str, ...]:
    return (
        _("Asked"),
        _("Accepted by the mail server"),
        _("Opened, or a code typed"),
        _("Code or button used"),
        _("New password chosen"),
    )


def _finding(counts: Sequence[int], drop: int | None) -> str:
    if not counts[0]:
        return _(
            "Nobody asked for a way back in during the last %(days)d days.", days=RECOVERY_DAYS
        )
    if drop is None:
        return _("Each of them led to a new password.")
    values = {"before": counts[drop - 1], "after": counts[drop]}
    return (
        _("%(before)d asked, %(after)d left us. Look at the messages below.", **values),
        _(
            "%(before)d sent, %(after)d opened. Suggest looking in Spam and at the address.",
            **values,
        ),
        _(
            "%(before)d opened, %(after)d used. Suggest the button in the email: it lasts.",
            **values,
        ),
        _("%(before)d let in, %(after)d chose a password. Suggest four random words.", **values),
    )[drop - 1]
