"""What happened to an account, in plain words: for its person, and fuller for the helpdesk."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import ColumnElement, select

from portal.accounts import blocks
from portal.accounts.models import Person
from portal.core import clock, columns, phrases, texts
from portal.core.audit import BY_DESK, Event
from portal.core.db import db
from portal.security import kinds
from portal.security.kinds import CHANGES, RECOVERY, SIGN_IN, STAFF

ENDED = re.compile(r"(?:^|sign-ins: )(\d+)(?: to 0)?$")
GROUPS = {
    "": _l("Everything"),
    SIGN_IN: _l("Signing in"),
    RECOVERY: _l("Getting back in"),
    CHANGES: _l("Changes"),
    STAFF: _l("Helpdesk"),
}


@dataclass(frozen=True)
class Line:
    """One event.  `staff`: which colleague did it, or ""; `network` is for the desk alone."""

    id: int
    at: datetime
    kind: str
    title: str
    detail: str
    tint: str  # ok | warn | stop | staff | ""
    icon: str
    group: str
    staff: str
    network: str = ""


@dataclass(frozen=True)
class Leaf:
    """Some events, newest first; `older` is what to ask for next, None when there are no more."""

    lines: list[Line]
    older: int | None
    group: str = ""
    newest: bool = True

    @property
    def days(self) -> list[tuple[str, list[Line]]]:
        """The same under the names of their days (UTC)."""
        by_day = groupby(self.lines, key=lambda each: each.at.date())
        return [(_named(lines[0].at), lines) for lines in (list(group) for _day, group in by_day)]


def of_person(
    person_id: int, group: str, before: int | None, most: int, for_desk: bool = False
) -> Leaf:
    """Up to `most` events about a person, of one of GROUPS ("", or none of them: all), from before
    the id `before` on."""
    group = group if group in GROUPS else ""
    wanted = select(Event).where(Event.person_id == person_id, *_of(group))
    if before is not None:
        wanted = wanted.where(Event.id < columns.within(before))
    found = db.session.scalars(wanted.order_by(Event.id.desc()).limit(most + 1)).all()
    shown = found[:most]
    names = _colleagues(shown, for_desk)
    lines = [line(each, names, for_desk) for each in shown]
    return Leaf(lines, shown[-1].id if len(found) > most else None, group, before is None)


def line(event: Event, names: Mapping[int, str] | None = None, for_desk: bool = False) -> Line:
    """An event in words; `names` of the colleagues by their ids, where they are known already."""
    kind = kinds.of(event.kind)
    names = _colleagues([event], for_desk) if names is None else names
    return Line(
        id=event.id,
        at=event.at,
        kind=event.kind,
        title=str(kind.title),
        detail=_detail(event, for_desk),
        tint=STAFF if event.desk else kind.tint,
        icon=kind.icon,
        group=STAFF if event.desk else kind.group,
        staff=(names.get(event.actor_id or 0) or _("the helpdesk")) if event.desk else "",
        network=event.network if for_desk and not event.desk else "",
    )


def _of(group: str) -> list[ColumnElement[bool]]:
    if group in ("", STAFF):
        return [BY_DESK.is_(True)] if group else []
    if group == CHANGES:  # and what nobody described
        return [
            BY_DESK.is_(False),
            Event.kind.not_in(kinds.named(SIGN_IN) + kinds.named(RECOVERY)),
        ]
    return [BY_DESK.is_(False), Event.kind.in_(kinds.named(group))]


def _colleagues(events: Sequence[Event], for_desk: bool) -> dict[int, str]:
    """Names, by their ids; colleagues alone are told the address of who has none."""
    wanted = {each.actor_id for each in events if each.desk and each.actor_id}
    if not wanted:
        return {}
    found = select(Person.id, Person.full_name, Person.email).where(Person.id.in_(wanted))
    rows = db.session.execute(found)
    return {row.id: texts.apart(row.full_name or (row.email if for_desk else "")) for row in rows}


def _detail(event: Event, for_desk: bool) -> str:
    """Whole sentences; what a colleague did is told with reason and ticket, as in its message."""
    said = [_more(event)]
    if not event.desk:
        said.append(_("On %(device)s.", device=event.device) if event.device else "")
    elif for_desk and event.verified_by:
        said.append(_("Checked by: %(how)s.", how=event.verified_by))
    if event.reason:
        said.append(_("Reason: %(reason)s.", reason=texts.apart(event.reason.rstrip("."))))
    if event.ticket:
        said.append(_("Ticket %(ticket)s.", ticket=texts.apart(event.ticket)))
    return " ".join(filter(None, said))


def _more(event: Event) -> str:
    """What the event itself keeps beyond its kind."""
    if (event.kind, event.detail) in kinds.DETAILS:
        return str(kinds.DETAILS[event.kind, event.detail])
    if event.kind in kinds.COUNTING:
        return _ended(event.detail)
    return READ[event.kind](event.detail) if event.kind in READ else ""


def _ended(detail: str) -> str:
    """How many sign-ins it ended, and when what kept everybody out ends by itself."""
    found, end = ENDED.search(detail), blocks.end_told(detail)
    ended = int(found[1]) if found else 0
    words = ngettext("%(num)d device was signed out.", "%(num)d devices were signed out.", ended)
    until = _("Until %(moment)s.", moment=phrases.moment(end)) if end else ""
    return " ".join(filter(None, (until, words if ended else "")))


def _role(detail: str) -> str:
    before, _to, after = detail.partition(" to ")
    return _("From %(before)s to %(after)s.", before=before, after=after)


def _attributes(detail: str) -> str:
    named = [kinds.ATTRIBUTES[each] for each in detail.split(", ") if each in kinds.ATTRIBUTES]
    joined = ", ".join(str(each) for each in named)
    return f"{joined[:1].upper()}{joined[1:]}." if joined else ""


READ = {"account:role-changed": _role, "profile:changed": _attributes}


def _named(at: datetime) -> str:
    today = clock.now().date()
    if at.date() == today:
        return _("Today, %(day)s", day=phrases.day(at))
    if at.date() == today - timedelta(days=1):
        return _("Yesterday, %(day)s", day=phrases.day(at))
    return phrases.day(at)
