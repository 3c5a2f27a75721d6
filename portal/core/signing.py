"""What the portal signs with: ES256 keys (RFC 7518, 3.4) in a file, and tokens made with them.

Sole owner of joserfc.  The file is a JWK Set with private keys (RFC 7517, 5); two more members say
from when a key signs (`nbf`) and until when what it signed is believed (`exp`), in seconds since
1970.  Every process notices when the file has changed, so that keys turn without a restart.
"""

import json
import logging
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from portal.core import clock
from portal.core.settings import Refused, setting

log = logging.getLogger("latchkey")
ALGORITHM, CURVE = "ES256", "P-256"
SLACK_SECONDS = 60  # that clocks of several machines may differ by
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
LONGEST_TOKEN = 4096  # characters; ours have some 500
PUBLIC = "kty", "crv", "x", "y"
Claims = dict[str, Any]


@dataclass(frozen=True)
class Signer:
    """A key, from when it signs and until when it is believed (0: no end is known yet)."""

    kid: str
    key: ECKey
    nbf: int
    exp: int

    def is_believed(self) -> bool:
        """Whether what it signed still counts."""
        return not self.exp or self.exp > _now()


@dataclass(frozen=True)
class Ring:
    """The keys of one state of the file."""

    state: tuple[int, ...]
    signers: tuple[Signer, ...]


def init_app(app: Flask) -> None:
    """Reads the keys; on a loopback PUBLIC_URL they are made where there are none.

    Raises Refused for a file that holds no keys.
    """
    with app.app_context():
        make(_file())
        app.extensions["signing"] = _read(_file())


def sign(claims: Mapping[str, Any], kind: str) -> str:
    """A token of this `typ` (RFC 8725, 3.11) with these claims, as JWS Compact Serialization."""
    signer = _newest(_ring().signers)
    header = {"alg": ALGORITHM, "typ": kind, "kid": signer.kid}
    return jws.serialize_compact(header, json.dumps(claims), signer.key, algorithms=[ALGORITHM])


def verified(token: str, kind: str) -> Claims | None:
    """The claims of a token that one of our keys has signed, or None; judging them is the caller's.

    A token is ours in one form only: no other header member, algorithm or serialization is looked
    at (RFC 8725, 3.1 and 3.8), and the key is never the token's to name but by its number.
    """
    if len(token) > LONGEST_TOKEN or not COMPACT.fullmatch(token):
        return None
    try:
        claims = json.loads(_payload(token, kind))
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _payload(token: str, kind: str) -> bytes:
    """Raises ValueError for what is none of ours."""
    found = jws.extract_compact(token.encode())
    signer = _signer(found.headers(), kind)
    if signer is None or not jws.validate_compact(found, signer.key, [ALGORITHM]):
        raise ValueError
    return found.payload


def public_keys() -> dict[str, Any]:
    """The JWK Set by which others can verify what we sign: no private part."""
    believed = [each for each in _ring().signers if each.is_believed()]
    return {"keys": [_public(each) for each in believed]}


def make(file: Path) -> bool:
    """Writes a first key where there is no file.  -> whether it was written."""
    if file.exists():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    written = _written(file.parent, [_new(_now())])
    with suppress(FileExistsError):
        os.link(written, file)  # fails when somebody was quicker, and is never seen half written
    written.unlink()
    return True


def rotate(file: Path, lead_seconds: int, overlap_seconds: int, drop_old: bool) -> int:
    """Adds a key that signs `lead_seconds` from now; the others end `overlap_seconds` later.

    `drop_old`: at once, when a key may be known to others.  -> how many keys there are now.
    """
    start = _now() + lead_seconds
    end = _now() - 1 if drop_old else start + overlap_seconds + SLACK_SECONDS
    kept = [_dict(each, end) for each in _read(file).signers if each.is_believed()]
    keys = [each for each in kept if each["exp"] > _now()] + [_new(start)]
    os.replace(_written(file.parent, keys), file)
    return len(keys)


def _ring() -> Ring:
    """As the file is now; what cannot be read any more leaves the keys as they were."""
    ring: Ring = current_app.extensions["signing"]
    if ring.state != (state := _state(_file())):
        try:
            ring = _read(_file())
        except Refused as broken:
            log.error("%s The keys stay as they were.", broken)
            ring = Ring(state, ring.signers)
        current_app.extensions["signing"] = ring
    return ring


def _newest(signers: tuple[Signer, ...]) -> Signer:
    """Of those whose time has come; of all, should the clock have been set back."""
    ready = [each for each in signers if each.nbf <= _now()]
    return max(ready or signers, key=lambda signer: signer.nbf)


def _signer(header: Mapping[str, Any], kind: str) -> Signer | None:
    if set(header) != {"alg", "typ", "kid"} or header["typ"] != kind:
        return None
    mine = (each for each in _ring().signers if each.kid == header["kid"])
    return next((each for each in mine if each.is_believed()), None)


def _read(file: Path) -> Ring:
    state = _state(file)
    try:
        kept = json.loads(file.read_text("utf-8"))["keys"]
        signers = tuple(_import(each) for each in kept)
    except (OSError, ValueError, KeyError, TypeError, JoseError):
        signers = ()
    if not signers:
        raise Refused("SIGNING_KEYS_FILE: holds no key. Take it from a backup, or take it away.")
    return Ring(state, signers)


def _import(kept: Mapping[str, Any]) -> Signer:
    key = ECKey.import_key({name: kept[name] for name in (*PUBLIC, "d")})
    if key.curve_name != CURVE:
        raise ValueError(CURVE)
    return Signer(str(kept["kid"]), key, int(kept["nbf"]), int(kept["exp"]))


def _new(nbf: int) -> dict[str, Any]:
    key = ECKey.generate_key(CURVE)
    return _dict(Signer(key.thumbprint(), key, nbf, 0), 0)


def _dict(signer: Signer, end: int) -> dict[str, Any]:
    private = {"d": signer.key.as_dict(private=True)["d"]}
    return _public(signer) | private | {"nbf": signer.nbf, "exp": min(signer.exp or end, end)}


def _public(signer: Signer) -> dict[str, Any]:
    parts = signer.key.as_dict(private=False)
    own = {name: parts[name] for name in PUBLIC}
    return own | {"kid": signer.kid, "use": "sig", "alg": ALGORITHM}


def _written(folder: Path, keys: list[dict[str, Any]]) -> Path:
    """Readable by the owner only, from the first byte on."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="signing-keys-")
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        json.dump({"keys": keys}, opened, indent=1)
    return Path(name)


def _state(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _file() -> Path:
    return Path(setting("SIGNING_KEYS_FILE"))


def _now() -> int:
    return int(clock.now().timestamp())
