"""What happened, to whom, by whom and from where.  Ids only: rows outlive people.

Just before its transaction is kept, each event gets its place in a chain: a mark (by DATA_KEY) over
its own words and the mark before it, so that one that was edited, deleted, inserted or moved is
found.  The same moment counts it: pages of numbers read sums, never events.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC

from portal.core import clock, linking, metrics, tally
from portal.core.db import after_commit, before_commit, db, is_last, notes, transaction
from portal.core.events import BY_DESK as BY_DESK
from portal.core.events import ONLY as ONLY
from portal.core.events import TEXTS
from portal.core.events import ChainHead as ChainHead
from portal.core.events import Event as Event
from portal.core.events import words as words
from portal.core.texts import storable


@dataclass(frozen=True)
class By:
    """Who acts (None: nobody signed in, or the operator), from which network and device.

    Staff who act on others (`desk`) say how they know who called, why, and on which ticket.
    `session_id` is the sign-in that they act by, where there is one, `request` the number under
    which the server's log knows this request.
    """

    person_id: int | None = None
    network: str = ""
    device: str = ""
    reason: str = ""
    ticket: str = ""
    session_id: int | None = None
    verified_by: str = ""
    desk: bool = False
    request: str = ""
    seen: int | None = None  # the newest act on that person that whoever helps had in front of them


OPERATOR = By(network="console", device="command line", desk=True)


@dataclass(frozen=True)
class Recorded:
    """An event of the open transaction, which is written with its link of the chain."""

    event: Event

    @property
    def id(self) -> int:
        """Whoever asks has it written now, which costs a wait more: see `told`."""
        if self.event.place is None:
            db.session.add_all(_unwritten(self.event))
            db.session.flush()
        return self.event.id

    def told(self, call: Callable[[int], None]) -> None:
        """Runs `call` with its id when that is known without a wait, if need be as the last thing.

        In a savepoint at once, so that what comes of it is undone with it.
        """
        waits = any(each is self.event for each, _parts, _late in notes().get("events", []))
        if waits and linking.gives_ids_late() and not db.session().in_nested_transaction():
            notes().setdefault("told", []).append((self.event, call))
        else:
            call(self.id)


def _unwritten(event: Event) -> list[Event]:
    """It and those before it, whose ids are to stand in the same order.

    In a savepoint, it alone: the others are not to be undone with it.
    """
    if db.session().in_nested_transaction():
        return [event]
    return [each for each, _parts, late in notes()["events"] if late or each is event]


def record(
    kind: str, person_id: int | None, by: By, detail: object = "", parts: Iterable[str] = ()
) -> Recorded:
    """Kept with its cause, in the open transaction.

    Counted as one of its kind, and of each of these `parts` of it.
    """
    event = Event(
        kind=kind,
        person_id=person_id,
        actor_id=by.person_id,
        desk=by.desk,
        network=by.network,
        device=by.device,
        verified_by=by.verified_by,
        reason=by.reason,
        ticket=by.ticket,
        detail=str(detail),
        request=by.request,
        at=clock.now(),
        mark="",
    )
    _expect(event, parts)
    return Recorded(event)


def add(event: Event, parts: Iterable[str] = ()) -> None:
    """Keeps an event as it stands, chained and counted.  A step of a transaction.

    Undone with a savepoint, it is neither.  Texts are cut to what their columns hold.
    """
    db.session.add(event)
    _expect(event, parts)


def count(name: str, *parts: str) -> None:
    """Counts what is worth a number and no event.  A step of a transaction, outside savepoints."""
    notes().setdefault("counts", []).append((name, clock.now().date(), parts))
    before_commit(_settle)


def count_now(name: str, *parts: str) -> None:
    """The same in a transaction of its own: for what was refused before any began."""
    with transaction():
        count(name, *parts)


def get(event_id: int) -> Event | None:
    """The event of this id."""
    return db.session.get(Event, event_id)


def _expect(event: Event, parts: Iterable[str]) -> None:
    for name, longest in TEXTS.items():
        setattr(event, name, storable(getattr(event, name))[:longest])
    event.at = event.at.astimezone(UTC)
    session = db.session()
    if session.in_nested_transaction():
        session.add(event)  # undone with it
    late = event not in session
    notes().setdefault("events", []).append((event, tuple(parts), late))
    before_commit(_settle)


def _settle() -> None:
    """Chains and counts what this transaction did, one transaction after the other.

    Last of all: whoever has the chain's head in hands waits for sums alone.  Who only counts
    leaves it alone: sums are locked in one order, and by nobody who wants anything else then.
    """
    if not is_last():
        before_commit(_settle)
        return
    expected = notes().pop("events", [])
    added = [(event, parts) for event, parts, late in expected if late or event in db.session]
    counts = notes().pop("counts", [])
    counts += [(event.kind, event.at.date(), parts) for event, parts in added]
    if not counts:
        return
    sums = tally.rows(counts)
    if added:
        linking.link([event for event, _parts in added])
        _tell_ids([event for event, _parts in added])
    tally.put(sums)
    after_commit(lambda: _tell(counts))


def _tell_ids(linked: list[Event]) -> None:
    for event, call in notes().pop("told", []):
        if event in linked:
            call(event.id)


def _tell(counts: list[tally.Count]) -> None:
    for name, _day, parts in counts:
        if not name.endswith(tally.BY_DOMAIN):  # whoever watches need not know anybody's
            metrics.happened(name, parts)
