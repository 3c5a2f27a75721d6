"""psycopg (PEP 249), told to do less where that is most of what a small statement costs."""

from collections.abc import Generator
from typing import Any, TypeVar

from psycopg import Connection, Cursor
from psycopg.pq import PipelineStatus
from psycopg.waiting import Ready, Wait

Made = TypeVar("Made")
UNSAID = (None,) * 5  # of a column's seven facts; nobody here asks for these
AT_ONCE = 4  # times: a statement is prepared, sent, and flushed


class LeanCursor(Cursor[Any]):
    """Asked for each answer, and read but once for each kind of question."""

    @property
    def description(self) -> Any:
        """Name and type of each column; None where the answer has no rows to give."""
        if (answer := self.pgresult) is None or not answer.nfields:
            return None
        columns = range(answer.nfields)
        return [((answer.fname(at) or b"").decode(), answer.ftype(at), *UNSAID) for at in columns]


class PromptConnection(Connection[Any]):
    """In a pipeline, says what it has to say without a look whether that can be sent.

    Each look lets other threads go first, and those may take their time while this transaction
    keeps others waiting.  What the socket does not take libpq keeps, and sends with what follows:
    not for bulk, and only where a pipeline ends by being left, not by the driver's own commit().
    """

    def wait(self, gen: Generator[Wait, Any, Made], *args: Any, **named: Any) -> Made:
        """What the driver's generator comes to; whenever it has to read, it waits."""
        if self.pgconn.pipeline_status == PipelineStatus.OFF:
            return super().wait(gen, *args, **named)
        try:
            state = next(gen)
            for _each in range(AT_ONCE):
                if state != Wait.RW:
                    break
                state = gen.send(Ready.W)
        except StopIteration as end:
            return end.value
        return super().wait(_going_on(gen, state), *args, **named)


def _going_on(gen: Generator[Wait, Any, Made], state: Wait) -> Generator[Wait, Any, Made]:
    """The rest of it, which waits for `state`."""
    while True:
        ready = yield state
        try:
            state = gen.send(ready)
        except StopIteration as end:
            return end.value


def connect(_dialect: object, _record: object, args: Any, named: Any) -> PromptConnection:
    """A connection, as SQLAlchemy's `do_connect` asks for it."""
    return PromptConnection.connect(*args, **named, cursor_factory=LeanCursor)
