"""Who asks, for a request that only looks: one question past the ORM, with what it is to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, select

from portal.accounts.models import Person, Session, SessionSecret
from portal.core.looks import Look, kind

if TYPE_CHECKING:
    from portal.core.db import Model


@dataclass(frozen=True, eq=False)
class Along:
    """What is read with the person, under this name: a row of `model`, or `empty` without one."""

    name: str
    model: type[Model]
    of_person: ColumnElement[bool]
    empty: Mapping[str, Any]


def by_secret(values: Mapping[str, str], also: Along) -> Session | None:
    """The sign-in to which there is a key of this `digest`.  Nothing can be changed by it."""
    return _seen(_by_secret(also), also, values)


def by_sid(values: Mapping[str, UUID], also: Along) -> Session | None:
    """The sign-in of this `sid`.  Nothing can be changed by it."""
    return _seen(_by_sid(also), also, values)


@cache
def _by_secret(also: Along) -> Look:
    mine = SessionSecret.session_id == Session.id
    asked = select(Session.id).join(SessionSecret, mine)
    return _look(asked.where(SessionSecret.digest == bindparam("digest")), also)


@cache
def _by_sid(also: Along) -> Look:
    return _look(select(Session.id).where(Session.sid == bindparam("sid")), also)


def _look(asked: Select[Any], also: Along) -> Look:
    whole = asked.join(Person, Person.id == Session.person_id)
    return Look((Session, Person, also.model), whole.outerjoin(also.model, also.of_person))


def _seen(look: Look, also: Along, values: Mapping[str, object]) -> Session | None:
    found = look.first(values)
    if found is None:
        return None
    session, person, more = (each or {} for each in found)
    told = {also.name: kind(also.model)(more or also.empty)}
    whole = {"person": kind(Person)(person | told)}
    return cast(Session, kind(Session)(session | whole))
