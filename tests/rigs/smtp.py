"""A real mail server on loopback: TLS with a certificate of its own, AUTH, and moods to order.

    with SmtpServer() as server:                 # implicit TLS, the way A01 wants it
        monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)
        settings |= server.settings()            # EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER ...
        ...
        assert server.wait_for(1)[0].subject == "..."

In a process of its own, which says on one line of JSON where it listens and whom to trust:

    python -m tests.rigs.smtp --port 2525 --record taken.jsonl --tls none --latency 0.02

It takes mail with or without sign-in and appends one line per accepted message to the file:
{"to", "id": the Message-ID, "code": six digits of the text or null, "subject", "at": Unix time}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import socket
import ssl
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Literal
from weakref import WeakSet

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.rigs.smtp_moods import REFUSAL, HangUp, Moods

__all__ = ["REFUSAL", "Received", "SmtpServer", "free_port"]

HOST, NAME = "127.0.0.1", "localhost"
USER, PASSWORD = "portal@example.org", "app-password-of-16"
SIX_DIGITS = re.compile(r"(?<!\d)\d{6}(?!\d)")
Tls = Literal["implicit", "starttls", "none"]


@dataclass(frozen=True)
class Received:
    """A message that the server has accepted."""

    sender: str
    to: tuple[str, ...]
    raw: bytes
    user: str | None
    tls: str | None
    at: float  # time.monotonic() of acceptance
    greeting: str  # what the client calls itself

    @property
    def message(self) -> EmailMessage:
        return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(self.raw)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return part.get_content() if part else ""


class SmtpServer(Moods):
    """Starts with `with`; listens on a free port; forgets nothing until `clear()`.

    `names` are those that its certificate vouches for; `latency` seconds pass before it accepts.
    """

    def __init__(
        self,
        tls: Tls = "implicit",
        *,
        auth: bool = True,
        names: tuple[str, ...] = (NAME, HOST),
        latency: float = 0,
        port: int = 0,
    ) -> None:
        super().__init__()
        self.tls, self.auth, self.latency = tls, auth, latency
        self.port = port
        self.user, self.password = USER, PASSWORD
        self.received: list[Received] = []
        self.commands: list[str] = []  # every MAIL, RCPT, DATA, NOOP and RSET, in order
        self.connections = 0
        self.lines: WeakSet[SMTP] = WeakSet()
        self._new = threading.Condition()
        self._listens = False
        self._certify(names)

    def settings(self) -> dict[str, str]:
        """The portal's settings that send through this server."""
        login = {"EMAIL_HOST_USER": USER, "EMAIL_HOST_PASSWORD": PASSWORD} if self.auth else {}
        return {
            "EMAIL_BACKEND": "smtp",
            "EMAIL_HOST": NAME,
            "EMAIL_PORT": str(self.port),
            "EMAIL_USE_SSL": "1" if self.tls == "implicit" else "0",
            "EMAIL_USE_TLS": "1" if self.tls == "starttls" else "0",
            **login,
        }

    def clear(self) -> None:
        """Forgets messages, commands and moods."""
        with self._new:
            super().clear()
            self.received.clear()
            self.commands.clear()
            self.connections = 0

    def wait_for(self, count: int = 1, seconds: float = 10) -> list[Received]:
        """-> the messages, as soon as there are so many.  Raises AssertionError when too late."""
        with self._new:
            enough = self._new.wait_for(lambda: len(self.received) >= count, seconds)
            assert enough, f"{len(self.received)} of {count} messages came within {seconds} s."
            return list(self.received)

    def hang_up(self) -> None:
        """Closes every line that is open now, and returns when they are closed."""
        closed = threading.Event()
        self._controller.loop.call_soon_threadsafe(self._close_lines, closed)
        assert closed.wait(10)

    def stop(self) -> None:
        """Takes no connection any more, as after a crash; `start()` takes the same port again."""
        if self._listens:
            self._listens = False
            self.hang_up()
            self._controller.stop()

    def start(self) -> None:
        """Listens again where it did, or for the first time on a free port."""
        self._controller = _Controller(self)
        self._controller.start()
        self._listens = True

    def __enter__(self) -> SmtpServer:
        self.port = self.port or free_port()
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        self._folder.cleanup()

    def context(self) -> ssl.SSLContext:
        """A server's side of TLS, with the certificate for its names."""
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._certificate.configure_cert(made)
        return made

    def _certify(self, names: tuple[str, ...]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="latchkey-smtp-")
        authority = trustme.CA()
        self._certificate = authority.issue_cert(*names)
        self.ca_file = str(Path(self._folder.name, "ca.pem"))
        authority.cert_pem.write_to_path(self.ca_file)

    def _close_lines(self, closed: threading.Event) -> None:
        for line in list(self.lines):
            # close() would wait for TLS to say goodbye; one that is closed already has no protocol.
            with suppress(AttributeError):
                line.transport.abort()
        self._controller.loop.call_later(0.02, closed.set)

    # What follows is called by aiosmtpd, in its own thread, under its names.

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, host: str, replies: list[str]
    ) -> list[str]:
        session.host_name = host
        refusal = await self.mood("EHLO")
        return [refusal] if refusal else replies

    async def handle_HELO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, host: str
    ) -> str:
        session.host_name = host
        return await self.mood("EHLO") or f"250 {NAME}"

    async def handle_AUTH(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, args: list[str]
    ) -> Any:
        return await self.mood("AUTH") or MISSING

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append(f"MAIL {address}")
        if refusal := await self.mood("MAIL"):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.commands.append(f"RCPT {address}")
        if refusal := await self.mood("RCPT") or self.greylisted(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_NOOP(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, arg: str
    ) -> str:
        self.commands.append("NOOP")
        return await self.mood("NOOP") or "250 OK"

    async def handle_RSET(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.commands.append("RSET")
        return await self.mood("RSET") or "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.commands.append("DATA")
        if self.keeps_next():
            self._keep(session, envelope)
        if refusal := await self.mood("DATA"):
            return refusal
        await asyncio.sleep(self.latency)
        self._keep(session, envelope)
        return "250 2.0.0 Accepted"

    def _keep(self, session: Session, envelope: Envelope) -> None:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        user = session.auth_data.login.decode() if session.auth_data else None
        message = Received(
            sender=envelope.mail_from or "",
            to=tuple(envelope.rcpt_tos),
            raw=raw,
            user=user,
            tls=self.tls if self.tls != "none" else None,
            at=time.monotonic(),
            greeting=session.host_name or "",
        )
        with self._new:
            self.took(message)
            self._new.notify_all()

    def took(self, message: Received) -> None:
        """What becomes of a message at the moment it is accepted."""
        self.received.append(message)

    def allow(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        given = isinstance(data, LoginPassword) and (data.login, data.password)
        fits = given == (USER.encode(), PASSWORD.encode())
        # handled=True would leave the client without an answer.
        return AuthResult(success=fits, handled=False, auth_data=data if fits else None)


class _Line(SMTP):
    """One connection; greets, or does not, as its server is told."""

    async def _handle_client(self) -> None:
        try:
            refusal = await self.event_handler.mood("CONNECT")
        except HangUp:
            self.transport.close()
            return
        if refusal:
            await self.push(refusal)
            self.transport.close()
            return
        await super()._handle_client()


class _Controller(Controller):
    def __init__(self, owner: SmtpServer) -> None:
        self._owner = owner
        context = owner.context()
        starttls = {"tls_context": context, "require_starttls": True}
        super().__init__(
            owner,
            hostname=HOST,
            port=owner.port,
            ssl_context=context if owner.tls == "implicit" else None,
            authenticator=owner.allow,
            auth_required=owner.auth,
            auth_require_tls=owner.tls == "starttls",
            **(starttls if owner.tls == "starttls" else {}),
        )

    def factory(self) -> SMTP:
        self._owner.connections += 1
        line = _Line(self.handler, **self.SMTP_kwargs)
        self._owner.lines.add(line)
        return line

    def _trigger_server(self) -> None:
        """aiosmtpd's own first connection, to see that it listens, is none of ours."""
        super()._trigger_server()
        self._owner.connections = 0


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Recorder(SmtpServer):
    """Writes one line per message to a file, at once, and remembers nothing else."""

    def __init__(self, file: Path, tls: Tls, latency: float, port: int) -> None:
        super().__init__(tls, auth=False, latency=latency, port=port)
        self._file = file.open("a", encoding="utf-8", buffering=1)

    def took(self, message: Received) -> None:
        found = SIX_DIGITS.search(message.text)
        line = {
            "to": message.to[0],
            "id": str(message.message["Message-ID"]),
            "code": found[0] if found else None,
            "subject": message.subject,
            "at": time.time(),  # noqa: TID251 - compared with the clock of other processes
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        self.commands.clear()


def main() -> None:
    """Serves until it is told to end (SIGTERM, SIGINT)."""
    parser = argparse.ArgumentParser(prog="python -m tests.rigs.smtp")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--tls", choices=("none", "implicit", "starttls"), default="none")
    parser.add_argument("--latency", type=float, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before threads start, which inherit it
    with Recorder(given.record, given.tls, given.latency, given.port) as server:
        where = {"port": server.port, "ca_file": server.ca_file}
        print(json.dumps(where), flush=True)  # noqa: T201 - to whoever called it
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
