"""Pictures of every email into shots/mail/, as an inbox and a mail program show it.

    python -m tools.mail_shots

Each from a phone and a desk, light and dark; then as a program shows it that turns colours over by
itself, and with names that are written from right to left.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from flask_migrate import upgrade
from selectolax.lexbor import LexborHTMLParser

from portal import create_app
from portal.core.db import db
from tests.conftest import SETTINGS, Mail
from tests.policy.emails import every_email
from tests.policy.world import World
from tests.rigs.chromium import DESK, HEIGHT, PHONE, Chromium, Scheme, Tab, chromium
from tests.rigs.server import ROOT

FOLDER = ROOT / "shots" / "mail"
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
EMAIL = "sana.iqbal@example.org"
SITE = {
    "PUBLIC_URL": "http://account.localhost",
    "HELP_EMAIL": "help@latchkey.example",
    "EMAIL_FROM": "no-reply@latchkey.example",
}
TURNED = "html { background: #fff; filter: invert(1) hue-rotate(180deg) }"
INBOX = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Inbox</title><style>
:root {{ color-scheme: light dark }}
body {{ margin: 0; font: 15px/1.4 system-ui, sans-serif; background: Canvas; color: CanvasText }}
header {{ padding: 14px 20px; border-block-end: 1px solid #8884 }}
header p {{ margin: 0; overflow: hidden; white-space: nowrap; text-overflow: ellipsis }}
header span {{ opacity: .65 }}
iframe {{ display: block; width: 100%; border: 0 }}
</style>
<header><p><b>{portal} account</b> &lt;{sender}&gt;</p><p dir="auto"><b>{subject}</b></p>
<p dir="auto"><span>{preheader}</span></p></header>
<iframe srcdoc="{letter}"></iframe>"""
FIT = """() => new Promise(done => { const frame = document.querySelector('iframe');
    const fit = () => { frame.height = frame.contentDocument.body.scrollHeight; done() };
    const there = frame.contentDocument.readyState === 'complete';
    there ? fit() : frame.addEventListener('load', fit) })"""


def main() -> None:
    """Takes all of them."""
    logging.disable(logging.INFO)
    with chromium() as browser, browser.open("") as tab:
        for recipe, mail in _emails("Sana Iqbal", PORTAL_NAME="Latchkey").items():
            _from_all_sides(tab, recipe, _inbox(mail, "Latchkey"))
        _turned_over(browser)
        for recipe, mail in _emails("أمل حداد", PORTAL_NAME="مفتاح").items():
            tab.page.set_viewport_size({"width": PHONE, "height": HEIGHT})
            _show(tab, _inbox(mail, "مفتاح"))
            tab.picture(FOLDER / f"{recipe}-right-to-left.png")


def _turned_over(browser: Chromium) -> None:
    with browser.open("", width=PHONE) as tab:
        for recipe, mail in _emails("Sana Iqbal").items():
            tab.page.set_content(mail.html.replace("</style>", f"{TURNED}</style>"))
            tab.picture(FOLDER / f"{recipe}-turned-over.png")


def _emails(name: str, **settings: str) -> dict[str, Mail]:
    with TemporaryDirectory() as folder, _portal(Path(folder), **settings) as app:
        return every_email(World(app), name, EMAIL)


@contextmanager
def _portal(folder: Path, **settings: str) -> Iterator[Flask]:
    own = {"DATABASE_URL": f"sqlite:///{folder / 'portal.db'}", "UPLOAD_FOLDER": str(folder)}
    app = create_app(SETTINGS | SITE | own | settings)
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


def _inbox(mail: Mail, portal: str) -> str:
    line = LexborHTMLParser(mail.html).css_first("body > div")
    return INBOX.format(
        portal=escape(portal),
        sender=SITE["EMAIL_FROM"],
        subject=escape(mail.subject),
        preheader=escape(line.text().strip() if line else ""),
        letter=escape(mail.html),
    )


def _from_all_sides(tab: Tab, name: str, inbox: str) -> None:
    for width in PHONE, DESK:
        tab.page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in SCHEMES:
            tab.page.emulate_media(color_scheme=scheme)
            _show(tab, inbox)
            tab.picture(FOLDER / f"{name}-{width}-{scheme}.png")
    tab.page.emulate_media(color_scheme="light")
    print(name)


def _show(tab: Tab, inbox: str) -> None:
    tab.page.set_content(inbox)
    tab.page.evaluate(FIT)


if __name__ == "__main__":
    main()
