"""JSON by HTTP to a service outside."""

from __future__ import annotations

import json
import logging
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

from portal.core.settings import setting
from portal.delivery.outcomes import (
    LATER,
    REFUSED,
    SIGN_IN,
    UNREACHABLE,
    NotAccepted,
)
from portal.delivery.transports.keeping import Held, Keeper

if TYPE_CHECKING:
    import requests

ENOUGH = 64 * 1024  # bytes of an answer that are read, so that its connection can be used again
KEPT = "session"
TOO_MANY = 429
NOT_OF_THE_MESSAGE = 401, 403, 404, 405, TOO_MANY  # our key, our address of theirs, their load

# It tells of every request, and some services have a number in their addresses.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class NoAnswer(Exception):
    """The request may have arrived; no answer to it did, or none in time."""


def post(url: str, token: str, body: object) -> int:
    """-> the status of the answer; redirections are answers, too.

    Raises NotAccepted when nothing was sent, NoAnswer when perhaps it was.
    """
    from portal.delivery.transports import stages  # noqa: PLC0415 - requests, which few need

    held = _sessions.take(KEPT) or Held(stages.session(), KEPT)
    try:
        request = _request(held.connection, url, token, body)
        answer = _answered(held.connection, request)
    except BaseException:
        held.connection.close()
        raise
    _read_out(answer)
    _sessions.give_back(held)
    return answer.status_code


def insist(status: int) -> None:
    """Raises NotAccepted unless it means yes.

    An answer is as far as a message to nobody comes, whatever it says.
    """
    if 200 <= status < 300:
        return
    if 400 <= status < 500 and status not in NOT_OF_THE_MESSAGE:
        raise NotAccepted(REFUSED, str(status), walked=True, for_good=True)
    later = status == TOO_MANY or status >= 500
    why = SIGN_IN if status in (401, 403) else LATER if later else REFUSED
    raise NotAccepted(why, str(status), walked=True, fault=True)


def rest() -> None:
    """Closes this thread's connections."""
    _sessions.rest()


_sessions: Keeper[requests.Session] = Keeper(lambda session: session.close())


def _request(
    session: requests.Session, url: str, token: str, body: object
) -> requests.PreparedRequest:
    from requests import Request  # noqa: PLC0415 - as above

    headers = {"Authorization": b"Bearer " + token.encode()} if token else {}
    headers["Content-Type"] = b"application/json"
    sent = Request("POST", url, data=json.dumps(body).encode(), headers=headers)
    try:
        return session.prepare_request(sent)
    except ValueError:
        raise NotAccepted(UNREACHABLE, fault=True) from None


def _answered(session: requests.Session, request: requests.PreparedRequest) -> requests.Response:
    seconds = setting("EMAIL_TIMEOUT_SECONDS")
    try:
        return session.send(
            request, timeout=seconds, verify=_trusted(), stream=True, allow_redirects=False
        )
    except NotAccepted:
        raise
    except Exception:  # noqa: BLE001 - whatever it stumbled over, the request may have left
        raise NoAnswer from None


def _trusted() -> str | bool:
    """SSL_CERT_FILE or the system's own file of authorities, as for mail; else requests' own."""
    return ssl.get_default_verify_paths().cafile or True


def _read_out(answer: requests.Response) -> None:
    """It has been given; what follows its status matters to the connection alone."""
    with suppress(OSError):
        next(answer.iter_content(ENOUGH), b"")
    answer.close()
