"""A real mail server on loopback: TLS with a certificate of its own, AUTH, and moods to order.

    with SmtpServer() as server:                 # implicit TLS, the way A01 wants it
        monkeypatch.setenv("SSL_CERT_FILE", server.ca_file)
        settings |= server.settings()            # EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER ...
        ...
        assert server.wait_for(1)[0].subject == "..."
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST, NAME = "127.0.0.1", "localhost"
REFUSAL = "550 5.1.1 No such person"
USER, PASSWORD = "portal@example.org", "app-password-of-16"
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


class SmtpServer:
    """Starts with `with`; listens on a free port; forgets nothing until `clear()`."""

    def __init__(self, tls: Tls = "implicit", *, auth: bool = True) -> None:
        self.tls, self.auth = tls, auth
        self.user, self.password = USER, PASSWORD
        self.received: list[Received] = []
        self.commands: list[str] = []  # every MAIL, RCPT, DATA and NOOP, in order
        self.connections = 0
        self._moods: dict[str, list[_Mood]] = {}
        self._new = threading.Condition()
        self._certify()

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

    def refuse(self, reply: str = REFUSAL, at: str = "RCPT", times: int = -1) -> None:
        """Answers like this at MAIL, RCPT, DATA or NOOP; `times` -1 means until `clear()`.

        A 4xx reply ("451 4.3.0 Try again later") is a failure for now, a 5xx one for good.
        """
        self._moods[at] = [_Mood(reply)] * times if times > 0 else [_Mood(reply, lasting=True)]

    def hang(self, seconds: float, at: str = "DATA", times: int = 1) -> None:
        """Answers as usual, so many seconds late."""
        self._moods[at] = [_Mood(None, seconds)] * times

    def clear(self) -> None:
        """Forgets messages, commands and moods."""
        with self._new:
            self.received.clear()
            self.commands.clear()
            self._moods.clear()
            self.connections = 0

    def wait_for(self, count: int = 1, seconds: float = 10) -> list[Received]:
        """-> the messages, as soon as there are so many.  Raises AssertionError when too late."""
        with self._new:
            enough = self._new.wait_for(lambda: len(self.received) >= count, seconds)
            assert enough, f"{len(self.received)} of {count} messages came within {seconds} s."
            return list(self.received)

    def stop(self) -> None:
        """Takes no connection any more, as after a crash; `start()` takes the same port again."""
        self._controller.stop()

    def start(self) -> None:
        """Listens again where it did, or for the first time on a free port."""
        self._controller = _Controller(self)
        self._controller.start()

    def __enter__(self) -> SmtpServer:
        self.port = free_port()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def context(self) -> ssl.SSLContext:
        """A server's side of TLS, with the certificate for localhost."""
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._certificate.configure_cert(made)
        return made

    def _certify(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="latchkey-smtp-")
        authority = trustme.CA()
        self._certificate = authority.issue_cert(NAME, HOST)
        self.ca_file = str(Path(self._folder.name, "ca.pem"))
        authority.cert_pem.write_to_path(self.ca_file)

    # What follows is called by aiosmtpd, in its own thread, under its names.

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := await self._mood("MAIL", address):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := await self._mood("RCPT", address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_NOOP(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, arg: str
    ) -> str:
        return await self._mood("NOOP", arg or "") or "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if refusal := await self._mood("DATA", ""):
            return refusal
        self._keep(session, envelope)
        return "250 2.0.0 Accepted"

    async def _mood(self, command: str, about: str) -> str | None:
        self.commands.append(f"{command} {about}".strip())
        waiting = self._moods.get(command)
        if not waiting:
            return None
        mood = waiting[0] if waiting[0].lasting else waiting.pop(0)
        await asyncio.sleep(mood.seconds)
        return mood.reply

    def _keep(self, session: Session, envelope: Envelope) -> None:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        user = session.auth_data.login.decode() if session.auth_data else None
        with self._new:
            self.received.append(
                Received(
                    sender=envelope.mail_from or "",
                    to=tuple(envelope.rcpt_tos),
                    raw=raw,
                    user=user,
                    tls=self.tls if self.tls != "none" else None,
                    at=time.monotonic(),
                )
            )
            self._new.notify_all()

    def _allow(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        given = isinstance(data, LoginPassword) and (data.login, data.password)
        fits = given == (USER.encode(), PASSWORD.encode())
        # handled=True would leave the client without an answer.
        return AuthResult(success=fits, handled=False, auth_data=data if fits else None)


@dataclass(frozen=True)
class _Mood:
    reply: str | None
    seconds: float = 0
    lasting: bool = False


class _Controller(Controller):
    def __init__(self, owner: SmtpServer) -> None:
        self._owner = owner
        context = owner.context()
        starttls = {"tls_context": context, "require_starttls": True}
        login = {"authenticator": owner._allow, "auth_required": True}
        super().__init__(
            owner,
            hostname=HOST,
            port=owner.port,
            ssl_context=context if owner.tls == "implicit" else None,
            auth_require_tls=owner.tls == "starttls",
            **(starttls if owner.tls == "starttls" else {}),
            **(login if owner.auth else {}),
        )

    def factory(self) -> SMTP:
        self._owner.connections += 1
        return super().factory()

    def _trigger_server(self) -> None:
        """aiosmtpd's own first connection, to see that it listens, is none of ours."""
        super()._trigger_server()
        self._owner.connections = 0


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
