"""Under which words the helpdesk finds a person: kept right whatever changes, and searched.

Loaded with the application, this module listens to every session: no story has to think of it.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Update, delete, insert, inspect, select
from sqlalchemy import event as events
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from portal.accounts.models import Person, SearchTerm
from portal.core.db import db

NAMED_BY = "full_name", "email_key", "username_key", "phone"
LONGEST_TERM = 255
APART = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Named:
    """What one person is found by."""

    id: int
    full_name: str
    email_key: str
    username_key: str | None
    phone: str | None


def fold(text: str) -> str:
    """What names are compared by: without case, accents and the width of spaces."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in parts if not unicodedata.combining(char))
    return " ".join(bare.split())


def terms(person: Person | Named) -> set[str]:
    """Each word of the name, the whole of it, the address, the username, and the phone number."""
    name = fold(person.full_name)
    whole = name, person.email_key, person.username_key, person.phone
    return {each[:LONGEST_TERM] for each in (*APART.split(name), *whole) if each}


@events.listens_for(db.session, "after_flush")
def _follow_objects(session: Session, _flush: UOWTransaction) -> None:
    """Whoever is new or named otherwise since this flush, in the same transaction."""
    for each in (*session.new, *session.dirty):
        if isinstance(each, Person) and (each in session.new or _is_renamed(each)):
            _write(session.connection(), [Named(*_columns(each))])


@events.listens_for(db.session, "do_orm_execute")
def _follow_statement(state: ORMExecuteState) -> Any:
    """The same for a statement that names several people otherwise, or one unseen."""
    if not _renames(state):
        return None
    mine = select(Person.id).where(*_where(state)).order_by(Person.id).with_for_update()
    ids = state.session.connection().scalars(mine).all()
    result = state.invoke_statement()
    afterwards = select(Person.id, *_attributes()).where(Person.id.in_(ids))
    connection = state.session.connection()
    _write(connection, [Named(*row) for row in connection.execute(afterwards)])
    return result


def _is_renamed(person: Person) -> bool:
    attributes = inspect(person).attrs
    return any(attributes[name].history.has_changes() for name in NAMED_BY)


def _renames(state: ORMExecuteState) -> bool:
    mapper = state.bind_mapper
    if not state.is_update or mapper is None or mapper.class_ is not Person:
        return False
    return not set(NAMED_BY).isdisjoint(_set(state))


def _set(state: ORMExecuteState) -> Iterable[str]:
    """The columns that the statement sets: each gives its value its own name."""
    return cast(Update, state.statement).compile().params


def _where(state: ORMExecuteState) -> list[ColumnElement[bool]]:
    which = cast(Update, state.statement).whereclause
    return [] if which is None else [which]


def _columns(person: Person) -> tuple[Any, ...]:
    return (person.id, *(getattr(person, name) for name in NAMED_BY))


def _attributes() -> list[Any]:
    return [getattr(Person, name) for name in NAMED_BY]


def _write(connection: Connection, people: Iterable[Named]) -> None:
    for each in people:
        connection.execute(delete(SearchTerm).where(SearchTerm.person_id == each.id))
        rows = [{"person_id": each.id, "term": term} for term in sorted(terms(each))]
        connection.execute(insert(SearchTerm), rows)
