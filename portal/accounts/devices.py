"""Browsers: what to call them, and which of them a person has signed in with before."""

import re
from datetime import timedelta

from sqlalchemy import delete, select, update

from portal.accounts.models import KnownDevice, Person
from portal.core import clock, crypto
from portal.core.db import changed, db
from portal.core.settings import setting

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


def describe(user_agent: str, otherwise: str = "an unknown device") -> str:
    """Like "Safari on iPhone": words from a fixed list, so that nothing claimed is repeated."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS if re.search(rf"\b{sign}\b", user_agent)), "")
    return " on ".join(filter(None, (browser, system))) or otherwise


def own(token: str | None, person: Person | None) -> str | None:
    """`token`, if this browser has signed in as this person lately and no reset came between."""
    since = clock.now() - timedelta(days=setting("KNOWN_DEVICE_DAYS"))
    mine = (KnownDevice.digest == crypto.digest(token or ""), KnownDevice.seen_at > since)
    person_id = person.id if person else 0
    found = db.session.scalar(
        select(KnownDevice.person_id).where(*mine, KnownDevice.person_id == person_id)
    )
    return token if found is not None else None


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
    fresh = crypto.new_token()
    before = KnownDevice.digest == crypto.digest(token or "")
    moved = update(KnownDevice).where(before, KnownDevice.person_id != person.id)
    db.session.execute(moved.values(digest=crypto.digest(fresh)))
    db.session.execute(delete(KnownDevice).where(before))
    note = KnownDevice(digest=crypto.digest(fresh), person_id=person.id, seen_at=clock.now())
    db.session.add(note)
    return fresh


def forget_all(person_id: int) -> None:
    """After a reset no device is known: whoever held one may have been the thief."""
    db.session.execute(delete(KnownDevice).where(KnownDevice.person_id == person_id))


def purge() -> int:
    """Removes devices that nobody used for KNOWN_DEVICE_DAYS.  -> how many."""
    before = clock.now() - timedelta(days=setting("KNOWN_DEVICE_DAYS"))
    return changed(db.session(), delete(KnownDevice).where(KnownDevice.seen_at < before))
