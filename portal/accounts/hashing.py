"""How passwords are kept.  Sole owner of bcrypt.

A hash reads `v1$<pepper id>$<bcrypt>`, the bcrypt being of base64(HMAC-SHA-256(pepper,
NFC(password))): the pre-hash keeps every byte of a long password below bcrypt's limit of 72 and is
worth nothing without the pepper.
"""

import base64
import hashlib
import hmac
import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

import bcrypt
from flask_babel import gettext as _

from portal.core import clock, crypto, labour, metrics
from portal.core.errors import Overloaded
from portal.core.settings import setting

VERSION = "v1"
LONGEST_LINE = 48  # of the 64 threads of a process; at two hashes at once, about ten seconds
BUSY_SECONDS = 5
BCRYPT_DIGEST = 31  # characters that bcrypt's digest takes at the end of its string


def make(password: str, like: str | None = None) -> str:
    """A hash under today's cost and pepper, with the salt of `like` when that is up to date."""
    if like is not None and not stale(like):
        return _under(password, prefix(like), setting("PASSWORD_PEPPER"))
    return _under(
        password, _fresh_prefix(bcrypt.gensalt(setting("BCRYPT_COST"))), setting("PASSWORD_PEPPER")
    )


def fits(password: str, kept: str | None) -> bool:
    """Whether it is the password.

    Nobody (`kept` None) costs one hash of today's cost, like everybody.
    """
    against = kept or _nobody(setting("BCRYPT_COST"), setting("PASSWORD_PEPPER"))
    made = again(password, prefix(against)) or make(password)
    return crypto.same(made, against) and kept is not None


def again(password: str, start: str) -> str | None:
    """The hash of `password` under an earlier hash's prefix; None when its pepper is unknown."""
    pepper = _peppers().get(start.split("$")[1])
    return None if pepper is None else _under(password, start, pepper)


def unusable() -> str:
    """A hash that no password has: whoever has it chooses one first."""
    salt = bcrypt.gensalt(setting("BCRYPT_COST"))
    return _fresh_prefix(salt) + os.urandom(16).hex()[:BCRYPT_DIGEST]


def renewed(password: str, kept: str) -> str:
    """`kept`, or under today's cost and pepper the hash of the password that it is of."""
    return make(password) if stale(kept) else kept


def prefix(kept: str) -> str:
    """All of a hash but its digest: version, pepper, cost and salt."""
    return kept[:-BCRYPT_DIGEST]


def stale(kept: str) -> bool:
    """True when cost or pepper are not today's: hash again at the next sign-in."""
    version, pepper, _empty, _kind, cost, _rest = kept.split("$")
    today = (VERSION, _pepper_id(setting("PASSWORD_PEPPER")), setting("BCRYPT_COST"))
    return (version, pepper, int(cost)) != today


def _under(password: str, start: str, pepper: str) -> str:
    head, salt = start[: -len(start.split("$", 2)[2])], start.split("$", 2)[2]
    folded, places = _folded(password, pepper), setting("HASHES_AT_ONCE")
    with _in_line(), metrics.work("hash", _turns(places)):
        return head + labour.done(places, bcrypt.hashpw, folded, salt.encode()).decode()


def _fresh_prefix(salt: bytes) -> str:
    return f"{VERSION}${_pepper_id(setting('PASSWORD_PEPPER'))}${salt.decode()}"


def _folded(password: str, pepper: str) -> bytes:
    plain = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.digest(pepper.encode(), plain, hashlib.sha256))


def _peppers() -> dict[str, str]:
    known = setting("PASSWORD_PEPPER"), setting("PASSWORD_PEPPER_PREVIOUS")
    return {_pepper_id(pepper): pepper for pepper in known if pepper}


@cache
def _pepper_id(pepper: str) -> str:
    return hashlib.sha256(b"pepper id " + pepper.encode()).hexdigest()[:8]


@cache
def _nobody(cost: int, pepper: str) -> str:
    """A hash that no password has, of the given cost."""
    salt = bcrypt.gensalt(cost).decode()
    return f"{VERSION}${_pepper_id(pepper)}${salt}{os.urandom(16).hex()[:BCRYPT_DIGEST]}"


_turns = cache(BoundedSemaphore)  # so many hashes at once: the rest of a flood waits
_line = BoundedSemaphore(LONGEST_LINE)


@contextmanager
def _in_line() -> Iterator[None]:
    """The rest of a great flood is turned away: pages need threads too.  Raises Overloaded."""
    if not _line.acquire(blocking=False):
        words = _("Very many people are signing in at the moment. Try again in a few seconds.")
        raise Overloaded(clock.after(BUSY_SECONDS), words)
    try:
        yield
    finally:
        _line.release()
