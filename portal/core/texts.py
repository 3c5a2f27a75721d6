"""What typed text must be before it is kept: normal form, nothing unseen, not too long."""

import unicodedata

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.core.errors import Rejected, TooLong

# They turn the direction of what follows (UAX 9): a name must not turn the text around it.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
APART, APART_END = "\u2068", "\u2069"
LEADING = {"ltr": "\u200e", "rtl": "\u200f"}


def line(field: str, typed: str | None, longest: int) -> str:
    """One line, trimmed, inner white space folded.  Raises Rejected; empty is fine."""
    text = " ".join(_normal(field, typed, allowed="\t").split())
    return _fitting(field, text, longest)


def block(field: str, typed: str | None, longest: int) -> str:
    """Several lines, their breaks kept as \\n, trimmed.  Raises Rejected; empty is fine."""
    unix = (typed or "").replace("\r\n", "\n").replace("\r", "\n")
    return _fitting(field, _normal(field, unix, allowed="\n\t").strip(), longest)


def is_clean(text: str, allowed: str = "") -> bool:
    """True without control characters, lone surrogates and marks that turn the text around."""
    return not any(_unwanted(char) for char in text if char not in allowed)


def storable(text: str) -> str:
    """Without what a database or UTF-8 has no place for: what happened is written down anyway."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def apart(text: str) -> str:
    """A name to be put into a sentence: in a script from right to left it turns nothing around."""
    turned = any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    return f"{APART}{text}{APART_END}" if turned else text


def led(line: str, direction: str) -> str:
    """A line on its own, a subject say: that it starts with such a name does not turn it."""
    return LEADING[direction] + line if line.startswith(APART) else line


def _normal(field: str, typed: str | None, allowed: str) -> str:
    text = unicodedata.normalize("NFC", typed or "")
    if not is_clean(text, allowed):
        raise Rejected(field, "characters", _("Take out the characters that cannot be seen."))
    return text


def _unwanted(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs") or char in TURNING or char in "\u2028\u2029"


def _fitting(field: str, text: str, longest: int) -> str:
    if len(text) > longest:
        words = ngettext(
            "Shorten this to %(longest)d character. It has %(length)d.",
            "Shorten this to %(longest)d characters. It has %(length)d.",
            longest,
            longest=longest,
            length=len(text),
        )
        raise TooLong(field, words, len(text))
    return text
