"""Invented chance: the same names and days at every try-out."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
WHOLE = 2**32


def number(*about: object) -> int:
    """Evenly spread over 32 bits, and always the same about the same."""
    digest = hashlib.sha256("\0".join(map(str, about)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def share(*about: object) -> float:
    """From 0 up to 1."""
    return number(*about) / WHOLE


def pick(options: Sequence[T], *about: object) -> T:
    """One of them."""
    return options[number(*about) % len(options)]
