"""Writing a letter down as mail: subject, text and HTML from templates (RFC 5322, 2046)."""

from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache
from urllib.parse import urlsplit

from flask_babel import gettext, ngettext
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from portal.core import clock, phrases
from portal.core.settings import setting
from portal.delivery.recipes import Letter

PARTS = "subject.txt", "body.txt", "body.html"


def compose(recipe: str, letter: Letter, row_id: int) -> EmailMessage:
    """The message of one outbox row; its Message-ID is the row's own, a repeat is recognised."""
    subject, text, html = (_render(recipe, part, letter.values) for part in PARTS)
    host = urlsplit(setting("PUBLIC_URL")).hostname
    mail = EmailMessage()
    mail["Subject"] = " ".join(subject.split())
    mail["From"] = _sender()
    mail["To"] = Address(addr_spec=letter.to or "")
    mail["Date"] = format_datetime(clock.now(), usegmt=True)
    mail["Message-ID"] = f"<outbox-{row_id}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies
    mail.set_content(text.strip() + "\n")
    mail.add_alternative(html.strip() + "\n", subtype="html")
    return mail


def _sender() -> Address:
    """EMAIL_FROM, an address with or without a name in front."""
    name, address = parseaddr(setting("EMAIL_FROM"))
    own = gettext("%(portal)s account", portal=setting("PORTAL_NAME"))
    return Address(name or own, addr_spec=address)


def _render(recipe: str, part: str, values: Mapping[str, object]) -> str:
    every = {
        "portal_name": setting("PORTAL_NAME"),
        "public_url": setting("PUBLIC_URL"),
        "help_phone": setting("HELP_PHONE"),
        "help_email": setting("HELP_EMAIL"),
        "setting": setting,
        "moment": phrases.moment,
        "duration": phrases.duration,
    }
    return _templates().get_template(f"{recipe}/{part}").render(every | dict(values))


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("portal", "templates/mail"),
        autoescape=select_autoescape(["html"]),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    return environment
