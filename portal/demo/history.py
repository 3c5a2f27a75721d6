"""A month of everybody, written down as if it had been lived."""

from datetime import datetime, timedelta

from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import db
from portal.delivery.models import Outgoing
from portal.demo import desk, past, post, rows
from portal.demo.cast import DEMO
from portal.demo.past import Happened, Lost
from portal.recovery import funnel

SIGN_INS = 3  # of one person, as many as are shown


def invent(everybody: list[Person], staff: list[Person]) -> None:
    """Events, sums, ways back in, messages and sign-ins.  A step of a transaction.

    `staff`: those who may help others.
    """
    now = clock.now()
    told: list[Happened] = []
    letters: list[Outgoing] = []
    for person in everybody:
        lost = _ways_back(person, [] if person in staff else staff, now)
        told += _told(person, lost, [] if person in staff else staff, now)
        letters += [_letter(each) for each in lost]
        letters += post.past(person.id, now) if person.email == DEMO else []
    rows.note([each for each in told if each.at < now])
    letters.sort(key=lambda each: each.created_at)
    db.session.add_all(letters)


def _told(person: Person, lost: list[Lost], hands: list[Person], now: datetime) -> list[Happened]:
    """Nobody signs in before the address is proven, or after a block or a farewell."""
    if person.email_proven_at is None:
        return [Happened("sign-up:asked", person, past.moment(now, 6, "sign-up", person.id))]
    helped = list(desk.kept_out(person, hands, now)) if hands else []
    end = _end(person, now)
    visits = [each for each in past.signing_in(person, now) if each.at < end]
    told = [event for each in lost for event in _lived(each)]
    _sign_ins(person, visits, now)
    return [*visits, *told, *helped, *desk.own_acts(person, now)]


def _end(person: Person, now: datetime) -> datetime:
    return min(filter(None, (person.blocked_at, person.deleted_at)), default=now)


def _ways_back(person: Person, hands: list[Person], now: datetime) -> list[Lost]:
    """Asked for by the person, and some of them once more by the helpdesk."""
    if person.email_proven_at is None or person.deleted_at is not None:
        return []
    lost = list(_missteps(person, now) if person.email == DEMO else past.losing(person, now))
    again = [desk.helped(each, hands) for each in lost] if hands else []
    return [*lost, *filter(None, again)]


def _lived(lost: Lost) -> list[Happened]:
    if lost.finished:
        lost.person.password_changed_at = max(lost.finished, lost.person.password_changed_at)
    looked = [desk.looked_at(lost.person, lost.asked, lost.sent_by)] if lost.sent_by else []
    return [*looked, *past.events(lost)]


def _letter(lost: Lost) -> Outgoing:
    wish = rows.wish(lost)
    db.session.add(wish)
    return rows.letter(lost, wish)


def _sign_ins(person: Person, visits: list[Happened], now: datetime) -> None:
    """The newest of them; a new password has ended those before it."""
    began: dict[datetime, datetime | None] = {}
    for each in visits:
        if each.kind == "sign-in:begun" and each.at < now:
            began[each.at] = None
        elif each.kind == "sign-in:ended" and began:
            began[max(began)] = each.at
    for at in sorted(began)[-SIGN_INS:]:
        session = rows.sign_in(person, at, now)
        is_over = person.is_shut or at < person.password_changed_at
        session.ended_at = began[at] or (now if is_over else None)
        db.session.add(session)


def _missteps(person: Person, now: datetime) -> list[Lost]:
    """Whoever is shown to everybody forgets often, and is too slow for the code."""
    found = []
    for ago in (26, 19, 12, 5):
        lost = Lost(person, past.moment(now, ago, "missteps"))
        lost.accepted = lost.asked + timedelta(seconds=19)
        lost.opened = lost.accepted + timedelta(seconds=52)
        lost.refused = [(lost.opened + timedelta(seconds=2), funnel.RUN_OUT)]
        found.append(lost)
    last = found[-1]
    last.way, last.used = funnel.LINK, last.opened and last.opened + timedelta(seconds=33)
    last.finished = last.used and last.used + timedelta(seconds=71)
    return found
