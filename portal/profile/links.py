"""Social links: what people type becomes an https address on the platform, or is refused."""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.errors import Rejected
from portal.core.settings import setting


@dataclass(frozen=True)
class Platform:
    """A site: its label, its error message, its hosts; names go to the first.  No hosts: any."""

    label: str
    wrong: str
    hosts: tuple[str, ...] = ()
    before_name: str = "/"


_NOT_AN_ADDRESS = _l("Enter a web address that starts with https://")

PLATFORMS: dict[str, Platform] = {
    "website": Platform(_l("Website"), _NOT_AN_ADDRESS),
    "github": Platform("GitHub", _l("Enter the address of a GitHub page"), ("github.com",)),
    "gitlab": Platform("GitLab", _l("Enter the address of a GitLab page"), ("gitlab.com",)),
    "linkedin": Platform(
        "LinkedIn", _l("Enter the address of a LinkedIn page"), ("linkedin.com",), "/in/"
    ),
    "x": Platform("X", _l("Enter the address of an X page"), ("x.com", "twitter.com")),
    "mastodon": Platform("Mastodon", _l("Enter the address of a Mastodon page"), (), "/@"),
    "instagram": Platform(
        "Instagram", _l("Enter the address of an Instagram page"), ("instagram.com",)
    ),
    "youtube": Platform(
        "YouTube", _l("Enter the address of a YouTube page"), ("youtube.com",), "/@"
    ),
}

_SCHEME = re.compile(r"https://", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_PARTS = re.compile(r"([^/?#]+)(.*)")
_NAME = re.compile(r"@?(\w[\w.-]*)")
_NAME_AT_HOST = re.compile(r"@?(\w[\w.-]*)@([^@/?#]+)")
_MASTODON_PATH = re.compile(r"/(@|users/)\w")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{4,253}}$)({_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")
_NOT_PUBLIC = re.compile(
    r".*\.(localhost|localdomain|local|internal|intranet|lan|home|corp|arpa|test|invalid)"
)
_AMBIGUOUS = frozenset("ßς\u200c\u200d\u3002")  # older and newer IDNA see different hosts
_ADDRESS_SIGNS = "/?#@:!$&()*+,;=~%"  # of RFC 3986, 2.2, without quotes and brackets
_NO_ADDRESS_SIGN = re.compile(r"""[\\<>"`{|}^]|%(?![0-9A-Fa-f]{2})""")


def tidy(platform: str, typed: str) -> str | None:
    """The canonical address of what was typed for one of PLATFORMS; None for nothing.

    "@name" and names alone become addresses.  Raises Rejected on the field named like the platform.
    """
    site, typed = PLATFORMS[platform], typed.strip(" ")
    if not typed:
        return None
    _check_length(platform, typed)
    host, rest = _split(_spelled_out(site, typed))
    if not _is_public(host):
        raise Rejected(platform, "not_an_address", str(_NOT_AN_ADDRESS))
    if not _belongs(site, host, rest):
        raise Rejected(platform, "other_site", str(site.wrong))
    address = f"https://{host}{rest}"
    _check_length(platform, address)
    return address


def _check_length(platform: str, address: str) -> None:
    most, count = setting("LINK_MAX_LENGTH"), len(address)
    if count > most:
        text = _(
            "Shorten the address to %(most)s characters. It has %(count)s.", most=most, count=count
        )
        raise Rejected(platform, "too_long", text)


def _spelled_out(site: Platform, typed: str) -> str:
    """Host, path and the rest, without the scheme; empty for another scheme."""
    if _SCHEME.match(typed):
        return typed[len("https://") :]
    if _OTHER_SCHEME.match(typed):
        return ""
    return _of_name(site, typed) or typed


def _of_name(site: Platform, typed: str) -> str | None:
    name, at_host = _NAME.fullmatch(typed), _NAME_AT_HOST.fullmatch(typed)
    if site is PLATFORMS["mastodon"] and at_host:
        return f"{at_host[2]}{site.before_name}{at_host[1]}"
    if site.hosts and name and not any(host in typed.lower() for host in site.hosts):
        return f"{site.hosts[0]}{site.before_name}{name[1]}"
    return None


def _split(address: str) -> tuple[str, str]:
    """Host and the rest, as browsers write them; empty where they might see another host."""
    found = _PARTS.fullmatch(address)
    odd = any(unicodedata.category(sign)[0] in "CZ" for sign in address)
    if not found or odd or _NO_ADDRESS_SIGN.search(address):
        return "", ""
    return _in_ascii(found[1]), quote(found[2], safe=_ADDRESS_SIGNS)


def _in_ascii(host: str) -> str:
    """In small letters, and other scripts in the form that cannot be mistaken (RFC 3490)."""
    if host.isascii():
        return host.lower()
    host = unicodedata.normalize("NFC", host)
    if _AMBIGUOUS & set(host) or unicodedata.normalize("NFKC", host) != host:
        return ""
    with suppress(UnicodeError):
        host = host.encode("idna").decode().lower()
    return host  # in other letters still where it cannot be written in ASCII: no public host


def _is_public(host: str) -> bool:
    """A name with a dot: no IP address, port, user or name of a home network."""
    return _HOST.fullmatch(host) is not None and not _NOT_PUBLIC.fullmatch(host)


def _belongs(site: Platform, host: str, rest: str) -> bool:
    known = [own for each in PLATFORMS.values() for own in each.hosts]
    if site is PLATFORMS["mastodon"]:
        return _MASTODON_PATH.match(rest) is not None and not _is_one_of(host, known)
    return not site.hosts or _is_one_of(host, site.hosts)


def _is_one_of(host: str, owners: Iterable[str]) -> bool:
    return any(host == own or host.endswith("." + own) for own in owners)
