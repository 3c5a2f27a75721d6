"""Code and link of one copy of a message: made, kept, and given their time.

Steps inside the caller's transaction.  None but `write` asks anything, so that they can be sent
without a wait.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, case, func, update

from portal.codes import otp
from portal.codes.models import Challenge
from portal.core import clock, crypto
from portal.core.db import UtcDateTime, db
from portal.core.rows import unheard
from portal.core.settings import hand_over_seconds, setting
from portal.core.worded import Worded


@dataclass(frozen=True)
class Copy:
    """Code and link ("": none) for one message about this wish, and what is kept of the link.

    `keep` must be called before the transaction ends in which it was written.
    """

    challenge: Challenge
    drawn: otp.Drawn
    link: str
    link_hash: str | None

    @property
    def code(self) -> str:
        """Six digits."""
        return self.drawn.code

    def keep(self) -> None:
        """From now on they are good: longer than they say, until their clocks start."""
        spare = hand_over_seconds()
        until = clock.after(self.challenge.link_seconds + spare) if self.link else None
        otp.seal(self.drawn)
        self._say(_KEEP, row=self.drawn.id, until=until)

    def walked(self, now: datetime) -> None:
        """The message came as far as one to nobody can come: the public clock starts.

        Once: what becomes of it afterwards is not for the browser that asked, perhaps a stranger's.
        """
        self._say(_WALKED, code_until=self._code_until(now))

    def accepted(self, now: datetime) -> None:
        """The message was taken: all clocks start, the public one if it did not yet."""
        self._accepted(now, None)

    def counted(self, now: datetime) -> None:
        """The same, remembered as the moment when a copy was taken first."""
        self._accepted(now, now)

    def refused(self) -> None:
        """The message was not taken: code and link die."""
        otp.end(self.drawn.id)
        self._say(_DIE)

    def _accepted(self, now: datetime, at: datetime | None) -> None:
        otp.start_clock(self.drawn.id, self.challenge.code_seconds, now)
        until = now + timedelta(seconds=self.challenge.link_seconds)
        self._say(_ACCEPTED, code_until=self._code_until(now), until=until, at=at)

    def _code_until(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.challenge.code_seconds)

    def _say(self, statement: Worded, **values: object) -> None:
        this = {"wish": self.challenge.id, "link": self.link_hash}
        unheard(db.session(), statement, this | values)


def write(challenge: Challenge) -> Copy:
    """Makes code and link for one message; the last thing that is asked of the database for it."""
    drawn = otp.draw(challenge, challenge.channel, hand_over_seconds())
    if not challenge.link_path:
        return Copy(challenge, drawn, "", None)
    token = crypto.new_token()
    link = setting("PUBLIC_URL") + challenge.link_path.format(token=token)
    return Copy(challenge, drawn, link, crypto.digest(token))


def _first(column: str, value: str) -> dict[str, object]:
    """Written once: what is there stays."""
    return {column: func.coalesce(TABLE.c[column], bindparam(value, type_=UtcDateTime()))}


# Run for each message, so put together once.
TABLE = cast(Table, Challenge.__table__)
_OWN_LINK = Challenge.link_hash == bindparam("link")
_UNTIL = bindparam("until", type_=UtcDateTime())
_THIS = update(TABLE).where(Challenge.id == bindparam("wish"))
_KEEP = Worded(
    _THIS.values(otp_id=bindparam("row"), link_hash=bindparam("link"), link_until=_UNTIL)
)
_DIE = Worded(_THIS.where(_OWN_LINK).values(link_hash=None))
_WAITING = _THIS.where(Challenge.code_until.is_(None))
_WALKED = Worded(_WAITING.values(code_until=bindparam("code_until")))
_LINK_UNTIL = {"link_until": case((_OWN_LINK, _UNTIL), else_=Challenge.link_until)}
_ACCEPTED = Worded(
    _THIS.values(_LINK_UNTIL | _first("code_until", "code_until") | _first("accepted_at", "at"))
)
