"""Messages for developers, printed instead of sent."""

import sys

from portal.delivery.parcels import Parcel


def send(parcel: Parcel) -> None:
    """Prints it, codes and all; refused in production."""
    head = f"--- {parcel.channel} to {parcel.to}"
    subject = f"\n{parcel.subject}\n" if parcel.subject else ""
    sys.stdout.write(f"{head}\n{subject}\n{parcel.text.rstrip()}\n---\n")
    sys.stdout.flush()
