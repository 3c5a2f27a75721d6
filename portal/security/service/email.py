"""Another email address: asked for here, confirmed or stopped by the links in the messages."""

from flask_babel import gettext as _

from portal.accounts import addresses, people, sending, sessions
from portal.accounts.messages import already_registered
from portal.accounts.models import Person
from portal.codes import challenges, terms
from portal.codes.models import CHANGE_EMAIL
from portal.core import audit
from portal.core.audit import By
from portal.core.db import transaction
from portal.core.errors import Rejected
from portal.delivery import outbox
from portal.security import messages

PURPOSE, FIELD = CHANGE_EMAIL, "email"
LINK = "/recover/email/{token}"


def ask(person: Person, typed: str | None, by: By) -> None:
    """Writes to both addresses; the change waits until the new one is confirmed.

    An address that is somebody's already is asked for in the same way; its owner gets a notice
    without a link.  A newer wish ends the older one.  Raises Rejected or TooSoon.
    """
    wanted = people.address(typed, FIELD)
    if people.key(wanted) == person.email_key:
        raise Rejected(FIELD, "same", _("This is your address already. Enter another one."))
    sending.spend(PURPOSE, person, people.key(wanted), None, by)
    with transaction():
        person = people.lock(person.id)
        sessions.still(by)
        own = addresses.own_key(wanted, person.id)
        wish = challenges.open_(PURPOSE, person.id, own, by.device, terms.proof(LINK))
        addresses.note(person, wanted, wish.id)
        outbox.put(messages.email_change_old, wish.id, person.id)
        _write_to(wanted, wish.id)
        audit.record("email:asked", person.id, by)


def _write_to(wanted: str, wish_id: str) -> None:
    """Not among the asker's own messages: there its kind would tell whether somebody has it."""
    holder = people.find(wanted)
    if holder is not None and addresses.is_taken(holder):
        outbox.put(already_registered, f"{wish_id}:{holder.id}", holder.id)
    else:
        outbox.put(messages.email_change_new, wish_id)
