"""Judging a typed code: counted first, in statements of their own, then compared."""

import re
from datetime import datetime, timedelta

from flask_babel import gettext as _

from portal.codes import otp
from portal.codes.models import SMS, Challenge
from portal.core import audit, clock, phrases, throttle
from portal.core.crypto import CODE_DIGITS
from portal.core.errors import Rejected, TooSoon
from portal.core.settings import setting
from portal.core.throttle import Limit

MINUTES_5, HOUR, DAY = 300, 3600, 86_400
FIELD, THROTTLED = "code", "code:throttled"


def judge(challenge: Challenge, typed: str | None) -> None:
    """Returns when the code is right and still unused; consuming it is the caller's.

    Raises Rejected for a code that cannot be one (not counted), is wrong or has run out, TooSoon
    after too many. The words tell no more than the asking browser's own clock does.
    """
    try:
        _judge(challenge, typed)
    except TooSoon:
        audit.count_now(THROTTLED)
        raise


def _judge(challenge: Challenge, typed: str | None) -> None:
    code = digits(typed)
    limits = _limits(challenge)
    try:
        throttle.spend(limits)
    except TooSoon as wait:
        raise _too_many(challenge, wait.retry_at) from None
    if not otp.spend_try(challenge.otp_id):
        raise _none_left(challenge)
    if not otp.matches(challenge.otp_id, code):
        raise not_right(challenge)
    throttle.refund(limits)


def fits(challenge: Challenge, typed: str | None) -> bool:
    """Whether it is the right code, for whoever must not learn that this wish exists.

    Counted like any other, and when nothing is left it simply is not right.  Raises Rejected for
    what cannot be a code.
    """
    code = digits(typed)
    try:
        _judge(challenge, code)
    except (Rejected, TooSoon):
        return False
    return True


def give_back(challenge: Challenge) -> None:
    """The judged code was right, and something else kept it from being used: it stays good."""
    otp.give_back(challenge.otp_id)


def digits(typed: str | None) -> str:
    """The six ASCII digits of a typed code, spaces and hyphens left out.  Raises Rejected."""
    code = re.sub(r"[\s-]", "", typed or "")
    if not code:
        raise Rejected(FIELD, "empty", _("Enter the 6-digit code"))
    if not re.fullmatch("[0-9]+", code):
        raise Rejected(FIELD, "letters", _("The code has digits only"))
    if len(code) != CODE_DIGITS:
        raise Rejected(
            FIELD, "length", _("The code has 6 digits. You typed %(count)d.", count=len(code))
        )
    return code


def not_right(challenge: Challenge) -> Rejected:
    """Wrong or run out, as far as the browser that asked can know."""
    if challenge.code_until and challenge.code_until <= clock.now():
        return Rejected(FIELD, "run-out", _run_out(challenge))
    if challenge.channel == SMS:
        words = _("That code is not right. Check the newest message and try again.")
    else:
        words = _("That code is not right. Check the newest email and try again.")
    return Rejected(FIELD, "wrong", words)


def subject(typed_hash: str) -> str:
    """Whose wrong codes are counted, over all codes and purposes: the typed address's or number's.

    A count of the account's beside it would begin at another time than nobody's, and tell who has
    one; shared by address and number, it would tell whose number it is.
    """
    return f"typed {typed_hash}"


def own_key(purpose: str, user_id: int) -> str:
    """The key of what an account asks for itself: strangers who guess elsewhere do not reach it."""
    return f"{purpose} of {user_id}"


def _limits(challenge: Challenge) -> list[Limit]:
    spans = (
        ("WRONG_CODES_IN_5_MINUTES", MINUTES_5),
        ("WRONG_CODES_IN_HOUR", HOUR),
        ("WRONG_CODES_IN_DAY", DAY),
    )
    whose = subject(challenge.typed_hash)
    return [Limit(f"wrong code {span}", whose, setting(name), span) for name, span in spans]


def _none_left(challenge: Challenge) -> Rejected | TooSoon:
    """Once the time that the asking browser knows is over, only that is said.

    A code shown elsewhere since then has tries of its own, and whoever asked must not notice.
    """
    over = challenge.code_until is not None and challenge.code_until <= clock.now()
    if over or not otp.exhausted(challenge.otp_id):
        return not_right(challenge)
    return _spent(challenge)


def _spent(challenge: Challenge) -> TooSoon:
    again = challenge.opened_at + timedelta(seconds=setting("SEND_COOLDOWN_SECONDS"))
    return _too_many(challenge, max(again, clock.after(1)))


def _run_out(challenge: Challenge) -> str:
    if challenge.link_path:
        return _("That code has run out. Send a new code, or use the button in the email.")
    return _("That code has run out. Send a new code.")


def _too_many(challenge: Challenge, retry_at: datetime) -> TooSoon:
    words = _("Too many wrong codes. Use the button in the email, or start again.")
    if not challenge.link_path:
        span = phrases.duration(max(1, clock.seconds_until(retry_at)))
        words = _("Too many wrong codes. You can try again in %(span)s.", span=span)
    return TooSoon(retry_at, words)
