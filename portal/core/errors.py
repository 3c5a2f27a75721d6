"""Facts that stop a story.  No HTTP here: `core.refusals` and `core.forms` give them a status."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar, cast

T = TypeVar("T")


class PortalError(Exception):
    """A rule of the portal said no; `code` names the reason where there are several."""

    code = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class Rejected(PortalError):
    """What was typed is not acceptable: `field` says where to show it, `code` names the reason."""

    def __init__(self, field: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.field, self.code = field, code


class TooLong(Rejected):
    """A text of `length` code points, more than are taken."""

    def __init__(self, field: str, message: str, length: int) -> None:
        super().__init__(field, "long", message)
        self.length = length


class TooLarge(Rejected):
    """A file or body of more bytes than are taken."""


class WrongKind(Rejected):
    """A file that is not of the kinds that are taken."""


class TooSoon(PortalError):
    """A limit is used up; it may be tried again at `retry_at`."""

    def __init__(self, retry_at: datetime, message: str = "") -> None:
        super().__init__(message)
        self.retry_at = retry_at


class KeptOut(TooSoon):
    """Too many wrong passwords from here: signing in waits, choosing a new password does not."""


class Overloaded(TooSoon):
    """Others ask for the same costly thing; nothing was looked at, and no turn is used up."""


class NotKept(TooSoon):
    """A file cannot be kept now, because where files are kept is away: nothing was changed."""

    def __init__(self, field: str, retry_at: datetime, message: str) -> None:
        super().__init__(retry_at, message)
        self.field = field


class NotAllowed(PortalError):
    """Who asks may not do this, or not to this person: for them it is not there."""


class Forbidden(NotAllowed):
    """The same, told to somebody who may know that it is there: staff without this right."""


class SecondStepNeeded(PortalError):
    """The password is right, and the account asks for a second factor that was not given."""

    code = "second-step"


class CodeNeeded(PortalError):
    """What was asked for takes a code as well; it has just been sent, and `flow` waits for it."""

    code = "code-needed"

    def __init__(self, flow: str, message: str = "") -> None:
        super().__init__(message)
        self.flow = flow


class Vanished(PortalError):
    """A row that was there a moment ago is not any more: the same again finds another state."""


class NotProven(PortalError):
    """The password is right, the address is not proven yet; `flow` proves it."""

    code = "unproven"

    def __init__(self, flow: str, message: str = "") -> None:
        super().__init__(message)
        self.flow = flow


class Unauthenticated(PortalError):
    """A program did not show who it acts for, or may not do this for that person.

    `code`: no-token, scheme, invalid, expired, ended, blocked; unproven where the address is.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Unreadable(PortalError):
    """What was sent is not well-formed, or could be understood in two ways."""


class NothingAsked(PortalError):
    """No code was asked for by this address: there is none that could be right."""

    code = "not-asked"


class LinkDead(PortalError):
    """A link that no longer works: the message says why, `start` names the story to begin again.

    `code`: used, replaced, expired, or unknown.
    """

    def __init__(self, start: str, message: str, code: str = "unknown") -> None:
        super().__init__(message)
        self.start, self.code = start, code


class NoFlow(PortalError):
    """The step before this one is missing or ran out."""


class Several(PortalError):
    """More than one thing that was typed is not acceptable."""

    def __init__(self, found: list[Rejected]) -> None:
        super().__init__()
        self.all = found


class Gather:
    """Applies rules one after the other and raises all that they refused at the end of its block.

    with Gather() as take:
        name = take(names.full_name, typed_name)
        email = take(people.address, typed_email)

    """

    def __init__(self) -> None:
        self.found: list[Rejected] = []

    def __enter__(self) -> "Gather":
        return self

    def __call__(self, rule: Callable[..., T], *typed: object) -> T:
        """What the rule makes of it.  After a refusal the value is never used: the block raises."""
        try:
            return rule(*typed)
        except Rejected as refused:
            self.found.append(refused)
            return cast(T, None)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.found and kind is None:
            raise Several(self.found)
