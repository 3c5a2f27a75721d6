"""Whether the chain of events is whole; if not, which row was changed, put in or deleted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from portal.core import ledger
from portal.core.ledger import LARGEST

MOST = 20  # findings that are told
SUSPECTS = 2 * MOST  # rows that are compared with each other
MARK_LENGTH = 64
EDITED, INSERTED, MISSING, MOVED = "edited", "inserted", "missing", "moved"
UNCLEAR = "unclear"  # the row before it is not what it was: about this one nothing can be said
OLDER = "older"  # of the events from before the chain there are more or fewer than there were
HEAD, CUT = "head", "cut"  # the last link is another than the chain's; a noted one is not on it


@dataclass(frozen=True)
class Finding:
    """What is wrong at a place; `other`: the last one that is missing, or where it came from."""

    how: str
    place: int
    event_id: int | None = None
    other: int | None = None


@dataclass(frozen=True)
class Report:
    """`count` events on the chain, `older` ones from before there was one; `head`: PLACE:MARK.

    `more`: the chain was not followed to its end, or there are findings beside those that are told.
    """

    count: int
    older: int
    head: str
    findings: list[Finding]
    more: bool


@dataclass(frozen=True)
class Suspect:
    """An event that the mark before it does not lead to; `lost`: the row before it is missing."""

    event: Any
    before: str
    lost: bool

    def fits(self, place: int, before: str) -> bool:
        """Whether it stood at this place, after this mark."""
        return ledger.fits(SimpleNamespace(**{**vars(self.event), "place": place}), before)


@dataclass
class Walk:
    """How far the chain was followed, and what was odd on the way."""

    count: int = 0
    place: int = 0
    mark: str = ""
    before: str = ""  # the mark in front of `place`
    suspects: list[Suspect] = field(default_factory=list)
    gaps: list[Finding] = field(default_factory=list)

    @property
    def is_lost(self) -> bool:
        """More is wrong than can be told apart."""
        return len(self.suspects) + len(self.gaps) > SUSPECTS

    def follow(self, last: int = LARGEST) -> None:
        """Goes on, up to this place at most."""
        for event in ledger.rows(self.place if self.count else -LARGEST, last):
            self.step(event)
            if self.is_lost:
                return

    def step(self, event: Any) -> None:
        """Looks at the next row in the order of the chain."""
        self.count += 1
        lost = event.place > self.place + 1
        if lost:
            self.gaps.append(Finding(MISSING, self.place + 1, None, event.place - 1))
        before = self.before if event.place == self.place else self.mark
        good = ledger.fits(event, before)
        if not good:
            self.suspects.append(Suspect(event, before, lost))
        if good or event.place > self.place:
            self.place, self.before, self.mark = event.place, before, str(event.mark)


def verify(noted: tuple[int, str] | None = None) -> Report:
    """Follows the whole chain; `noted`: place and mark of an earlier head that has to lie on it."""
    first, count, last_id = ledger.start()
    walk = Walk(mark=first)
    walk.follow()
    head = ledger.head()
    walk.follow(last=head[0])  # what came meanwhile
    found = [] if walk.is_lost or (walk.place, walk.mark) == head else [Finding(HEAD, head[0])]
    if noted is not None and noted != (0, "") and not ledger.is_on_chain(*noted):
        found.append(Finding(CUT, noted[0]))
    found += sorted([*walk.gaps, *_explained(walk)], key=lambda each: each.place)
    stray = ledger.without_place(last_id, MOST + 1)
    found += [Finding(INSERTED, 0, event_id) for event_id in stray]
    older = ledger.older(last_id)
    found += [Finding(OLDER, 0, other=count)] if older != count else []
    more = walk.is_lost or len(found) > MOST
    told = f"{head[0]}:{head[1] if head[0] else ''}"
    return Report(walk.count, older, told, found[:MOST], more)


def _explained(walk: Walk) -> Iterator[Finding]:
    """Who of the suspects was changed; those whose neighbours were are none."""
    homes = [_home(each, walk) for each in walk.suspects]
    accused = 0  # the place of the last one that fits nowhere
    for suspect, home in zip(walk.suspects, homes, strict=True):
        event = suspect.event
        if home is not None and home != event.place:
            yield Finding(MOVED, event.place, event.id, home)
        if home is None:
            follows = suspect.lost or accused == event.place - 1 > 0
            yield Finding(_how(event, follows, event.place in homes), event.place, event.id)
            accused = event.place


def _how(event: Any, follows: bool, taken: bool) -> str:
    if taken or len(str(event.mark)) != MARK_LENGTH:
        return INSERTED
    return UNCLEAR if follows else EDITED


def _home(suspect: Suspect, walk: Walk) -> int | None:
    """The place where it stood, as its own mark proves; None when it stood nowhere as it is."""
    marks = {each.before for each in walk.suspects}
    marks |= {str(each.event.mark) for each in walk.suspects}
    empty = {place for gap in walk.gaps for place in _some(gap)}
    places = {each.event.place + step for each in walk.suspects for step in (0, 1)} | empty
    nearest = sorted(places, key=lambda place: abs(place - suspect.event.place))
    return next((p for p in nearest if any(suspect.fits(p, mark) for mark in marks)), None)


def _some(gap: Finding) -> range:
    return range(gap.place, min(gap.other or gap.place, gap.place + MOST) + 1)
