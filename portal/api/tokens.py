"""Access tokens (RFC 9068): what they say, and what is believed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from portal.core import clock, signing
from portal.core.settings import setting

if TYPE_CHECKING:
    from portal.accounts.models import Session

KIND = "at+jwt"
SLACK_SECONDS = 5  # by which another machine's clock may be behind ours
CLAIMS = {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"}
LATEST = 2**53  # greatest whole number that every JSON reader keeps


class Expired(Exception):
    """It was good once."""


class Invalid(Exception):
    """It is none of ours."""


def access(session: Session) -> str:
    """A token for this sign-in.  It says who and which sign-in, and gives no right by itself."""
    now = int(clock.now().timestamp())
    claims = {
        "iss": _issuer(),
        "aud": _audience(),
        "sub": str(session.person.uuid),
        "sid": str(session.sid),
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now - SLACK_SECONDS,
        "exp": now + setting("ACCESS_TOKEN_SECONDS"),
    }
    return signing.sign(claims, KIND)


def sid(token: str) -> UUID:
    """The sign-in that it names.  Raises Invalid, or Expired for one that was good once."""
    claims = signing.verified(token, KIND)
    named = None if claims is None else _named(claims)
    if claims is None or named is None:
        raise Invalid
    if claims["exp"] <= clock.now().timestamp():
        raise Expired
    return named


def _named(claims: Mapping[str, Any]) -> UUID | None:
    """Its sign-in, if it is signed by us and for us, and nothing but what we write is in it."""
    if claims.keys() != CLAIMS or (claims["iss"], claims["aud"]) != (_issuer(), _audience()):
        return None
    times = claims["iat"], claims["nbf"], claims["exp"]
    if not all(type(each) is int and 0 < each < LATEST for each in times):
        return None
    return _uuid(claims["sid"]) if claims["nbf"] <= clock.now().timestamp() else None


def _uuid(text: object) -> UUID | None:
    try:
        found = UUID(str(text))
    except ValueError:
        return None
    return found if str(found) == text else None


def _issuer() -> str:
    return str(setting("PUBLIC_URL"))


def _audience() -> str:
    return f"{_issuer()}/api"
