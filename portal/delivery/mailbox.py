"""The mailbox of a try-out: messages are kept and shown instead of sent."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from portal.core import clock, columns
from portal.core.db import db, transaction
from portal.delivery.models import Caught
from portal.delivery.parcels import Parcel

KEPT = 500


def catch(parcel: Parcel) -> None:
    """Keeps a message as if a server had accepted it."""
    with transaction() as session:
        session.add(
            Caught(
                to=parcel.to,
                channel=parcel.channel,
                subject=parcel.subject,
                text=parcel.text,
                html=parcel.html,
                sent_at=clock.now(),
            )
        )
        oldest = (
            select(Caught.id).order_by(Caught.id.desc()).offset(KEPT).limit(1).scalar_subquery()
        )
        session.execute(delete(Caught).where(Caught.id <= oldest))


def newest() -> Sequence[Caught]:
    """What was caught, newest first."""
    return db.session.scalars(select(Caught).order_by(Caught.id.desc()).limit(KEPT)).all()


def get(caught_id: int) -> Caught | None:
    """One caught message."""
    return db.session.get(Caught, columns.within(caught_id))
