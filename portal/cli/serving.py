"""Serving pages, sending messages: until they are told to stop."""

import logging
import signal
import sys
import threading
from functools import partial

import click
import waitress

from portal.core import settings
from portal.delivery import worker

THREADS = 64  # most of them wait: a flood of sign-ins for a turn to hash must leave some for others
LAST_MESSAGE_SECONDS = 10  # at the end, for the message under way
LARGEST_BODY = 16 * 1024 * 1024  # larger ones are not even spooled; smaller get our own page


def serve(app):
    """Serve the portal on BIND and PORT (waitress), with the mail worker inside."""
    worker.start(app)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a queue is no news
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # requests under way are finished
    host, port = settings.setting("BIND"), settings.setting("PORT")
    click.echo(f"Latchkey serves {settings.setting('PUBLIC_URL')} (bound to {host}:{port})")
    try:
        waitress.serve(
            app,
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
            max_request_body_size=LARGEST_BODY,
            clear_untrusted_proxy_headers=False,
        )
    finally:
        worker.stop(LAST_MESSAGE_SECONDS)


def deliver(app):
    """Run a mail worker of its own, beside those in the web processes."""
    click.echo("Latchkey sends messages.")
    # A handler runs in the middle of anything, and must take no lock: a thread of its own may.
    end = partial(worker.stop, 0)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end).start())
    worker.run(app)
