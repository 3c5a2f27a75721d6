"""Tokens that the portal signs (JWS Compact Serialization, RFC 7515), and what it believes of them.

Every process notices when the file of keys has changed.
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from joserfc import jws
from joserfc.errors import JoseError

from portal.core import crypto, keyring
from portal.core.keyring import ALGORITHM, Ring, Signer
from portal.core.settings import Refused, setting

log = logging.getLogger("latchkey")
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
LONGEST = 4096  # characters of a token; ours have some 500
REMEMBERED = 4096  # tokens of which a process knows that they are ours
HEADER = {"alg", "typ", "kid"}
Claims = dict[str, Any]


def init_app(app: Flask) -> None:
    """Reads the keys, which are made where there are none: production does not start without.

    Raises Refused for a file that holds no keys.
    """
    with app.app_context():
        keyring.make(_file())
        app.extensions["signing"] = Known(keyring.read(_file()))


@dataclass
class Known:
    """The keys, and by their digests tokens that were verified with them, with key and claims."""

    ring: Ring
    tokens: dict[str, tuple[Signer, Claims]] = field(default_factory=dict)


def sign(claims: Mapping[str, Any], kind: str) -> str:
    """A token of this `typ` (RFC 8725, 3.11) with these claims."""
    signer = _ring().newest()
    header = {"alg": ALGORITHM, "typ": kind, "kid": signer.kid}
    return jws.serialize_compact(header, json.dumps(claims), signer.key, algorithms=[ALGORITHM])


def verified(token: str, kind: str) -> Claims | None:
    """The claims of a token that one of our keys has signed, or None; judging them is the caller's.

    A token is ours in one form only: no other header member, algorithm or serialization is looked
    at (RFC 8725, 3.1 and 3.8), and the key is never the token's to name but by its number.  A
    signature is computed once: the same token under the same keys has the same.
    """
    if len(token) > LONGEST or not COMPACT.fullmatch(token):
        return None
    known, mark = _known(), crypto.digest(f"{kind} {token}")
    signer, claims = known.tokens.get(mark) or _verified(known.ring, token, kind)
    if signer is None or not signer.is_believed():
        return None
    if len(known.tokens) >= REMEMBERED:
        known.tokens.clear()
    known.tokens[mark] = signer, claims
    return dict(claims)


def public_keys() -> dict[str, Any]:
    """The JWK Set by which others can verify what we sign: no private part."""
    return {"keys": [each.public() for each in _ring().signers if each.is_believed()]}


def rotate(lead_seconds: int) -> int:
    """A new key `lead_seconds` from now; tokens of the others live to their end.  -> how many keys.

    Raises Refused.
    """
    return keyring.rotate(_file(), lead_seconds, setting("ACCESS_TOKEN_SECONDS"))


def replace() -> None:
    """A new key at once; no token of the others is believed any more."""
    keyring.replace(_file())


def _verified(ring: Ring, token: str, kind: str) -> tuple[Signer | None, Claims]:
    """Which of the keys signed it, and what it claims; no key for what is none of ours."""
    try:
        signer, payload = _payload(ring, token, kind)
        claims = json.loads(payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        return None, {}
    return (signer, claims) if isinstance(claims, dict) else (None, {})


def _payload(ring: Ring, token: str, kind: str) -> tuple[Signer, bytes]:
    """Raises ValueError for what is none of ours."""
    found = jws.extract_compact(token.encode())
    header = found.headers()
    signer = ring.named(header.get("kid"))
    if set(header) != HEADER or header["typ"] != kind or signer is None:
        raise ValueError
    if not jws.validate_compact(found, signer.key, [ALGORITHM]):
        raise ValueError
    return signer, found.payload


def _ring() -> Ring:
    return _known().ring


def _known() -> Known:
    """As the file is now; what cannot be read any more leaves the keys as they were."""
    known: Known = current_app.extensions["signing"]
    if known.ring.state != (state := keyring.state_of(_file())):
        known = current_app.extensions["signing"] = Known(_read(state, known.ring))
    return known


def _read(state: tuple[int, ...], before: Ring) -> Ring:
    try:
        return keyring.read(_file())
    except Refused as broken:
        log.error("%s The keys stay as they were.", broken)
        return Ring(state, before.signers)


def _file() -> Path:
    return _path(setting("SIGNING_KEYS_FILE"))


@lru_cache(1)
def _path(name: str) -> Path:
    return Path(name)  # to take a name apart costs more than to ask for the file's state
