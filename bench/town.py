"""A town of invented people for benchmarks, put into an empty, migrated database in one go."""

from sqlalchemy import update

from bench import bulk, chronicle, letters, lives
from bench.bulk import Write
from bench.townsfolk import BEGIN
from portal.accounts.models import (
    KnownDevice,
    PastPassword,
    Person,
    SearchTerm,
    Session,
    SessionSecret,
)
from portal.codes.models import Challenge, Otp
from portal.core.audit import ChainHead, Event
from portal.core.db import transaction
from portal.core.tally import Tally
from portal.core.throttle import Throttle
from portal.delivery.models import Outgoing
from portal.profile.models import Profile

NO_PASSWORD = "nobody signs in"  # noqa: S105 - no hash: no password fits


def fill(people: int, events: int, password_hash: str = NO_PASSWORD) -> None:
    """So many people and what hangs on them; whoever is there already stays."""
    ids = range(BEGIN, BEGIN + people)
    with bulk.loading() as write:
        _settle(write, ids, password_hash)
        write(Outgoing, letters.messages(ids))
        write(Challenge, letters.wishes(ids))
        write(Otp, letters.codes(ids))
        write(Event, chronicle.happened(ids, events))
        write(Tally, chronicle.sums(events))
    with transaction() as session:
        session.execute(update(ChainHead).values(place=BEGIN + events))


def _settle(write: Write, ids: range, password_hash: str) -> None:
    write(Person, lives.people(ids, password_hash))
    write(SearchTerm, lives.terms(ids))
    write(Profile, lives.profiles(ids))
    write(PastPassword, lives.past_passwords(ids, password_hash))
    write(Session, lives.sign_ins(ids))
    write(SessionSecret, lives.secrets(ids))
    write(KnownDevice, lives.known_devices(ids))
    write(Throttle, lives.throttles(ids))
