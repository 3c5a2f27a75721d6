"""Mail by SMTP (RFC 5321).  Sole owner of smtplib."""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader

from portal.core.settings import setting
from portal.delivery.outcomes import (
    CERTIFICATE,
    DROPPED,
    LATER,
    REFUSED,
    SIGN_IN,
    UNREACHABLE,
    NotAccepted,
)
from portal.delivery.parcels import Parcel
from portal.delivery.transports.bounds import Bounded
from portal.delivery.transports.identity import greeting, sender
from portal.delivery.transports.keeping import Held, Keeper
from portal.delivery.transports.mime import written

CLOSING, GARBLED = 421, -1  # replies: the server ends the connection; what smtplib cannot read
ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")  # status codes of RFC 3463
ROAD = (
    "EMAIL_HOST",
    "EMAIL_PORT",
    "EMAIL_USE_SSL",
    "EMAIL_USE_TLS",
    "EMAIL_HOST_USER",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_TIMEOUT_SECONDS",
)


class _Patient(smtplib.SMTP):
    """Waits as long for a whole reply, of many lines perhaps, as smtplib would for each byte."""

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected
        if self.file is None:
            self._bounded = Bounded(self.sock, self.timeout)
            self.file = BufferedReader(self._bounded)
        self._bounded.allow(self.timeout)
        reply = super().getreply()
        self.sock.settimeout(self.timeout)
        return reply


class _PatientTls(_Patient, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


_lines: Keeper[smtplib.SMTP] = Keeper(smtplib.SMTP.close)


def send(parcel: Parcel, walked: Callable[[], None]) -> None:
    """Returns when the server has accepted it.  Raises NotAccepted.

    `walked` is called before the recipient is named: what is said to that is not for who asked.
    """
    line = _line(_mail)
    with _closed_on_failure(line.connection):
        walked()
        raw = written(parcel)
        _say(lambda: line.connection.rcpt(parcel.to), walked=True)
        _say(lambda: line.connection.data(raw), walked=True)
    _lines.give_back(line)


def ask() -> bool:
    """The same way up to the recipient: the server and our sender are asked about, nobody else.

    Raises NotAccepted.
    """
    line = _line(lambda server: _say(server.noop))
    with _closed_on_failure(line.connection):
        _mail(line.connection)
        _say(line.connection.rset)
    _lines.give_back(line)
    return True


def rest() -> None:
    """Says goodbye, and does not wait for an answer."""
    _lines.rest(_quit)


def _line(begin: Callable[[smtplib.SMTP], None]) -> Held[smtplib.SMTP]:
    """A connection on which a message was begun; one that died since is replaced, once."""
    road = (*map(setting, ROAD), greeting())
    kept = _lines.take(road)
    if kept and _still_works(kept.connection, begin):
        return kept
    server = _connected()
    with _closed_on_failure(server):
        _sign_in(server)
        begin(server)
    return Held(server, road)


def _still_works(server: smtplib.SMTP, begin: Callable[[smtplib.SMTP], None]) -> bool:
    """False when the server, or something on the way, has forgotten it.  Raises NotAccepted."""
    try:
        with _closed_on_failure(server):
            begin(server)
    except NotAccepted as err:
        if err.why != DROPPED and not err.reply.startswith(str(CLOSING)):
            raise
        return False
    return True


def _connected() -> smtplib.SMTP:
    """Connected, encrypted as configured, and greeted.  Raises NotAccepted."""
    try:
        return _greeted()
    except (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError):
        raise NotAccepted(CERTIFICATE, fault=True) from None  # or no STARTTLS: no proof at all
    except smtplib.SMTPResponseException as err:
        raise _refusal(err.smtp_code, err.smtp_error, walked=False) from None
    except (OSError, ValueError):
        raise NotAccepted(UNREACHABLE, fault=True) from None


def _greeted() -> smtplib.SMTP:
    """Certificates are checked; our own name is told, smtplib would ask name servers for one."""
    where = setting("EMAIL_HOST"), setting("EMAIL_PORT"), greeting()
    seconds = setting("EMAIL_TIMEOUT_SECONDS")
    if setting("EMAIL_USE_SSL"):
        context = ssl.create_default_context()
        server: smtplib.SMTP = _PatientTls(*where, timeout=seconds, context=context)
    else:
        server = _Patient(*where, timeout=seconds)
    with _closed_on_failure(server):
        if setting("EMAIL_USE_TLS"):
            server.starttls(context=ssl.create_default_context())
        server.ehlo_or_helo_if_needed()
    return server


def _sign_in(server: smtplib.SMTP) -> None:
    """As EMAIL_HOST_USER, if there is one.  Raises NotAccepted."""
    if not setting("EMAIL_HOST_USER"):
        return
    try:
        server.login(setting("EMAIL_HOST_USER"), setting("EMAIL_HOST_PASSWORD"))
    except smtplib.SMTPServerDisconnected:
        raise NotAccepted(DROPPED, fault=True) from None
    except smtplib.SMTPResponseException as err:
        raise NotAccepted(SIGN_IN, _codes(err.smtp_code, err.smtp_error), fault=True) from None
    except (OSError, ValueError):
        raise NotAccepted(SIGN_IN, fault=True) from None


def _mail(server: smtplib.SMTP) -> None:
    _say(lambda: server.mail(sender().addr_spec))


def _say(command: Callable[[], tuple[int, bytes]], *, walked: bool = False) -> None:
    """Raises NotAccepted unless the server says yes."""
    try:
        code, words = command()
    except smtplib.SMTPResponseException as err:
        raise _refusal(err.smtp_code, err.smtp_error, walked=walked) from None
    except (OSError, ValueError):
        raise NotAccepted(DROPPED, walked=walked, fault=True) from None
    if code // 100 != 2:
        raise _refusal(code, words, walked=walked)


def _refusal(code: int, words: bytes | str, *, walked: bool) -> NotAccepted:
    why = REFUSED if code >= 500 else LATER
    fault = not walked or code in (CLOSING, GARBLED)
    for_good = walked and why == REFUSED
    return NotAccepted(why, _codes(code, words), walked=walked, fault=fault, for_good=for_good)


def _codes(code: int, words: bytes | str) -> str:
    """ "550 5.1.1": what a reply says without its words."""
    enhanced = ENHANCED.match(words if isinstance(words, bytes) else words.encode())
    return f"{code} {enhanced[0].decode()}" if enhanced else str(code)


@contextmanager
def _closed_on_failure(server: smtplib.SMTP) -> Iterator[None]:
    try:
        yield
    except BaseException:
        server.close()
        raise


def _quit(server: smtplib.SMTP) -> None:
    with suppress(OSError):
        server.putcmd("quit")
