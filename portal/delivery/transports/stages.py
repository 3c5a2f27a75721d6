"""Sessions of requests that tell trouble before anything was sent from trouble afterwards."""

import ssl
from functools import cache
from http.client import HTTPResponse
from io import BufferedReader
from socket import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from portal.delivery.outcomes import CERTIFICATE, UNREACHABLE, NotAccepted
from portal.delivery.transports.bounds import Bounded


def session() -> requests.Session:
    """One that believes our settings alone."""
    made = requests.Session()
    made.trust_env = False  # no proxies and no passwords but those of our settings
    made.headers.update({"User-Agent": "Latchkey", "Accept-Encoding": "identity"})
    made.mount("http://", _Adapter())
    made.mount("https://", _Adapter())
    return made


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
