"""Cursors of psycopg (PEP 249) that describe an answer's columns for a tenth of the price."""

from typing import Any

from psycopg import Cursor

UNSAID = (None,) * 5  # of a column's seven facts; nobody here asks for these


class LeanCursor(Cursor[Any]):
    """Asked for each answer, and read but once for each kind of question."""

    @property
    def description(self) -> Any:
        """Name and type of each column; None where the answer has no rows to give."""
        if (answer := self.pgresult) is None or not answer.nfields:
            return None
        columns = range(answer.nfields)
        return [((answer.fname(at) or b"").decode(), answer.ftype(at), *UNSAID) for at in columns]
