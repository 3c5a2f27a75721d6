"""What people may be called."""

import re

from flask_babel import gettext as _

from portal.core import texts
from portal.core.errors import Rejected
from portal.core.settings import setting

# Printable by category, and yet nothing is seen of them.
BLANK = frozenset(" \u115f\u1160\u2800\u3164\uffa0")
USERNAME = re.compile(r"[A-Za-z0-9_.-]+")
LONGEST_IN_A_LETTER = 60  # code points: a longer name may be a sentence, and is not missed
# What mail programs turn into links: addresses and hosts, numbers to call; or a code.
LINK = re.compile(r"[/\\@<>]|www|\w[.\u3002\uff0e\uff61][^\W\d]", re.IGNORECASE)
NUMBER = re.compile(r"(\d\D{0,2}){5}")
DATE = re.compile(r"\b\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b")


def full_name(typed: str | None) -> str:
    """Any script, one line, not empty.  Raises Rejected."""
    name = texts.line("full_name", typed, setting("FULL_NAME_MAX_LENGTH"))
    if not any(char.isprintable() and char not in BLANK for char in name):
        raise Rejected("full_name", "empty", _("Enter your full name"))
    return name


def in_a_letter(typed: str, longest: int = LONGEST_IN_A_LETTER) -> str:
    """A name as it may stand in a message; "" for one that would bring a link or a text into it.

    Even a name on a proven account may have been typed by whoever signed up with the address first.
    """
    if len(typed) > longest or LINK.search(typed) or NUMBER.search(typed):
        return ""
    return texts.apart(typed)


def reason_in_a_letter(typed: str) -> str:
    """What a colleague gave as the reason; "" where a link or an address is in it.

    They answer for it by name, and may well write a date or a number.
    """
    return "" if LINK.search(DATE.sub(" ", typed)) else texts.apart(typed)


def username(typed: str | None) -> str | None:
    """Letters, digits, dots, hyphens and underscores, a letter among them; None when empty."""
    name = (typed or "").strip()
    if not name:
        return None
    shortest, longest = setting("USERNAME_MIN_LENGTH"), setting("USERNAME_MAX_LENGTH")
    if not shortest <= len(name) <= longest:
        words = _("Use %(shortest)d to %(longest)d characters.", shortest=shortest, longest=longest)
        raise Rejected("username", "length", words)
    if not USERNAME.fullmatch(name) or not re.search("[A-Za-z]", name):
        words = _(
            "Use letters from a to z, digits, dots, hyphens and underscores, at least one letter."
        )
        raise Rejected("username", "characters", words)
    return name


def searched(typed: str) -> str | None:
    """The key of a username that somebody may have; None for what can be nobody's."""
    name = typed.strip()
    return username_key(name) if USERNAME.fullmatch(name) else None


def username_key(name: str | None) -> str | None:
    """What usernames are compared by."""
    return name.casefold() if name else None


def key(typed: str) -> str:
    """What wishes and counts know a typed username by; no address has such a key."""
    return f"username {typed.strip().casefold()}"
