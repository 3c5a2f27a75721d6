"""Backup codes, for when the app is not at hand: steps inside the caller's transaction."""

import re
import secrets
import unicodedata

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update

from portal.accounts.models import Person, Session
from portal.core import clock, crypto, sealing
from portal.core.db import changed, db
from portal.core.errors import Rejected
from portal.core.sealing import Unsealable
from portal.core.settings import setting
from portal.security.models import BackupCode

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
LENGTH, HALF = 10, 5  # of 31 characters: 49 bits
FEW = 3  # from here on the person is warned
SHOWN_SECONDS = 600  # a reload of their page loses nothing; later they are gone
LONGEST = 100  # of what is looked at: the rest can be no code
FIELD = "code"


def issue(person: Person) -> list[str]:
    """New codes as they are shown, once; those of before are dead."""
    forget(person)
    codes = [_new() for _ in range(setting("BACKUP_CODES"))]
    db.session.add_all(BackupCode(person_id=person.id, digest=_kept(person, c)) for c in codes)
    return [f"{code[:HALF]}-{code[HALF:]}" for code in codes]


def given(typed: str | None) -> str:
    """The ten characters of a typed code: case, spaces and hyphens do not matter.

    Raises Rejected for what cannot be one.
    """
    folded = unicodedata.normalize("NFKC", (typed or "")[:LONGEST]).casefold()
    code = re.sub(r"[\s\u00ad\u2010-\u2015\u2212-]", "", folded)
    if not code:
        raise Rejected(FIELD, "empty", _("Enter one of your backup codes"))
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        words = _("A backup code has 10 letters and digits, like abcde-fghjk.")
        raise Rejected(FIELD, "format", words)
    return code


def take(person: Person, code: str) -> bool:
    """Uses the code up, once for everybody.  False: it is none of the person's, or was used."""
    mine = (BackupCode.person_id == person.id, BackupCode.digest == _kept(person, code))
    unused = update(BackupCode).where(*mine, BackupCode.used_at.is_(None))
    return changed(db.session(), unused.values(used_at=clock.now())) == 1


def left(person: Person) -> int:
    """How many can still be used."""
    mine = (BackupCode.person_id == person.id, BackupCode.used_at.is_(None))
    return db.session.scalar(select(func.count()).select_from(BackupCode).where(*mine)) or 0


def forget(person: Person) -> None:
    """None at all."""
    db.session.execute(delete(BackupCode).where(BackupCode.person_id == person.id))


def sealed(codes: list[str], session: Session) -> str:
    """For the browser to keep while the person puts them away: only this sign-in opens it."""
    until = int(clock.after(SHOWN_SECONDS).timestamp())
    return sealing.seal(" ".join([str(until), *codes]), _about(session))


def opened(kept: str, session: Session) -> list[str]:
    """The same codes again; none once their time is over."""
    try:
        until, *codes = sealing.unseal(kept, _about(session)).split(" ")
    except Unsealable:
        return []
    return codes if int(until) > clock.now().timestamp() else []


def not_kept() -> Rejected:
    """Whoever leaves the page does not see them again."""
    return Rejected("kept", "empty", _("Tick this once you have kept the codes"))


def _new() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def _kept(person: Person, code: str) -> str:
    return crypto.keyed(setting("SECRET_KEY"), "backup code", person.id, code)


def _about(session: Session) -> str:
    return f"backup codes of sign-in {session.id}"
