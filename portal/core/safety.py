"""Which settings are unsafe, why, and how to mend it."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import SplitResult, urlsplit

WEAK_SECRET_LENGTH = 32
SAFE_BCRYPT_COST = 10
NEAR = "Use SSL or STARTTLS, unless the server stands beside this one."


@dataclass(frozen=True)
class Danger:
    """A setting that is unsafe: why, and how to mend it."""

    name: str
    why: str
    cure: str
    always: bool = False  # refused everywhere; the others in production only
    advice: bool = False  # not refused at all: there are places where it is right

    def __str__(self) -> str:
        return f"{self.name}: {self.why} {self.cure}"


def dangers(values: Mapping[str, Any]) -> list[Danger]:
    """What is unsafe in these settings, whether it is refused here or not."""
    return [*_secrets(values), *_addresses(values), *_mail(values), *_modes(values)]


def _secrets(values: Mapping[str, Any]) -> list[Danger]:
    cure = "Set it to 32 random bytes or more; `python tools/write_env.py` writes such a .env."
    found = []
    for name in "SECRET_KEY", "PASSWORD_PEPPER":
        value = values[name]
        if not value:
            found.append(Danger(name, "is missing.", cure, always=True))
        elif len(value) < WEAK_SECRET_LENGTH or len(set(value)) < 12:
            found.append(Danger(name, "is too weak: short, or made of few characters.", cure))
    if values["SECRET_KEY"] and values["SECRET_KEY"] == values["PASSWORD_PEPPER"]:
        found.append(Danger("PASSWORD_PEPPER", "is the same as SECRET_KEY.", cure))
    return found


def _addresses(values: Mapping[str, Any]) -> list[Danger]:
    url = split(values["PUBLIC_URL"])
    whole = "Give it like https://account.example.org, without a path."
    proxies = "Give networks like 10.0.0.0/8."
    is_site = url.hostname and values["PUBLIC_URL"] == f"{url.scheme}://{url.netloc}"
    is_site = is_site and url.scheme in ("http", "https") and "@" not in url.netloc
    is_site = is_site and ":" not in str(url.hostname)  # Werkzeug knows no IPv6 hosts
    wild = any("*" in host for host in values["ALLOWED_HOSTS"])
    found = [
        (is_site, Danger("PUBLIC_URL", "is no address of a site.", whole, always=True)),
        (url.scheme != "http", Danger("PUBLIC_URL", "is plain http.", "Serve it over https.")),
        (not wild, Danger("ALLOWED_HOSTS", "has a wildcard.", "List the host names you serve.")),
        (
            all(_is_network(each) for each in values["TRUSTED_PROXIES"]),
            Danger("TRUSTED_PROXIES", "has what is no network.", proxies, always=True),
        ),
    ]
    return [danger for fine, danger in found if not fine]


def _is_private(values: Mapping[str, Any]) -> bool:
    """Whether mail is encrypted on its way, or has none."""
    near = is_loopback(f"smtp://{values['EMAIL_HOST']}")
    return bool(values["EMAIL_USE_SSL"] or values["EMAIL_USE_TLS"] or near)


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _mail(values: Mapping[str, Any]) -> list[Danger]:
    backend, caught = values["EMAIL_BACKEND"], "is the mailbox: nobody gets mail."
    clear = Danger("EMAIL_USE_SSL", "is off: mail crosses the net in the clear.", NEAR, advice=True)
    known = Danger("EMAIL_BACKEND", "is not known.", "Use smtp or mailbox.", always=True)
    sender = Danger("EMAIL_FROM", "is no sender.", "Give an email address.", always=True)
    found = [
        ("@" in parseaddr(values["EMAIL_FROM"])[1], sender),
        (backend in ("smtp", "mailbox"), known),
        (backend != "mailbox", Danger("EMAIL_BACKEND", caught, "Set EMAIL_BACKEND=smtp.")),
        (backend != "smtp" or _is_private(values), clear),
    ]
    return [danger for fine, danger in found if not fine]


def _modes(values: Mapping[str, Any]) -> list[Danger]:
    shown = "shows the portal's inside to strangers."
    cure = f"Use {SAFE_BCRYPT_COST} or more; 12 is the default."
    cheap = values["BCRYPT_COST"] < SAFE_BCRYPT_COST
    found = [
        (not values["DEBUG"], Danger("DEBUG", shown, "Set DEBUG=0.")),
        (values["THROTTLES"], Danger("THROTTLES", "are off.", "Unset THROTTLES.")),
        (not cheap, Danger("BCRYPT_COST", "is too low.", cure)),
    ]
    return [danger for fine, danger in found if not fine]


def is_loopback(url: str) -> bool:
    """True for a site that only this machine can reach; any other is production."""
    host = split(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def split(url: str) -> SplitResult:
    """The parts of an address, its scheme in small letters; of no address at all, none."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")
