"""SMS through whatever SMS_URL names: a gateway that takes JSON, or a service of Apprise."""

import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, unquote, urlsplit

from portal.core import safety
from portal.core.settings import setting
from portal.delivery.outcomes import IN_DOUBT, NotAccepted
from portal.delivery.parcels import Parcel
from portal.delivery.transports import gateways, posting

WEB = "http", "https"
USUAL_SECONDS, REMEMBERED = 0.2, 20
_durations: deque[float] = deque(maxlen=REMEMBERED)
_lock = threading.Lock()


def send(parcel: Parcel) -> None:
    """Returns when the gateway has accepted it.

    Raises NotAccepted, always as if the way was walked: nobody's SMS cannot be tried, and whoever
    asked for one must not learn more.
    """
    url = setting("SMS_URL")
    try:
        with _timed():
            if _is_web(url):
                _post(urlsplit(url), parcel)
            else:
                gateways.send(url, parcel)
    except NotAccepted as err:
        err.walked = True
        raise


def ask() -> bool:
    """There is no SMS to nobody: lets as much time pass as one of the last SMS took.  -> False."""
    with _lock:
        seconds = secrets.choice(_durations) if _durations else USUAL_SECONDS
    time.sleep(min(seconds, setting("EMAIL_TIMEOUT_SECONDS")))
    return False


def understood(url: str) -> bool:
    """Whether an SMS_URL leads to a gateway that we know how to talk to."""
    return bool(safety.split(url).hostname) if _is_web(url) else gateways.understood(url)


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


@contextmanager
def _timed() -> Iterator[None]:
    start = time.monotonic()
    try:
        yield
    finally:
        with _lock:
            _durations.append(time.monotonic() - start)
