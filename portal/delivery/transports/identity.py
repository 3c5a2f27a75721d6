"""What every message says of its sender."""

import re
from email.headerregistry import Address
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import urlsplit

from flask_babel import gettext

from portal.core.settings import setting
from portal.delivery.parcels import Parcel

NUMBER = re.compile(r"[\d.]+")


def sender() -> Address:
    """EMAIL_FROM, an address with or without a name in front; its domain in ASCII (IDNA)."""
    own = gettext("%(portal)s account", portal=setting("PORTAL_NAME"))
    return _sender(setting("EMAIL_FROM"), own)


@lru_cache(1)
def _sender(given: str, own: str) -> Address:
    name, address = parseaddr(given)
    person, _at, domain = address.rpartition("@")
    return Address(name or own, addr_spec=f"{person}@{_ascii(domain)}")


def host() -> str:
    """PUBLIC_URL's, in ASCII (IDNA)."""
    return _ascii(urlsplit(setting("PUBLIC_URL")).hostname or "localhost")


def greeting() -> str:
    """What we call ourselves to a mail server (RFC 5321, 4.1.3): a number stands in brackets."""
    return f"[{host()}]" if NUMBER.fullmatch(host()) else host()


def message_id(parcel: Parcel) -> str:
    """A Message-ID that stays the same when the message is repeated."""
    return f"<{parcel.id}@{host()}>"


def _ascii(name: str) -> str:
    return name if name.isascii() else name.encode("idna").decode()
