"""What a person may have to wait for: messages sent, wrong codes, wrong passwords."""

from collections.abc import Iterator

from portal.accounts import devices, names, phones, sending
from portal.accounts.models import Person
from portal.codes import challenges, guesses
from portal.codes.models import STEP_UP
from portal.core import throttle
from portal.core.throttle import Throttle


def subjects(person: Person) -> list[str]:
    """Under which names messages, wrong codes and wrong passwords of this person are counted."""
    return [*_own(person), *devices.subjects(person)]


def running(person: Person) -> list[Throttle]:
    """Those of these counts that have begun and not ended; not all of them are used up."""
    return [each for each in throttle.running(subjects(person)) if each.count > 0]


def _own(person: Person) -> Iterator[str]:
    numbers = [each for each in (person.phone, person.phone_wanted) if each]
    called = [names.key(person.username)] if person.username else []
    for key in [person.email_key, *called, *map(phones.key, numbers)]:
        yield sending.subject(key)
        yield guesses.subject(challenges.typed_hash(key))
    yield guesses.subject(challenges.typed_hash(guesses.own_key(STEP_UP, person.id)))
    for number in numbers:
        yield guesses.subject(challenges.typed_hash(phones.own_key(number, person.id)))
