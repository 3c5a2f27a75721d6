"""SMS by one of the services that Apprise knows.  Sole owner of apprise."""

import logging
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat
from apprise.result import AppriseResultStatus

from portal.core.settings import setting
from portal.delivery.outcomes import IN_DOUBT, LATER, UNREACHABLE, NotAccepted
from portal.delivery.parcels import Parcel

ANY_NUMBER = "+4915112345678"

# It would write numbers, and what gateways answer, into our log.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 10)


def understood(url: str) -> bool:
    """Whether it is the address of a service."""
    return _service(url, ANY_NUMBER, 1) is not None


def send(url: str, parcel: Parcel) -> None:
    """Returns when the service has accepted it.  Raises NotAccepted.

    Apprise says yes, no, or that time is over: then the message may have left.
    """
    seconds = setting("EMAIL_TIMEOUT_SECONDS")
    service = _service(url, parcel.to, seconds)
    if service is None:
        raise NotAccepted(UNREACHABLE, fault=True)
    post = Apprise(asset=service.asset)
    post.add(service)
    done = post.notify(parcel.text, body_format=NotifyFormat.TEXT, timeout=seconds)
    if done.status == AppriseResultStatus.TIMEOUT:
        raise NotAccepted(IN_DOUBT, fault=True, for_good=True)
    if not done:
        raise NotAccepted(LATER, fault=True)


def _service(url: str, number: str, seconds: float) -> NotifyBase | None:
    """A service with this number alone, new each time: one that is used again sleeps in between."""
    place, mark, options = url.partition("?")
    whole = f"{place.rstrip('/')}/{quote(number, safe='+')}{mark}{options}"
    made = Apprise.instantiate(whole, asset=_asset(), suppress_exceptions=True)
    if not isinstance(made, NotifyBase):
        return None
    made.retry = 0
    made.socket_connect_timeout = seconds / 2  # before time is over altogether: nothing was sent
    made.socket_read_timeout = seconds * 2  # after it: Apprise says which of the two it was
    return made


def _asset() -> AppriseAsset:
    """The text as it is, nothing kept on disk, no redirections."""
    return AppriseAsset(
        async_mode=False,
        storage_mode="memory",
        http_redirects=False,
        interpret_emojis=False,
        interpret_escapes=False,
    )
