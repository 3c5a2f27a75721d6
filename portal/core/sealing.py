"""What only this portal may read, or may have written, by DATA_KEY.  Sole owner of cryptography.

A key that is replaced goes to DATA_KEYS_PREVIOUS: what it sealed or marked stays good.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.core.settings import setting

NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: random, and never twice under one key


class Unsealable(Exception):
    """It was sealed by another key or for another purpose, or was changed since."""


def seal(text: str, about: object) -> str:
    """Encrypted (AES-256-GCM), to be read only by who names the same purpose `about`."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_keys("seal")[0]).encrypt(nonce, text.encode(), str(about).encode())
    return urlsafe_b64encode(nonce + sealed).decode()


def unseal(sealed: str, about: object) -> str:
    """What was sealed for this purpose.  Raises Unsealable."""
    try:
        raw = urlsafe_b64decode(sealed.encode())
    except ValueError:
        raise Unsealable from None
    for key in _keys("seal"):
        try:
            opened = AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], str(about).encode())
        except (InvalidTag, ValueError):
            continue
        return opened.decode()
    raise Unsealable


def mark(text: str) -> str:
    """HMAC-SHA-256 (RFC 2104): nobody without the key can make it."""
    return _marked(_keys("mark")[0], text)


def is_marked(text: str, given: str) -> bool:
    """Whether `given` is the mark of this text, by the key of today or one of before."""
    raw = given.encode("utf-8", "surrogatepass")  # text that is not ASCII could not be compared
    return any(hmac.compare_digest(_marked(key, text).encode(), raw) for key in _keys("mark"))


def _marked(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _keys(purpose: str) -> list[bytes]:
    """One of 256 bits for each data key, the newest first."""
    every = setting("DATA_KEY"), *setting("DATA_KEYS_PREVIOUS")
    return [hmac.new(key.encode(), purpose.encode(), hashlib.sha256).digest() for key in every]
