"""What makes a setting unsafe, and what its address looks like."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit


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


def is_clear(url: str) -> bool:
    """Whether what is sent there can be read on its way."""
    return split(url).scheme == "http" and not is_loopback(url)


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
