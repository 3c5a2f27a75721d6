"""JSON by HTTP to a service outside.  Sole owner of requests."""

import json
import logging
import ssl
from contextlib import suppress
from functools import cache
from http.client import HTTPResponse
from io import BufferedReader
from socket import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from portal.core.settings import setting
from portal.delivery.outcomes import (
    CERTIFICATE,
    LATER,
    REFUSED,
    SIGN_IN,
    UNREACHABLE,
    NotAccepted,
)
from portal.delivery.transports.bounds import Bounded
from portal.delivery.transports.keeping import Held, Keeper

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
    held = _sessions.take(KEPT) or Held(_session(), KEPT)
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


class _Answer(HTTPResponse):
    """Has to be whole in time; http.client would wait as long for each byte."""

    def __init__(self, source: socket, *more: Any, **named: Any) -> None:
        super().__init__(source, *more, **named)
        seconds = source.gettimeout()
        if seconds is not None:
            self.fp.close()
            self.fp = BufferedReader(Bounded(source, seconds))


class _Stages:
    """A connection that tells trouble before anything was sent from trouble afterwards."""

    response_class = _Answer

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except ssl.SSLCertVerificationError:
            raise NotAccepted(CERTIFICATE, fault=True) from None
        except Exception:  # noqa: BLE001 - several libraries' own
            raise NotAccepted(UNREACHABLE, fault=True) from None


class _Adapter(HTTPAdapter):
    """Makes such connections."""

    def get_connection_with_tls_context(self, *given: Any, **named: Any) -> Any:
        pool = super().get_connection_with_tls_context(*given, **named)
        pool.ConnectionCls = _in_stages(pool.ConnectionCls)
        return pool


@cache
def _in_stages(kind: type) -> type:
    return kind if issubclass(kind, _Stages) else type(kind.__name__, (_Stages, kind), {})


_sessions: Keeper[requests.Session] = Keeper(requests.Session.close)


def _session() -> requests.Session:
    made = requests.Session()
    made.trust_env = False  # no proxies and no passwords but those of our settings
    made.headers.update({"User-Agent": "Latchkey", "Accept-Encoding": "identity"})
    made.mount("http://", _Adapter())
    made.mount("https://", _Adapter())
    return made


def _request(
    session: requests.Session, url: str, token: str, body: object
) -> requests.PreparedRequest:
    headers = {"Authorization": b"Bearer " + token.encode()} if token else {}
    headers["Content-Type"] = b"application/json"
    sent = requests.Request("POST", url, data=json.dumps(body).encode(), headers=headers)
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
