"""Writing a message down as mail (RFC 5322, 2046)."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from portal.core import clock
from portal.delivery.outcomes import BROKEN, NotAccepted
from portal.delivery.parcels import Parcel
from portal.delivery.transports.identity import message_id, sender

READABLE = "quoted-printable"  # as it stands on the wire, also where base64 would be shorter


def written(parcel: Parcel) -> bytes:
    """The message as it crosses the wire.  Raises NotAccepted."""
    try:
        return bytes(_message(parcel))
    except Exception as err:  # noqa: BLE001 - the email package raises what its parser stumbles over
        why = type(err).__name__
        raise NotAccepted(BROKEN, why, walked=True, for_good=True) from None


def _message(parcel: Parcel) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = parcel.subject
    mail["From"] = sender()
    mail["To"] = Address(addr_spec=parcel.to)
    mail["Date"] = format_datetime(clock.now(), usegmt=True)
    mail["Message-ID"] = message_id(parcel)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    mail.set_content(parcel.text, cte=READABLE)
    if parcel.html is not None:
        mail.add_alternative(parcel.html, subtype="html", cte=READABLE)
    return mail
