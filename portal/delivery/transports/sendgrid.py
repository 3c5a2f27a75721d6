"""Mail by SendGrid's Web API v3."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from portal.core.settings import setting
from portal.delivery.outcomes import DROPPED, NotAccepted
from portal.delivery.parcels import EMAIL, Parcel
from portal.delivery.transports import posting
from portal.delivery.transports.identity import message_id, sender

PLACES = {"": "/v3/mail/send", "/v3": "/mail/send"}  # a path ends so: this is put behind it
UNTRACKED = {
    name: {"enable": False} for name in ("click_tracking", "open_tracking", "subscription_tracking")
}
SANDBOX = {"mail_settings": {"sandbox_mode": {"enable": True}}}


def send(parcel: Parcel) -> None:
    """Returns when SendGrid has accepted it.  Raises NotAccepted."""
    _post(_message(parcel))


def ask() -> bool:
    """The same way in SendGrid's sandbox, with ourselves as recipient.  Raises NotAccepted."""
    text = "A message that goes nowhere."
    nobody = Parcel("nobody", EMAIL, sender().addr_spec, "Nothing", text, f"<p>{text}</p>")
    _post(_message(nobody) | SANDBOX)
    return True


def _post(message: Mapping[str, object]) -> None:
    try:
        status = posting.post(_place(), setting("SENDGRID_API_KEY"), message)
    except posting.NoAnswer:
        raise NotAccepted(DROPPED, fault=True) from None
    posting.insist(status)


def _place() -> str:
    """SENDGRID_API_URL, whose path is put in where it is none or the version alone."""
    url = urlsplit(setting("SENDGRID_API_URL"))
    path = url.path.rstrip("/")
    end = "/v3" if path.endswith("/v3") else path
    return url._replace(path=path + PLACES[end] if end in PLACES else url.path).geturl()


def _message(parcel: Parcel) -> dict[str, object]:
    """What POST /v3/mail/send takes; click tracking would put strangers' links into the mail."""
    parts = {"text/plain": parcel.text, "text/html": parcel.html}
    own = sender()
    return {
        "personalizations": [{"to": [{"email": parcel.to}]}],
        "from": {"email": own.addr_spec, "name": own.display_name},
        "subject": parcel.subject,
        "content": [{"type": kind, "value": text} for kind, text in parts.items() if text],
        "headers": {"Message-ID": message_id(parcel), "Auto-Submitted": "auto-generated"},
        "custom_args": {"parcel": parcel.id},
        "tracking_settings": UNTRACKED,
    }
