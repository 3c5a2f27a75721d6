"""Which lines of the log are wanted, as it stands in the address of the page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext as _

from portal.accounts import people

OPENED, EXPORTED = "desk:opened", "log:exported"
BY_DESK = (  # kinds of what colleagues and the operator do
    "recovery:sent-by-support", "proof:sent-by-support", "account:signed-out", "account:blocked",
    "account:unblocked", "account:throttles-cleared", "two-step:cleared", "account:role-changed",
    "account:deleted", "account:restored", "staff:invited", "staff:invitation-withdrawn",
    OPENED, EXPORTED,
)  # fmt: skip
NAMES = "by", "person", "kind", "since", "until", "opened"
LONGEST, NOBODY = 80, -1
OPERATOR, HIDDEN = "operator", "no"
DAY, NUMBER = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), re.compile(r"\d{1,18}", re.ASCII)
KEY = re.compile(r"[0-9a-f-]{36}|\d{1,18}|operator", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Chosen:
    """As it was typed: by whom and about whom (uuid or number of an account), kind, first and last
    day.  `opened` "no": without pages that were opened.  What makes no sense finds nothing."""

    by: str = ""
    person: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""
    opened_: str = ""

    @property
    def opened(self) -> bool:
        """Whether pages that were opened are shown too."""
        return self.opened_ != HIDDEN

    @cached_property
    def actor_id(self) -> int | None:
        """The colleague's; None: the operator's."""
        return None if self.by == OPERATOR else _id(self.by)

    @cached_property
    def person_id(self) -> int:
        """Of whom it was done to."""
        return _id(self.person)

    @property
    def first(self) -> datetime | None:
        """The moment at which the first day begins."""
        day = _day(self.since)
        return datetime.combine(day, time.min, UTC) if day else None

    @property
    def last(self) -> datetime | None:
        """The moment at which the last day ends."""
        day = _day(self.until)
        return datetime.combine(day, time.max, UTC) if day else None

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(id of the field, words) of each day that is none."""
        words = _("Enter a day like 2026-11-21")
        typed = {"since": self.since, "until": self.until}
        return [(name, words) for name, text in typed.items() if text and not _day(text)]

    @property
    def values(self) -> dict[str, str]:
        """All that is chosen, by the names in the address."""
        told = self.by, self.person, self.kind, self.since, self.until, self.opened_
        return {name: value for name, value in zip(NAMES, told, strict=True) if value}

    def query(self, **other: object) -> str:
        """The same as a query, with something chosen otherwise; None: not chosen."""
        both = self.values | other
        return urlencode({name: value for name, value in both.items() if value is not None})

    @property
    def told(self) -> str:
        """The same in one line, to be kept; nothing in it that was merely typed."""
        keys = all(KEY.fullmatch(each) for each in (self.by, self.person) if each)
        if self.problems or not keys or self.kind not in ("", *BY_DESK):
            return "nothing"
        known = " ".join(f"{name}={value}" for name, value in self.values.items())
        return known or "everything"


def read(values: Mapping[str, str]) -> Chosen:
    """What the address of a page chooses."""
    by, person, kind, since, until, opened = (
        values.get(name, "").strip()[:LONGEST] for name in NAMES
    )
    return Chosen(by, person, kind, since, until, HIDDEN if opened == HIDDEN else "")


def _id(key: str) -> int:
    if NUMBER.fullmatch(key):
        return int(key)
    try:
        found = people.of_uuid(UUID(key)) if KEY.fullmatch(key) else None
    except ValueError:
        return NOBODY
    return found.id if found else NOBODY


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None
