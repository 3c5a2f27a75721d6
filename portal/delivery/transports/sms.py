"""SMS through whatever SMS_URL names: a gateway that takes JSON, or a service of Apprise."""

from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

from portal.core import safety
from portal.core.settings import setting
from portal.delivery.outcomes import IN_DOUBT, NotAccepted
from portal.delivery.parcels import Parcel
from portal.delivery.transports import posting

WEB = "http", "https"


def send(parcel: Parcel, walked: Callable[[], None]) -> None:
    """Returns when the gateway has accepted it.  Raises NotAccepted.

    `walked` is called at once: an SMS to nobody cannot be tried, and whoever asked for one must not
    learn what becomes of it.
    """
    url = setting("SMS_URL")
    walked()
    try:
        if _is_web(url):
            _post(urlsplit(url), parcel)
        else:
            from portal.delivery.transports import gateways  # noqa: PLC0415 - as below

            gateways.send(url, parcel)
    except NotAccepted as err:
        err.walked = True
        raise


def ask() -> bool:
    """There is no SMS to nobody, and so nobody to ask.  -> False."""
    return False


def understood(url: str) -> bool:
    """Whether an SMS_URL leads to a gateway that we know how to talk to."""
    if _is_web(url):
        return bool(safety.split(url).hostname)
    from portal.delivery.transports import gateways  # noqa: PLC0415 - Apprise: few need its services

    return gateways.understood(url)


def _is_web(url: str) -> bool:
    return url.partition("://")[0].lower() in WEB


def _post(url: SplitResult, parcel: Parcel) -> None:
    """An SMS that may have left is not sent twice: it is paid for, and people wonder."""
    body = {"to": parcel.to, "text": parcel.text, "id": parcel.id}
    place = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
    token = unquote(url.password or url.username or "")
    try:
        status = posting.post(place, token, body)
    except posting.NoAnswer:
        raise NotAccepted(IN_DOUBT, fault=True, for_good=True) from None
    posting.insist(status)
