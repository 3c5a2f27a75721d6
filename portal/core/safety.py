"""Which settings are unsafe, why, and how to mend it."""

import re
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path
from typing import Any

from portal.core import keeping
from portal.core.danger import Danger, is_clear
from portal.core.danger import is_loopback as is_loopback
from portal.core.danger import split as split

SECRETS = "SECRET_KEY", "PASSWORD_PEPPER", "DATA_KEY"
WEAK_SECRET_LENGTH, FEW_CHARACTERS = 32, 12
SAFE_BCRYPT_COST = 10
NEAR = "Use SSL or STARTTLS, unless the server stands beside this one."
BACKENDS = "smtp", "sendgrid", "mailbox", "console"
ADDRESS = re.compile(r"[A-Za-z0-9+.-]+://[^\s/?#][^\s]*")
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
OTHERS = 0o077  # who is not the owner of a file
COUNTRY = re.compile(r"[A-Z]{2}")


def dangers(values: Mapping[str, Any]) -> list[Danger]:
    """What is unsafe in these settings, whether it is refused here or not."""
    steps = _secrets, _keys, _addresses, _origins, _mail, _sendgrid, _sms, keeping.dangers, _modes
    return [danger for step in steps for danger in step(values)]


def _secrets(values: Mapping[str, Any]) -> list[Danger]:
    cure = "Set it to 32 random bytes or more; `python tools/write_env.py` writes such a .env."
    weak = "is too weak: short, or made of few characters."
    wanted = (*SECRETS, "METRICS_TOKEN") if values["METRICS_TOKEN"] else SECRETS
    found = [
        Danger(name, "is missing.", cure, always=name != "DATA_KEY")
        if not values[name]
        else Danger(name, weak, cure)
        for name in wanted
        if len(values[name]) < WEAK_SECRET_LENGTH or len(set(values[name])) < FEW_CHARACTERS
    ]
    for name, other in combinations(reversed(SECRETS), 2):
        if values[name] and values[name] == values[other]:
            found.append(Danger(name, f"is the same as {other}.", cure))
    return found


def _keys(values: Mapping[str, Any]) -> list[Danger]:
    file, name = Path(values["SIGNING_KEYS_FILE"]), "SIGNING_KEYS_FILE"
    make = "`python tools/write_keys.py` makes it."
    if not file.is_file():
        return [Danger(name, "is missing: nothing signs access tokens.", make)]
    if file.stat().st_mode & OTHERS:
        return [Danger(name, "can be read by others.", f"`chmod 600 {file.name}`.", advice=True)]
    return []


def _origins(values: Mapping[str, Any]) -> list[Danger]:
    """Of each, the very text that browsers send as Origin (RFC 6454, 6.2)."""
    cure = "List sites like https://app.example.org, one by one."
    odd = Danger("CORS_ALLOWED_ORIGINS", "has what is no site.", cure, always=True)
    clear = Danger("CORS_ALLOWED_ORIGINS", "has a site with plain http.", cure)
    sites = values["CORS_ALLOWED_ORIGINS"]
    found = [
        (all(ORIGIN.fullmatch(each) for each in sites), odd),
        (not any(is_clear(each) for each in sites), clear),
    ]
    return [danger for fine, danger in found if not fine]


def _addresses(values: Mapping[str, Any]) -> list[Danger]:
    url = split(values["PUBLIC_URL"])
    whole = "Give it like https://account.example.org, without a path."
    proxies = "Give networks like 10.0.0.0/8."
    networks = Danger("TRUSTED_PROXIES", "has what is no network.", proxies, always=True)
    one = "is empty: whoever comes through a proxy counts as one and the same."
    nobody = Danger("TRUSTED_PROXIES", one, "Name your proxy's network, if any.", advice=True)
    is_site = url.hostname and values["PUBLIC_URL"] == f"{url.scheme}://{url.netloc}"
    is_site = is_site and url.scheme in ("http", "https") and "@" not in url.netloc
    is_site = is_site and ":" not in str(url.hostname)  # Werkzeug knows no IPv6 hosts
    wild = any("*" in host for host in values["ALLOWED_HOSTS"])
    found = [
        (is_site, Danger("PUBLIC_URL", "is no address of a site.", whole, always=True)),
        (url.scheme != "http", Danger("PUBLIC_URL", "is plain http.", "Serve it over https.")),
        (not wild, Danger("ALLOWED_HOSTS", "has a wildcard.", "List the host names you serve.")),
        (all(_is_network(each) for each in values["TRUSTED_PROXIES"]), networks),
        (values["TRUSTED_PROXIES"] or is_loopback(values["PUBLIC_URL"]), nobody),
    ]
    return [danger for fine, danger in found if not fine]


