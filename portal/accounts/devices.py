"""Browsers: what to call them, and which of them a person has signed in with before."""

import re
from datetime import timedelta
from functools import lru_cache
from typing import cast

from sqlalchemy import Table, and_, bindparam, delete, select, update

from portal.accounts.models import KnownDevice, Person
from portal.core import clock, crypto, rows
from portal.core.db import changed, db, release
from portal.core.looks import Look, seen
from portal.core.rows import unheard
from portal.core.settings import setting
from portal.core.worded import Worded

LONGEST_AGENT, REMEMBERED = 500, 1000  # characters; how many of these claims a process knows
# In order: many browsers also claim to be those further down.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


# Asked for with each sign-in and recovery, so it is put together once.
_THIS = KnownDevice.digest == bindparam("digest"), KnownDevice.seen_at > bindparam("since")
_OF_PERSON = KnownDevice.person_id == bindparam("person")
_OWN = Worded(select(KnownDevice.person_id).where(*_THIS, _OF_PERSON))
_BOTH = Look(
    (Person, KnownDevice),
    select(Person.id)
    .outerjoin(KnownDevice, and_(KnownDevice.person_id == Person.id, *_THIS))
    .where(Person.email_key == bindparam("key")),
)

_TABLE = cast(Table, KnownDevice.__table__)
_BEFORE = KnownDevice.digest == bindparam("before")
_OTHERS = update(_TABLE).where(_BEFORE, KnownDevice.person_id != bindparam("person"))
_MOVE = Worded(_OTHERS.values(digest=bindparam("after")))
_DROP = Worded(delete(_TABLE).where(_BEFORE))
_DROP_ALL = Worded(delete(_TABLE).where(_OF_PERSON))


def describe(user_agent: str, otherwise: str = "an unknown device") -> str:
    """Like "Safari on iPhone": words from a fixed list, so that nothing claimed is repeated."""
    return _described(user_agent[:LONGEST_AGENT]) or otherwise


@lru_cache(REMEMBERED)
def _described(user_agent: str) -> str:
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS if re.search(rf"\b{sign}\b", user_agent)), "")
    return " on ".join(filter(None, (browser, system)))


def own(token: str | None, person: Person | None) -> str | None:
    """`token`, if this browser has signed in as this person lately and no reset came between."""
    if not token:
        return None
    wanted = _this(token) | {"person": person.id if person else 0}
    return token if rows.asked(db.session(), _OWN, wanted) else None


def with_owner(key: str, token: str | None) -> tuple[Person | None, str | None]:
    """Whoever has the address of this key, to look at, and `own` for them: in one question.

    Outside any transaction.
    """
    release()  # a look has a connection of its own
    found = _BOTH.first(_this(token) | {"key": key})
    if found is None:
        return None, None
    person, known = found
    return seen(Person, person), token if known is not None else None


def _this(token: str | None) -> dict[str, object]:
    since = clock.now() - timedelta(days=setting("KNOWN_DEVICE_DAYS"))
    return {"digest": crypto.digest(token or ""), "since": since}


def subject(token: str) -> str:
    """Whose count it is, where a device has one of its own."""
    return f"device {crypto.digest(token)}"


def subjects(person: Person) -> list[str]:
    """The counts of all devices that this person is known on."""
    wanted = select(KnownDevice.digest).where(KnownDevice.person_id == person.id)
    return [f"device {digest}" for digest in db.session.scalars(wanted)]


def remember(token: str | None, person: Person) -> str:
    """Notes that this person signed in here.  -> the browser's new token; the one before is dead.

    Whoever else is known in this browser stays so under the new token.
    """
    fresh, session = crypto.new_token(), db.session()
    there = crypto.digest(fresh)
    if token:
        here = crypto.digest(token)
        unheard(session, _MOVE, {"before": here, "after": there, "person": person.id})
        unheard(session, _DROP, {"before": here})
    note = {"digest": there, "person_id": person.id, "seen_at": clock.now()}
    rows.send(KnownDevice, note)
    return fresh


def forget_all(person_id: int) -> None:
    """After a reset no device is known: whoever held one may have been the thief."""
    unheard(db.session(), _DROP_ALL, {"person": person_id})


def purge() -> int:
    """Removes devices that nobody used for KNOWN_DEVICE_DAYS.  -> how many."""
    before = clock.now() - timedelta(days=setting("KNOWN_DEVICE_DAYS"))
    return changed(db.session(), delete(KnownDevice).where(KnownDevice.seen_at < before))
