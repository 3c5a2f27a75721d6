"""Writing a message down as mail (RFC 5322, 2045, 2046).

The email package folds the headers; the rest always has the same form, and is put together here in
a tenth of the time that the package takes for it.
"""

import re
import secrets
from binascii import b2a_qp
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from portal.core import clock
from portal.delivery.outcomes import BROKEN, NotAccepted
from portal.delivery.parcels import Parcel
from portal.delivery.transports.identity import message_id, sender

# Readable on the wire, also where base64 would be shorter.  Neither quotes nor line ends: 7 bits.
PART = (
    b'Content-Type: text/%s; charset="utf-8"\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n"
    b"\r\n"
    b"%s"
)
PARTS = (
    b"Content-Type: multipart/alternative;\r\n"
    b' boundary="%(between)s"\r\n'
    b"\r\n"
    b"--%(between)s\r\n%(text)s\r\n"
    b"--%(between)s\r\n%(html)s\r\n"
    b"--%(between)s--\r\n"
)
ANOTHER_LINE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\r\n(?![ \t])")
# Between the parts stands "=_", which no text has that is quoted so, and no digit: nothing in a
# header looks like a code.
LETTERS = str.maketrans("0123456789", "ghijklmnop")
SAME = 50  # subjects that are remembered folded


def written(parcel: Parcel) -> bytes:
    """The message as it crosses the wire.  Raises NotAccepted."""
    try:
        return _head(parcel) + _body(parcel)
    except Exception as err:  # noqa: BLE001 - the email package raises what its parser stumbles over
        why = type(err).__name__
        raise NotAccepted(BROKEN, why, walked=True, for_good=True) from None


def _head(parcel: Parcel) -> bytes:
    own = sender()
    lines = (
        _subject(parcel.subject),
        _from(own.display_name, own.addr_spec),
        _folded("To", Address(addr_spec=parcel.to)),
        f"Date: {format_datetime(clock.now(), usegmt=True)}\r\n".encode("ascii"),
        f"Message-ID: {message_id(parcel)}\r\n".encode("ascii"),
        b"Auto-Submitted: auto-generated\r\n",  # RFC 3834: no holiday replies
        b"MIME-Version: 1.0\r\n",
    )
    return b"".join(lines)


def _body(parcel: Parcel) -> bytes:
    text = PART % (b"plain", _quoted(parcel.text))
    if parcel.html is None:
        return text
    html = PART % (b"html", _quoted(parcel.html))
    between = b"=_" + secrets.token_hex(16).translate(LETTERS).encode()
    return PARTS % {b"between": between, b"text": text, b"html": html}


def _quoted(text: str) -> bytes:
    lines = text.encode().splitlines()
    return b2a_qp(b"\n".join(lines) + b"\n").replace(b"\n", b"\r\n")


def _folded(name: str, value: object) -> bytes:
    """Raises ValueError for what would be two headers: encoded words may hold line ends."""
    line = SMTP.fold_binary(*SMTP.header_store_parse(name, value))
    if ANOTHER_LINE.search(line.removesuffix(b"\r\n")):
        raise ValueError(name)
    return line


@lru_cache(SAME)
def _subject(words: str) -> bytes:
    return _folded("Subject", words)


@lru_cache(1)
def _from(name: str, address: str) -> bytes:
    return _folded("From", Address(name, addr_spec=address))
