"""Looking at somebody's account: that is told to the person too."""

from portal.accounts import attention, roles, sessions
from portal.accounts.models import Person
from portal.core import audit, throttle
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.throttle import Limit

AGAIN_SECONDS = 900  # a page that is opened a second time in this time is looked at once


def opened(person: Person, actor: Person, by: By) -> None:
    """A colleague opened the person's page.  Raises Forbidden, NotAllowed, Unauthenticated.

    Reading is for everybody who may read, upwards as well.
    """
    roles.check(actor, "people:read")
    with transaction():
        sessions.still(by)
        once = Limit("opened", f"person {person.id} by {actor.id}", 1, AGAIN_SECONDS)
        if throttle.takes_last(once):
            audit.record(attention.OPENED, person.id, by)
