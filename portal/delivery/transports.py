"""Handing a letter over.  Sole owner of smtplib."""

import smtplib
import ssl
from email.message import EmailMessage

from portal.core.settings import setting
from portal.delivery import mailbox


def send(mail: EmailMessage | None) -> None:
    """Returns when the server has accepted it.  Raises OSError or SMTPException when not.

    None costs the server the same road up to the message: connect, sign in, no operation.
    """
    if setting("EMAIL_BACKEND") == "mailbox":
        mailbox.catch(mail)
        return
    with _connection() as server:
        if setting("EMAIL_HOST_USER"):
            server.login(setting("EMAIL_HOST_USER"), setting("EMAIL_HOST_PASSWORD"))
        if mail is None:
            _insist(*server.noop())
        else:
            server.send_message(mail)


def _insist(code: int, words: bytes) -> None:
    """smtplib raises for every refusal but that of a command without an argument."""
    if code >= 400:
        raise smtplib.SMTPResponseException(code, words)


def _connection() -> smtplib.SMTP:
    """SSL from the first byte, STARTTLS or plain, as configured; certificates are checked."""
    where = setting("EMAIL_HOST"), setting("EMAIL_PORT")
    seconds = setting("EMAIL_TIMEOUT_SECONDS")
    if setting("EMAIL_USE_SSL"):
        return smtplib.SMTP_SSL(*where, timeout=seconds, context=ssl.create_default_context())
    server = smtplib.SMTP(*where, timeout=seconds)
    if setting("EMAIL_USE_TLS"):
        server.starttls(context=ssl.create_default_context())
    return server
