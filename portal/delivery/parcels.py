"""What is handed over: one message, addressed and written."""

from dataclasses import dataclass

EMAIL, SMS = "email", "sms"  # channels


@dataclass(frozen=True)
class Parcel:
    """A message as it leaves; `id` stays the same when it is repeated.

    An SMS has no subject and no HTML part.
    """

    id: str
    channel: str
    to: str
    subject: str
    text: str
    html: str | None
