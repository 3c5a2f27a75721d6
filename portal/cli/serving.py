"""Serving pages, sending messages: until they are told to stop."""

import logging
import signal
import sys
import threading
from functools import partial

import click
import waitress
from waitress.channel import HTTPChannel

from portal.cli.wire import StrictParser
from portal.core import settings
from portal.delivery import worker

LAST_MESSAGE_SECONDS = 10  # at the end, for the message under way
BOUNDS = {
    "threads": 64,  # most of them wait: sign-ins for a turn to hash must leave some for others
    "max_request_body_size": 16 * 1024 * 1024,  # larger: not even spooled; smaller: our own page
    "max_request_header_size": 64 * 1024,
    "connection_limit": 1000,  # a slow client costs one of these, not a thread
    "channel_timeout": 60,  # seconds after which a line that says nothing is closed
    "asyncore_use_poll": True,  # select() ends at 1024 files
    "clear_untrusted_proxy_headers": False,  # the portal judges them itself
    "ident": None,
}


def serve(app):
    """Serve the portal on BIND and PORT (waitress), with the mail worker inside.

    For one machine and a few hundred people; beyond, gunicorn behind nginx (docs/scale.md).
    """
    worker.start(app)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is no news
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # requests under way are finished
    HTTPChannel.parser_class = StrictParser
    host, port = settings.setting("BIND"), settings.setting("PORT")
    click.echo(f"Latchkey serves {settings.setting('PUBLIC_URL')} (bound to {host}:{port})")
    try:
        waitress.serve(app, host=host, port=port, **BOUNDS)
    finally:
        worker.stop(LAST_MESSAGE_SECONDS)


def deliver(app):
    """Run a mail worker of its own, beside those in the web processes."""
    click.echo("Latchkey sends messages.")
    # A handler runs in the middle of anything, and must take no lock: a thread of its own may.
    end = partial(worker.stop, 0)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end).start())
    worker.run(app)
