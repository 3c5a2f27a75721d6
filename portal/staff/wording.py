"""What accounts are called in lists that outlive them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Row, select

from portal.accounts.models import Person
from portal.core.db import db


@dataclass(frozen=True)
class Account:
    """Somebody, by name as long as the account is there; `uuid` None: it is gone.

    `address` beside a name: anybody can choose that of a colleague.
    """

    id: int
    name: str
    uuid: UUID | None
    address: str = ""

    @property
    def key(self) -> str:
        """What they are chosen by in filters."""
        return str(self.uuid or self.id)


Accounts = Mapping[int, Account]


def accounts(ids: Iterable[int | None]) -> Accounts:
    """Those of these ids, asked for in one go; nobody for None and 0."""
    wanted = {each for each in ids if each}
    if not wanted:
        return {}
    columns = Person.id, Person.full_name, Person.email, Person.uuid
    rows = db.session.execute(select(*columns).where(Person.id.in_(wanted)))
    found = {row.id: _there(row) for row in rows}
    return {each: found.get(each) or _gone(each) for each in wanted}


def _there(row: Row[int, str, str, UUID]) -> Account:
    name = row.full_name or row.email
    return Account(row.id, name, row.uuid, row.email if row.full_name else "")


def _gone(person_id: int) -> Account:
    return Account(person_id, _("account %(number)s (deleted)", number=person_id), None)
