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
        "iss": setting("PUBLIC_URL"),
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
    if claims is None or not _is_ours(claims):
        raise Invalid
    if claims["exp"] <= clock.now().timestamp():
        raise Expired
    return UUID(claims["sid"])


def _is_ours(claims: Mapping[str, Any]) -> bool:
    """Signed by us and for us; nothing but what we write is in it."""
    mine = {"iss": setting("PUBLIC_URL"), "aud": _audience()}
    if set(claims) != CLAIMS or any(claims[name] != value for name, value in mine.items()):
        return False
    times = [claims[name] for name in ("iat", "nbf", "exp")]
    if not all(type(each) is int and 0 < each < LATEST for each in times):
        return False
    return bool(claims["nbf"] <= clock.now().timestamp() and _is_uuid(claims["sid"]))


def _is_uuid(text: object) -> bool:
    try:
        return str(UUID(str(text))) == text
    except ValueError:
        return False


def _audience() -> str:
    return f"{setting('PUBLIC_URL')}/api"
