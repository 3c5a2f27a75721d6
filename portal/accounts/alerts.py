"""Telling people that somebody tries to be them: steps inside the caller's transaction."""

from portal.accounts import messages, sending
from portal.accounts.models import Person
from portal.core import throttle
from portal.core.audit import Recorded
from portal.core.settings import setting
from portal.core.throttle import Limit
from portal.delivery import outbox

DAY = 86_400


def wrong_password(person: Person | None, key: str, event: Recorded) -> None:
    """One more wrong password for the address of this key; `event` is its refusal.

    The one that makes the limit full writes to the owner, once a day at most.  All networks and
    devices count together, so that guessing from many places is noticed too.  For an address that
    nobody has the same is done, down to a message that goes to nobody.
    """
    account = sending.subject(person.email_key if person else key)
    most = setting("WRONG_PASSWORDS_PER_ACCOUNT")
    if throttle.takes_last(Limit("wrong passwords in day", account, most, DAY)):
        outbox.put(messages.many_wrong_passwords, event, person.id if person else None)
