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
        told += _told(person, [] if person in staff else staff, now)
    rows.note([each for each in told if each.at < now])


def _told(person: Person, hands: list[Person], now: datetime) -> list[Happened]:
    """Nobody signs in before the address is proven, or after a block or a farewell."""
    if person.email_proven_at is None:
        return [Happened("sign-up:asked", person, past.moment(now, 6, "sign-up", person.id))]
    helped = list(desk.kept_out(person, hands, now)) if hands else []
    end = min(filter(None, (person.blocked_at, person.deleted_at)), default=now)
    visits = [each for each in past.signing_in(person, now) if each.at < end]
    told = list(visits)
    lost = _missteps(person, now) if person.email == DEMO else past.losing(person, now)
    for each in lost if end is now else []:
        told += [*_lived(each), *(_helped(each, hands) if hands else [])]
    _sign_ins(person, visits, now)
    return [*told, *helped, *desk.own_acts(person, now)]


def _helped(lost: Lost, hands: list[Person]) -> list[Happened]:
    again = desk.helped(lost, hands)
    if again is None or again.sent_by is None:
        return []
    return [desk.looked_at(lost.person, again.asked, again.sent_by), *_lived(again)]


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
