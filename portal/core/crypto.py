"""Chance, and what is kept of secrets: keyed or plain digests."""

import hashlib
import hmac
import re
import secrets
from uuid import UUID, uuid4

CODE_DIGITS = 6
LIKE_A_CODE = re.compile(r"[0-9]{6}")


def new_token() -> str:
    """256 random bits, safe in a URL, and nowhere to be taken for a code."""
    token = secrets.token_urlsafe(32)
    return new_token() if LIKE_A_CODE.search(token) else token


def new_uuid() -> UUID:
    """A random name (RFC 9562, version 4) for links: no code can be seen in it either."""
    name = uuid4()
    return new_uuid() if LIKE_A_CODE.search(str(name)) else name


def new_code() -> str:
    """Six digits, each of the million equally likely, leading zeros kept."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def digest(token: str) -> str:
    """What is kept of a token.  Plain SHA-256 is enough where 256 bits went in."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def keyed(key: str, *parts: object) -> str:
    """HMAC-SHA-256 (RFC 2104) over the parts, for what is short enough to be guessed."""
    message = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compared in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
