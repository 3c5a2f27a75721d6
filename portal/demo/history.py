"""A month of everybody, written down as if it had been lived."""

from datetime import datetime, timedelta

from portal.accounts.models import Person
from portal.core import clock
from portal.core.db import db
from portal.demo import desk, past, rows
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
    for person in everybody:
        told += _told(person, staff, now)
    rows.note([each for each in told if each.at < now])


def _told(person: Person, staff: list[Person], now: datetime) -> list[Happened]:
    told = list(past.signing_in(person, now))
    told += desk.kept_out(person, [each for each in staff if each is not person], now)
    visits = list(told)
    lost = list(_missteps(person, now) if person.email == DEMO else past.losing(person, now))
    for each in lost if person.email_proven_at else []:
        told += _lived(each)
        again = desk.helped(each, staff) if person not in staff else None
        if again is not None and again.sent_by is not None:
            told += [desk.looked_at(person, again.asked, again.sent_by), *_lived(again)]
    _sign_ins(person, visits, now)
    return told


def _lived(lost: Lost) -> list[Happened]:
    if lost.finished:
        lost.person.password_changed_at = max(lost.finished, lost.person.password_changed_at)
    wish = rows.wish(lost)
    db.session.add_all([wish, rows.letter(lost, wish)])
    return list(past.events(lost))


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