def _is_sender(text: str) -> bool:
    """Of the address, the part in front has to be ASCII, as for recipients (RFC 5321)."""
    person, _at, domain = parseaddr(text)[1].rpartition("@")
    return bool(person and domain) and person.isascii()


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
    backend, cure = values["EMAIL_BACKEND"], "Set EMAIL_BACKEND=smtp or sendgrid."
    caught = Danger("EMAIL_BACKEND", f"is {backend}: nobody gets mail.", cure)
    clear = Danger("EMAIL_USE_SSL", "is off: mail crosses the net in the clear.", NEAR, advice=True)
    known = Danger("EMAIL_BACKEND", "is not known.", f"Use {' or '.join(BACKENDS)}.", always=True)
    sender = Danger("EMAIL_FROM", "is no sender.", "Give an email address.", always=True)
    found = [
        (_is_sender(values["EMAIL_FROM"]), sender),
        (backend in BACKENDS, known),
        (backend not in ("mailbox", "console"), caught),
        (backend != "smtp" or _is_private(values), clear),
    ]
    return [danger for fine, danger in found if not fine]


def _sendgrid(values: Mapping[str, Any]) -> list[Danger]:
    if values["EMAIL_BACKEND"] != "sendgrid":
        return []
    url, whole = values["SENDGRID_API_URL"], "Give it like https://api.sendgrid.com."
    key = Danger("SENDGRID_API_KEY", "is missing.", "Make one that may send mail.", always=True)
    place = Danger("SENDGRID_API_URL", "is no web address.", whole, always=True)
    clear = Danger("SENDGRID_API_URL", "is plain http: the key crosses the net.", whole)
    is_web = split(url).scheme in ("http", "https") and split(url).hostname
    found = [(values["SENDGRID_API_KEY"], key), (is_web, place), (not is_clear(url), clear)]
    return [danger for fine, danger in found if not fine]


def _sms(values: Mapping[str, Any]) -> list[Danger]:
    url, whole = values["SMS_URL"], "Give it like https://TOKEN@gateway.example.org/sms."
    broken = Danger("SMS_URL", "is no address of a gateway.", whole, always=True)
    clear = Danger("SMS_URL", "is plain http: codes and numbers cross the net.", whole)
    countries = Danger("SMS_COUNTRIES", "has what is no country.", "Use DE,AT,CH.", always=True)
    found = [
        (not url or _is_gateway(url), broken),
        (not is_clear(url), clear),
        (all(COUNTRY.fullmatch(each) for each in values["SMS_COUNTRIES"]), countries),
    ]
    return [danger for fine, danger in found if not fine]


def _is_gateway(url: str) -> bool:
    """Its syntax alone; of those that are not for the web, only their owner knows more."""
    is_web = url.lower().startswith(("http:", "https:"))
    return bool(split(url).hostname if is_web else ADDRESS.fullmatch(url))


def _modes(values: Mapping[str, Any]) -> list[Danger]:
    shown = "shows the portal's inside to strangers."
    cure = f"Use {SAFE_BCRYPT_COST} or more; 12 is the default."
    shape = Danger("LOG_FORMAT", "is not known.", "Use text or json.", always=True)
    found = [
        (not values["DEBUG"], Danger("DEBUG", shown, "Set DEBUG=0.")),
        (values["THROTTLES"], Danger("THROTTLES", "are off.", "Unset THROTTLES.")),
        (values["BCRYPT_COST"] >= SAFE_BCRYPT_COST, Danger("BCRYPT_COST", "is too low.", cure)),
        (values["LOG_FORMAT"] in ("text", "json"), shape),
    ]
    return [danger for fine, danger in found if not fine]
