"""What the portal wrote to somebody, for that person."""

from portal.accounts.models import Person
from portal.security import sent
from portal.security.sent import Messages

MOST = 50  # on one page


def messages(person: Person, page: int) -> Messages:
    """The person's own messages, newest first; neither address nor code is among what is told."""
    return sent.to_person(person, page, MOST)
