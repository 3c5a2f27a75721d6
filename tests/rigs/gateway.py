"""A real HTTP server on loopback that stands for SendGrid and for SMS gateways, with moods.

with Gateway() as gateway:
    settings |= gateway.sms_settings()       # or sendgrid_settings()
    gateway.answer(503, times=2)
    ...
    assert gateway.wait_for(1)[0].body["to"] == "+4915112345678"
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

HOST, NAME = "127.0.0.1", "localhost"
KEY, TOKEN = (
    "SG.a-key-of-the-api",
    "token of/the gateway",
)  # the second needs percent signs in a URL
ACCEPTED = 202


@dataclass(frozen=True)
class Posted:
    """A request that came."""

    path: str
    headers: dict[str, str]  # names in small letters
    body: Any
    at: float  # time.monotonic()


@dataclass(frozen=True)
class _Mood:
    status: int = ACCEPTED
    body: bytes = b"{}"
    seconds: float = 0
    drips: float = 0
    drops: bool = False
    location: str = ""


class Gateway:
    """Starts with `with`, on a free port; accepts (202) what it is not told to refuse."""

    def __init__(self, *, tls: bool = False, names: tuple[str, ...] = (NAME, HOST)) -> None:
        self.tls = tls
        self.posted: list[Posted] = []
        self.connections = 0
        self._moods: list[_Mood] = []
        self._new = threading.Condition()
        self._folder = tempfile.TemporaryDirectory(prefix="latchkey-gateway-")
        authority = trustme.CA()
        self._certificate = authority.issue_cert(*names)
        self.ca_file = str(Path(self._folder.name, "ca.pem"))
        authority.cert_pem.write_to_path(self.ca_file)

    @property
    def place(self) -> str:
        """host:port"""
        return f"{NAME}:{self.port}"

    def sendgrid_settings(self) -> dict[str, str]:
        """The portal's settings that send mail through this server."""
        scheme = "https" if self.tls else "http"
        return {
            "EMAIL_BACKEND": "sendgrid",
            "SENDGRID_API_KEY": KEY,
            "SENDGRID_API_URL": f"{scheme}://{self.place}",
        }

    def sms_settings(self) -> dict[str, str]:
        """The portal's settings that send SMS through this server."""
        scheme = "https" if self.tls else "http"
        return {"SMS_URL": f"{scheme}://token%20of%2Fthe%20gateway@{self.place}/sms"}

    def answer(self, status: int, times: int = 1, body: bytes = b"{}", location: str = "") -> None:
        """Answers the next requests like this."""
        self._moods += [_Mood(status=status, body=body, location=location)] * times

    def hang(self, seconds: float, times: int = 1) -> None:
        """Answers as usual, so many seconds late."""
        self._moods += [_Mood(seconds=seconds)] * times

    def drop(self, times: int = 1) -> None:
        """Takes the request and closes the line instead of answering."""
        self._moods += [_Mood(drops=True)] * times

    def drip(self, seconds: float, times: int = 1) -> None:
        """Answers byte by byte, so many seconds apart."""
        self._moods += [_Mood(drips=seconds)] * times

    def clear(self) -> None:
        """Forgets requests and moods."""
        with self._new:
            self.posted.clear()
            self._moods.clear()
            self.connections = 0

    def wait_for(self, count: int = 1, seconds: float = 10) -> list[Posted]:
        """-> the requests, as soon as there are so many.  Raises AssertionError when too late."""
        with self._new:
            enough = self._new.wait_for(lambda: len(self.posted) >= count, seconds)
            assert enough, f"{len(self.posted)} of {count} requests came within {seconds} s."
            return list(self.posted)

    def hang_up(self) -> None:
        """Closes every line that is open now."""
        for line in list(self._server.lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        time.sleep(0.05)

    def stop(self) -> None:
        """Takes no connection any more; `start()` takes the same port again."""
        self._server.shutdown()
        self.hang_up()
        self._server.server_close()

    def start(self) -> None:
        """Listens where it did, or for the first time on a free port."""
        self._server = _Server(self, getattr(self, "port", 0))
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def __enter__(self) -> Gateway:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        self._folder.cleanup()

    def wrapped(self, line: socket.socket) -> socket.socket:
        """The server's side of TLS, where it is spoken."""
        if not self.tls:
            return line
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._certificate.configure_cert(context)
        return context.wrap_socket(line, server_side=True)

    def take(self, request: Posted) -> _Mood:
        """Notes a request.  -> how it is to be answered."""
        with self._new:
            self.posted.append(request)
            self._new.notify_all()
            return self._moods.pop(0) if self._moods else _Mood()

    def opened(self) -> None:
        """Notes a connection."""
        with self._new:
            self.connections += 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: Gateway, port: int) -> None:
        self.owner = owner
        self.lines: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread, so that a handshake keeps nobody else waiting."""
        try:
            line = self.owner.wrapped(request)
        except OSError:
            return
        self.lines.add(line)
        self.owner.opened()
        try:
            self.RequestHandlerClass(line, client_address, self)
        except OSError:
            pass  # the client has gone
        finally:
            self.lines.discard(line)
            line.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): text for name, text in self.headers.items()}
        mood = self.server.owner.take(Posted(self.path, headers, _read(raw), time.monotonic()))
        time.sleep(mood.seconds)
        self.close_connection = mood.drops
        if not mood.drops:
            self._answer(mood)

    def _answer(self, mood: _Mood) -> None:
        lines = [f"HTTP/1.1 {mood.status} As told", f"Content-Length: {len(mood.body)}"]
        lines += [f"Location: {mood.location}"] if mood.location else []
        whole = "\r\n".join([*lines, "", ""]).encode() + mood.body
        step = 1 if mood.drips else len(whole)
        for start in range(0, len(whole), step):
            self.wfile.write(whole[start : start + step])
            time.sleep(mood.drips)

    def log_message(self, *_: object) -> None:
        """Nothing: what came is in `posted`."""


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw
