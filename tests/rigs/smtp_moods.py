"""What the mail server of the tests can be told to do instead of its duty."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

At = Literal["CONNECT", "EHLO", "AUTH", "NOOP", "MAIL", "RCPT", "DATA", "RSET"]
REFUSAL = "550 5.1.1 No such person"
GREYLISTED = "451 4.7.1 Greylisted, try again later"


class HangUp(asyncio.CancelledError):
    """Ends the conversation without an answer; aiosmtpd closes the line when it is cancelled."""


@dataclass(frozen=True)
class _Mood:
    reply: str | None = None
    seconds: float = 0
    lasting: bool = False
    drops: bool = False
    keeps: bool = False


@dataclass
class _Greylist:
    tries: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def refuses(self, address: str) -> bool:
        self.seen[address] += 1
        return self.seen[address] <= self.tries


class Moods:
    """Orders, per step of the conversation; each holds for so many times, or until `clear()`."""

    def __init__(self) -> None:
        self._moods: dict[str, list[_Mood]] = {}
        self._greylist = _Greylist()

    def refuse(self, reply: str = REFUSAL, at: At = "RCPT", times: int = -1) -> None:
        """Answers like this at that step; `times` -1 means until `clear()`.

        A 4xx reply ("451 4.3.0 Try again later") is a failure for now, a 5xx one for good.
        """
        self._moods[at] = [_Mood(reply)] * times if times > 0 else [_Mood(reply, lasting=True)]

    def hang(self, seconds: float, at: At = "DATA", times: int = 1) -> None:
        """Answers as usual, so many seconds late."""
        self._moods[at] = [_Mood(seconds=seconds)] * times

    def drop(self, at: At = "DATA", times: int = 1, *, keep: bool = False) -> None:
        """Closes the line instead of answering; at DATA, `keep` takes the message all the same."""
        self._moods[at] = [_Mood(drops=True, keeps=keep)] * times

    def greylist(self, tries: int = 1) -> None:
        """Refuses each recipient for now, so many times."""
        self._greylist = _Greylist(tries)

    def clear(self) -> None:
        """Does its duty again."""
        self._moods.clear()
        self._greylist = _Greylist()

    async def mood(self, at: At) -> str | None:
        """-> the reply ordered for this step.  Raises HangUp when the line is to be dropped."""
        waiting = self._moods.get(at)
        if not waiting:
            return None
        mood = waiting[0] if waiting[0].lasting else waiting.pop(0)
        await asyncio.sleep(mood.seconds)
        if mood.drops:
            raise HangUp
        return mood.reply

    def keeps_next(self) -> bool:
        """Whether the next message is taken although its line is dropped."""
        waiting = self._moods.get("DATA")
        return bool(waiting and waiting[0].keeps)

    def greylisted(self, address: str) -> str | None:
        """-> the reply to a recipient who has not tried often enough."""
        return GREYLISTED if self._greylist.refuses(address) else None
