"""What somebody typed to get an account: the steps that signing up shares, whatever the door."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts import names, passwords, people, proof, roles, sending, sessions, usernames
from portal.accounts.models import Person
from portal.core import clock, throttle
from portal.core.audit import By
from portal.core.errors import Gather, Rejected
from portal.core.settings import setting
from portal.core.throttle import Limit

HOUR = 3600


@dataclass(frozen=True)
class Wish:
    """What somebody typed to get an account; None where the door does not ask for it.

    `role` is one that people may choose; "": the usual one.
    """

    full_name: str | None
    email: str | None
    password: str | None
    again: str | None = None
    username: str | None = None
    role: str = ""


@dataclass(frozen=True)
class Accepted:
    """The same, once every rule has been kept."""

    full_name: str
    email: str
    password: str
    username: str | None
    role: str


def accepted(wish: Wish) -> Accepted:
    """The rules that ask nobody.  Raises Several, Rejected."""
    _check_role(wish.role)
    with Gather() as take:
        full_name = "" if wish.full_name is None else take(names.full_name, wish.full_name)
        email = take(people.address, wish.email)
        username = take(names.username, wish.username)
        password = take(passwords.acceptable, wish.password)
        take(passwords.repeated, wish.password, wish.again)
    passwords.not_personal(password, passwords.own_words(full_name, email, username))
    return Accepted(full_name, email, password, username, wish.role or roles.chosen())


def _check_role(typed: str) -> None:
    """Whatever the door: nobody makes oneself somebody who helps others.  Raises Rejected."""
    if typed and not roles.is_offered(typed):
        offered = ", ".join(setting("SIGN_UP_ROLES"))
        words = _("Nobody can choose this role. Use %(all)s.", all=offered)
        raise Rejected("role", "not-offered", words)


def spend(wish: Accepted, by: By) -> None:
    """Takes the turn of a sign-up and of its message.  Raises TooSoon, Rejected.

    A username that is taken costs no message.  Nobody has it as long as nobody answers for the
    address: otherwise whoever begins once more would be told that the name is somebody's.
    """
    times = setting("SIGN_UPS_PER_NETWORK_HOUR")
    throttle.spend([Limit("sign-ups", f"network {by.network}", times, HOUR)])
    key = names.username_key(wish.username)
    holder = usernames.holder(key)
    if holder and (holder.email_proven_at or holder.is_shut):
        raise usernames.taken()
    sending.spend(proof.PURPOSE, people.find(wish.email), people.key(wish.email), None, by)
    usernames.free(key)


def open_(wish: Accepted, password_hash: str) -> Person:
    """Whoever has the address, or somebody new; locked.  A step of a transaction."""
    found = people.find(wish.email)
    if found is None:
        found = people.add(wish.email, wish.full_name, wish.role, password_hash)
    return people.lock(found.id)


def is_somebodys(person: Person) -> bool:
    """Whether the address was proven, or is kept out: no sign-up changes anything of it."""
    return bool(person.email_proven_at or person.is_shut)


def start_anew(person: Person, wish: Accepted, password_hash: str) -> None:
    """The newest sign-up with an address that nobody answers for yet takes the place of the others.

    Whatever was done with the address before is gone.  Raises Rejected for a username that somebody
    else was quicker with.
    """
    sessions.end_all(person.id)
    people.disown(person)
    person.full_name, person.password_hash = wish.full_name, password_hash
    person.password_changed_at = clock.now()
    if not roles.is_staff(person):
        person.role = wish.role
    usernames.give(person, wish.username, names.username_key(wish.username))
