"""Taking out what colleagues did."""

from portal.accounts import roles, sessions
from portal.accounts.models import Person
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction

EXPORTED = "log:exported"


def exported(actor: Person, what: str, by: By) -> None:
    """A colleague takes out those lines that `what` names.  Raises Forbidden or NotAllowed."""
    roles.check(actor, "log:export")
    with transaction():
        sessions.still(by)
        audit.record(EXPORTED, None, by, detail=what)
