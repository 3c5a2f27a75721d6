"""Which transport a channel takes, by the settings in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from portal.core.settings import Refused, setting
from portal.delivery import mailbox
from portal.delivery.outcomes import BROKEN, UNREACHABLE, NotAccepted
from portal.delivery.parcels import EMAIL, Parcel
from portal.delivery.transports import console, posting, sendgrid, sms, smtp

if TYPE_CHECKING:
    from flask import Flask

Answer = TypeVar("Answer")
Walked = Callable[[], None]


@dataclass(frozen=True)
class Transport:
    """`send` returns once a message is accepted, `ask` walks the same way without one."""

    send: Callable[[Parcel, Walked], None]
    ask: Callable[[], bool]


GATEWAY = Transport(sms.send, sms.ask)
BACKENDS = {
    "smtp": Transport(smtp.send, smtp.ask),
    "sendgrid": Transport(lambda parcel, walked: sendgrid.send(parcel), sendgrid.ask),
    "mailbox": Transport(lambda parcel, walked: mailbox.catch(parcel), lambda: True),
    "console": Transport(lambda parcel, walked: console.send(parcel), lambda: True),
}


def init_app(app: Flask) -> None:
    """Raises Refused when SMS_URL names a gateway that nobody knows."""
    with app.app_context():
        if setting("SMS_URL") and not sms.understood(setting("SMS_URL")):
            cure = "Give an Apprise URL like twilio://..., or https://TOKEN@host/path."
            raise Refused(f"SMS_URL: is no gateway that is known. {cure}")


def send(parcel: Parcel, walked: Walked = lambda: None) -> None:
    """Returns when the transport has accepted the message.  Raises NotAccepted, nothing else.

    `walked` is called as soon as a message to nobody would have come as far, if that is not the
    whole way.
    """
    _through(parcel.channel, lambda transport: transport.send(parcel, walked))


def ask(channel: str) -> bool:
    """For a message to nobody: walks the same way as far as it needs no recipient.

    True when somebody was asked and said yes; False when the transport cannot be asked.  Raises
    NotAccepted, nothing else.
    """
    return _through(channel, lambda transport: transport.ask())


def rest() -> None:
    """Closes what this thread keeps open; whoever has nothing to do calls it."""
    smtp.rest()
    posting.rest()


def offers(channel: str) -> bool:
    """Whether messages of this channel can be sent at all with these settings."""
    return _transport(channel) is not None


def _transport(channel: str) -> Transport | None:
    backend = setting("EMAIL_BACKEND")
    if channel == EMAIL or backend == "mailbox":
        return BACKENDS[backend]
    if setting("SMS_URL"):
        return GATEWAY
    return BACKENDS["console"] if backend == "console" else None


def _through(channel: str, work: Callable[[Transport], Answer]) -> Answer:
    transport = _transport(channel)
    if transport is None:
        raise NotAccepted(UNREACHABLE, fault=True, walked=True)
    try:
        return work(transport)
    except NotAccepted:
        raise
    except Exception as err:  # noqa: BLE001 - a message that cannot be handed over waits, like any
        raise NotAccepted(BROKEN, type(err).__name__) from None
