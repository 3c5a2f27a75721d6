"""The keys that the portal signs with: ES256 (RFC 7518, 3.4), in a file, turned while it runs.

The file is a JWK Set with private keys (RFC 7517, 5); two more members say from when a key signs
(`nbf`) and until when what it signed is believed (`exp`; 0: no end is known), in seconds since
1970.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from portal.core import clock
from portal.core.settings import Refused

ALGORITHM, CURVE = "ES256", "P-256"
SLACK_SECONDS = 60  # that clocks of several machines may differ by
PUBLIC = "kty", "crv", "x", "y"


@dataclass(frozen=True)
class Signer:
    """A key, from when it signs and until when it is believed."""

    kid: str
    key: ECKey
    nbf: int
    exp: int

    def is_believed(self) -> bool:
        """Whether what it signed still counts."""
        return not self.exp or self.exp > now()

    def public(self) -> dict[str, Any]:
        """As others may see it (RFC 7517, 4)."""
        parts = self.key.as_dict(private=False)
        own = {name: parts[name] for name in PUBLIC}
        return own | {"kid": self.kid, "use": "sig", "alg": ALGORITHM}


@dataclass(frozen=True)
class Ring:
    """The keys of one state of the file."""

    state: tuple[int, ...]
    signers: tuple[Signer, ...]

    def newest(self) -> Signer:
        """Of those whose time has come, the one whose end is not known yet.

        Before a lead is over, the one before; of all, should the clock have been set back.
        """
        ready = [each for each in self.signers if each.nbf <= now() and each.is_believed()]
        return max(ready or self.signers, key=lambda signer: (not signer.exp, signer.nbf))

    def named(self, kid: object) -> Signer | None:
        """The key of this number, if it is believed."""
        return next((each for each in self.signers if each.kid == kid and each.is_believed()), None)


def make(file: Path) -> bool:
    """Writes a first key where there is no file.  -> whether it was written.  Raises Refused."""
    if file.exists():
        return False
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        written = _written(file.parent, [_new(now())])
        with suppress(FileExistsError):
            os.link(written, file)  # fails when somebody was quicker, is never seen half written
        written.unlink()
    except OSError as trouble:
        words = f"SIGNING_KEYS_FILE: cannot be written ({trouble.strerror}). Name another place."
        raise Refused(words) from None
    return True


def rotate(file: Path, lead_seconds: int, overlap_seconds: int) -> int:
    """Adds a key that signs `lead_seconds` from now; the others end `overlap_seconds` after that.

    One that was to sign later has not signed anything, and gives way.  -> how many keys there are
    now.  Raises Refused.
    """
    start = now() + lead_seconds
    end = start + overlap_seconds + SLACK_SECONDS
    used = [each for each in read(file).signers if each.is_believed() and each.nbf <= now()]
    return _replace(file, [*(_dict(each, end) for each in used), _new(start)])


def replace(file: Path) -> None:
    """One new key in the place of all: when one of them may be known to others."""
    _replace(file, [_new(now())])


def read(file: Path) -> Ring:
    """The keys in this file.  Raises Refused when there are none."""
    state = state_of(file)
    try:
        signers = tuple(_import(each) for each in json.loads(file.read_text("utf-8"))["keys"])
    except (OSError, ValueError, KeyError, TypeError, JoseError):
        signers = ()
    if not signers:
        raise Refused("SIGNING_KEYS_FILE: no key can be read from it. Take it from a backup.")
    return Ring(state, signers)


def state_of(file: Path) -> tuple[int, ...]:
    """What changes when the file does."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def now() -> int:
    """In seconds since 1970, as tokens count (RFC 7519, 2)."""
    return int(clock.now().timestamp())


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
    times = {"nbf": signer.nbf, "exp": min(signer.exp or end, end)}
    return signer.public() | private | times


def _replace(file: Path, keys: list[dict[str, Any]]) -> int:
    """It stays its owner's: the superuser who turns keys must not lock the server out."""
    written, before = _written(file.parent, keys), file.stat()
    with suppress(PermissionError):
        os.chown(written, before.st_uid, before.st_gid)
    os.replace(written, file)
    return len(keys)


def _written(folder: Path, keys: list[dict[str, Any]]) -> Path:
    """Readable by the owner only, from the first byte on."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="signing-keys-")
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        json.dump({"keys": keys}, opened, indent=1)
        opened.flush()
        os.fsync(opened.fileno())
    return Path(name)
